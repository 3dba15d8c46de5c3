/**
 * `node scripts/docs.ts`: write the reference pages that are made from code. With `--check` nothing is written; the
 * status is 1 when a page is not what the code says.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ConfigKey, configKeys } from '../src/app/config.ts';
import { limits } from '../src/base/limits.ts';
import { apiRows, openApiDocument } from '../src/servers/http/openapi.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const pages: Record<string, () => string> = {
  'docs/reference/config.md': configPage,
  'docs/reference/limits.md': limitsPage,
  'docs/reference/openapi.json': () => `${JSON.stringify(openApiDocument(version()), undefined, 1)}\n`,
  'docs/reference/api.md': apiPage,
};

const DURATIONS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
] as const;
const SIZES = [
  [1024 ** 3, 'GiB'],
  [1024 ** 2, 'MiB'],
  [1024, 'KiB'],
] as const;

const check = process.argv.includes('--check');
let stale = 0;
for (const [path, make] of Object.entries(pages)) {
  const file = join(root, path);
  const text = make();
  if (text === readOr(file, '')) continue;
  if (check) {
    console.error(`${path} is not what the code says: run "node scripts/docs.ts"`);
    stale++;
  } else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    console.log(`wrote ${path}`);
  }
}
process.exitCode = stale === 0 ? 0 : 1;

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}

function version(): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;
}

/** The index of the API; the whole of it is in openapi.json. */
function apiPage(): string {
  const areas = Map.groupBy(apiRows(), ({ tag }) => tag);
  const parts = [...areas].map(([area, rows]) => {
    const lines = rows.map(
      ({ method, path, summary }) => `| ${method} | \`${path}\` | ${summary.replaceAll('|', '\\|')} |`,
    );
    return `## ${area.slice(0, 1).toUpperCase()}${area.slice(1)}\n\n| | path | what it does |\n|---|---|---|\n${lines.join('\n')}\n`;
  });
  return `# The API

<!-- Made by scripts/docs.ts from the tables of operations in src/servers/http. Change it there. -->

What the web pages and the command line do, over HTTP with JSON: administration below \`/admin/v1\`, an account's own
affairs below \`/account/v1\`, signing in below \`/auth\`. [openapi.json](openapi.json) describes every request and answer
(OpenAPI 3.1); a running server gives it at \`/admin/v1/openapi.json\`. Mail itself is JMAP ([guide](../guides/jmap.md)).
[Administration](../guides/administration.md) tells how to log in and what each role may do.

Times are milliseconds since the epoch, sizes octets. A refusal is \`{"error": {"kind", "message"}}\` with an HTTP status.

${parts.join('\n')}`;
}

function configPage(): string {
  const keys = configKeys();
  const sections = Map.groupBy(keys, ({ name }) => (name.includes('.') ? (name.split('.')[0] ?? '') : ''));
  const parts = [...sections].map(([section, rows]) => {
    const title = section === '' ? '## At the top' : `## [${section}]`;
    return `${title}\n\n${rows.map(configEntry).join('\n')}`;
  });
  return `# Configuration

<!-- Made by scripts/docs.ts from src/app/config.ts. Change it there. -->

\`postern.toml\` says where the server listens, where it keeps things and how much it takes: ${keys.length} keys, one of them
required. Everything else (domains, accounts, aliases, DKIM keys) is data, changed while the server runs with
\`postern domain\`, \`postern account\` and so on.

\`postern serve\` reads \`--config FILE\`, else the file named in \`POSTERN_CONFIG\`, else \`/etc/postern/postern.toml\`. Each
key can also be given in the environment, which goes before the file; lists are then written with commas
(\`POSTERN_LISTEN_SMTP="192.0.2.1:25,[2001:db8::1]:25"\`), and an empty list turns a service off. Relative paths are
relative to the file. \`postern serve --check\` says what is wrong with a file and does nothing else.

Durations are written \`30s\`, \`15m\`, \`4h\`, \`30d\`; sizes \`256KiB\`, \`50MiB\`, \`1GiB\`. Where to listen is written
\`192.0.2.1:25\`, \`[2001:db8::1]:25\`, \`*:25\` (all addresses) or \`unix:/run/postern/lmtp.sock\`.

Keys marked *live* take effect on \`systemctl reload postern\` (SIGHUP), as certificates do; the others on a restart.

${parts.join('\n')}`;
}

function configEntry({ name, variable, description, live, required, default: fallback }: ConfigKey): string {
  const key = name.slice(name.indexOf('.') + 1);
  const value =
    required === true ? 'required' : `default \`${JSON.stringify(fallback).replaceAll(',', ', ')}\``;
  return `### ${key}\n\n${description}\n\n${value}${live === true ? ', *live*' : ''}, environment \`${variable}\`\n`;
}

/** The comment above each limit is its explanation; a run of limits shares the one above the first. */
function limitsPage(): string {
  const source = readFileSync(join(root, 'src/base/limits.ts'), 'utf8');
  const body = source.slice(source.indexOf('export const limits = {'), source.indexOf('} as const'));
  const rows: string[] = [];
  let comment = '';
  for (const line of body.split('\n')) {
    const said = /^ {2}\/\*\* (.*) \*\/$/.exec(line)?.[1];
    const name = /^ {2}(\w+):/.exec(line)?.[1];
    if (said !== undefined) comment = said;
    if (name !== undefined && name in limits) {
      const value = limits[name as keyof typeof limits];
      rows.push(`| ${name} | ${readable(name, value)} | ${comment} |`);
    }
  }
  if (rows.length !== Object.keys(limits).length)
    throw new Error('src/base/limits.ts is not laid out as expected');
  return `# Limits

<!-- Made by scripts/docs.ts from src/base/limits.ts. Change it there. -->

What the program takes before it says no. Some are the defaults of keys in [the configuration](config.md); the others
are fixed.

| limit | value | what and why |
|---|---|---|
${rows.join('\n')}
`;
}

function readable(name: string, value: number): string {
  const units = name.endsWith('Ms') ? DURATIONS : name.endsWith('Bytes') ? SIZES : [];
  const unit = units.find(([size]) => value >= size && value % size === 0);
  if (unit !== undefined) return `${value / unit[0]} ${unit[1]}`;
  return `${value.toLocaleString('en')}${name.endsWith('Bytes') && value > 0 ? ' octets' : ''}`;
}
