/**
 * What the pages name is there: files of this repository, keys of postern.toml, settings in tables, metrics, paths of the API.
 * Part of `npm run check`. (Links are in docs-links.ts; commands in test/app/guides.test.ts, which lives some of them, too.)
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { errorText } from '../src/base/errors.ts';
import { configKeys } from '../src/app/config.ts';
import { readConfig } from '../src/app/config-load.ts';
import { backupSettingsSchema } from '../src/data/backup/settings.ts';
import { acmeSettingsSchema } from '../src/data/certificates/settings.ts';
import { journalSettingsSchema } from '../src/data/journal/privacy.ts';
import { alertSettingsSchema } from '../src/flow/alerts/settings.ts';
import { dnsSettingsSchema } from '../src/flow/dns-plan/settings.ts';
import { doctorSettingsSchema } from '../src/flow/doctor/settings.ts';
import { housekeepingSettingsSchema } from '../src/flow/housekeeping/settings.ts';
import { lookupSettingsSchema } from '../src/flow/lookup/settings.ts';
import { intakeSettingsSchema, intakeSourceSchema } from '../src/flow/ses-inbound/settings.ts';
import { filterSettingsSchema } from '../src/flow/spam/settings.ts';
import { apiRows } from '../src/servers/http/openapi.ts';

const root = resolve(import.meta.dirname, '..');

interface Page {
  readonly name: string;
  readonly text: string;
  /** Fenced code, with the word behind the fence. */
  readonly blocks: readonly { readonly language: string; readonly text: string }[];
  /** What is not fenced. */
  readonly prose: string;
}

function readPage(name: string): Page {
  const text = readFileSync(join(root, name), 'utf8');
  const blocks = [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', body = '']) => ({
    language,
    text: body,
  }));
  return { name, text, blocks, prose: text.replaceAll(/^```\w*\n.*?^```$/gms, '') };
}

/** What stands between single backquotes. */
function spans({ prose }: Page): string[] {
  return [...prose.matchAll(/(?<!`)`([^`]+)`(?!`)/g)].map(([, span = '']) => span);
}

function exists(path: string): boolean {
  return existsSync(join(root, path)) || globSync(path, { cwd: root }).length > 0;
}

/** Folders that a path of the walk through the code may leave out. */
const BESIDE = ['', 'src/', 'src/flow/', 'web/src/'];

/** "src/net/line", "routing/{match,plan}.ts", "test/x.test.ts"; what has no folder is looked for anywhere. */
function* missingFiles(page: Page): Generator<string> {
  const isWalk = page.name === 'ARCHITECTURE.md';
  const named = isWalk
    ? [
        ...[...page.text.matchAll(/(?:[\w-]+\/)*[\w.{},-]+\.(?:tsx?|mjs|json)\b/g)].map(([path]) => path),
        ...spans(page).filter((span) => /^[\w-]+\/[\w./*{},-]+$/.test(span)),
      ]
    : [
        ...spans(page).filter((span) =>
          /^(?:src|web|test|scripts|bench|deploy|docs)\/[\w./*{},-]+$/.test(span),
        ),
        ...[...page.text.matchAll(/\bnode (?:--test )?((?:scripts|bench|test)\/[\w/.-]+)/g)].map(
          ([, path = '']) => path,
        ),
      ];
  for (const path of new Set(named)) {
    const found = isWalk
      ? BESIDE.some((folder) => exists(folder + path)) || exists(`{src,test,web,scripts}/**/${path}`)
      : exists(path);
    if (!found && !/^\.|[A-Z]{4}/.test(path.replace('README', ''))) yield `there is no file ${path}`;
  }
}

/** Keys of postern.toml that a page shows are keys that the program takes, with values that it takes. */
function* configProblems(page: Page): Generator<string> {
  for (const { language, text } of page.blocks) {
    if (language !== 'toml') continue;
    try {
      readConfig(`hostname = "mail.example.org"\n${text}`, 'postern.toml', {}, root);
    } catch (error) {
      yield errorText(error);
    }
  }
}

/** "greylist.mode" and "greylist" for every leaf. */
function names(value: unknown, prefix = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [prefix];
  const inner = Object.entries(value).flatMap(([name, each]) =>
    names(each, prefix === '' ? name : `${prefix}.${name}`),
  );
  return prefix === '' ? inner : [prefix, ...inner];
}

const SETTINGS = new Set(
  [
    ...[
      acmeSettingsSchema,
      alertSettingsSchema,
      backupSettingsSchema,
      dnsSettingsSchema,
      doctorSettingsSchema,
      filterSettingsSchema,
      housekeepingSettingsSchema,
      intakeSettingsSchema,
      journalSettingsSchema,
      lookupSettingsSchema,
    ].flatMap((schema) => names(schema.parse({}))),
    ...Object.keys(intakeSourceSchema.shape),
    // Left out in the defaults: those of recipients then.
    'sender_login.tables',
    'sender_login.domains',
    ...configKeys().map(({ name }) => name),
  ].flatMap((name) => [name, `.${name.split('.').at(-1) ?? ''}`]),
);

/** First cells of tables that are about settings: `trash_days`, `junk_days`. */
function* unknownSettings({ prose }: Page): Generator<string> {
  let about = false;
  for (const line of prose.split('\n')) {
    if (!line.startsWith('|')) about = false;
    else if (/^\| (?:setting|of each source|of all) \|/.test(line)) about = true;
    else if (about) {
      const [first = ''] = line.slice(1).split(' | ');
      for (const [, name = ''] of first.matchAll(/`([\w.]+)`/g))
        if (!SETTINGS.has(name)) yield `there is no setting ${name}`;
    }
  }
}

const METRICS = readFileSync(join(root, 'docs/reference/metrics.md'), 'utf8');
const PATHS = apiRows().map(({ path }) => new RegExp(`^${path.replaceAll(/:\w+/g, '[^/?]+')}$`));

function* unknownNames(page: Page): Generator<string> {
  for (const [name] of page.prose.matchAll(/\bpostern_[a-z_]+[a-z]\b(?!\*)/g))
    if (!METRICS.includes(name)) yield `there is no metric ${name}`;
  for (const [, path = ''] of page.text.matchAll(/(?<![\w])(\/(?:admin|account)\/v1\/[\w/:.@-]*\w)/g))
    if (!PATHS.some((known) => known.test(path))) yield `the API has no ${path}`;
}

/** Every key and every search operator of the webmail is in its guide. */
function* untold(): Generator<string> {
  const read = (path: string): string => readFileSync(join(root, path), 'utf8');
  const guide = read('docs/guides/webmail.md');
  for (const [, key = ''] of read('web/src/mail/shortcuts.ts').matchAll(/^ +(?:\{ )?keys: '([^']+)'/gm))
    if (!guide.includes(`\`${key.replace('+', ' ').replace('Escape', 'Esc')}\``))
      yield `the key ${key} is not told`;
  const operators = /OPERATORS = \[([^\]]*)\]/.exec(read('web/src/mail/search/parse.ts'))?.[1] ?? '';
  for (const [, operator = ''] of operators.matchAll(/'(\w+)'/g))
    if (!guide.includes(`\`${operator}:`)) yield `the operator ${operator}: is not told`;
}

/** One line for each thing that is not there: "docs/install.md: there is no file deploy/x.sh". */
export function falseClaims(): string[] {
  const found = [...untold()].map((problem) => `docs/guides/webmail.md: ${problem}`);
  for (const name of globSync(['*.md', 'docs/**/*.md'], { cwd: root }).toSorted()) {
    if (name.startsWith('docs/reference/')) continue;
    const page = readPage(name);
    for (const problem of [
      ...missingFiles(page),
      ...configProblems(page),
      ...unknownSettings(page),
      ...unknownNames(page),
    ])
      found.push(`${name}: ${problem}`);
  }
  return found;
}

if (import.meta.main) {
  const problems = falseClaims();
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  else console.log('docs: what they name is there');
}
