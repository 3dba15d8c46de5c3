import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import type { z } from 'zod';
import { errnoCode, errorText, Refusal } from '../base/errors.ts';
import { type Config, type ConfigInput, type ConfigKey, configKeys, configSchema } from './config.ts';
import { ALL_ADDRESSES, type ListenSpec } from './config-values.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the system's server has its configuration. */
export const DEFAULT_CONFIG = '/etc/postern/postern.toml';

/** Octets of a configuration file that is read. */
const MAX_FILE_BYTES = 256 * 1024;
/** Problems told at once. */
const MAX_PROBLEMS = 10;

/** Keys that hold paths, taken relative to the file that names them. */
const PATHS = [
  ['data'],
  ['listen', 'admin_socket'],
  ['tls', 'cert'],
  ['tls', 'key'],
  ['relay', 'password_file'],
  ['telemetry', 'headers_file'],
] as const;

/**
 * Read the configuration: the file (none when undefined), then the environment over it. Throws a `Refusal` whose lines
 * each name a key, what is wrong with it and what would be right.
 */
export async function loadConfig(file: string | undefined, environment: Environment): Promise<Config> {
  const base = file === undefined ? process.cwd() : dirname(resolve(file));
  return readConfig(
    file === undefined ? '' : await readText(file),
    file ?? 'configuration',
    environment,
    base,
  );
}

/** The same from text. `name` is what problems call it; relative paths are under `base`. */
export function readConfig(text: string, name: string, environment: Environment, base: string): Config {
  const tree = parseToml(text, name);
  const fromEnvironment = applyEnvironment(tree, environment, name);
  adoptCollector(tree, environment);
  const result = configSchema.safeParse(tree);
  if (!result.success) throw problems(name, result.error.issues, fromEnvironment);
  const config = absolutePaths(result.data, base);
  refuseContradictions(config, name);
  return config;
}

/** A configuration from parts, for the try-out and tests: like a file with these keys. Throws like `readConfig`. */
export function makeConfig(input: ConfigInput): Config {
  const result = configSchema.safeParse(input);
  if (!result.success) throw problems('configuration', result.error.issues, new Map());
  return result.data;
}

async function readText(file: string): Promise<string> {
  try {
    const bytes = await readFile(file);
    if (bytes.length > MAX_FILE_BYTES) throw new Error('it is too large for a configuration');
    return bytes.toString('utf8');
  } catch (error) {
    const remedy =
      errnoCode(error) === 'ENOENT'
        ? 'there is no such file; "postern init" makes one, --config names another'
        : errorText(error);
    throw new Refusal('bad-input', `${file}: ${remedy}`);
  }
}

function parseToml(text: string, name: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const what = error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? '';
    throw new Refusal('bad-input', `${name}, line ${error.line}, column ${error.column}: not TOML: ${what}`);
  }
}

/** Put `POSTERN_SECTION_KEY` variables over the file's keys; returns which key came from which variable. */
function applyEnvironment(
  tree: Record<string, unknown>,
  environment: Environment,
  file: string,
): Map<string, string> {
  const keys = new Map(configKeys().map((key) => [key.variable, key]));
  const sections = [...keys.values()].flatMap(({ name }) =>
    name.includes('.') ? [name.split('.')[0] ?? ''] : [],
  );
  const used = new Map<string, string>();
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith('POSTERN_') || value === undefined) continue;
    const key = keys.get(variable);
    if (key !== undefined) {
      setKey(tree, key, value, file);
      used.set(key.name, variable);
    } else if (sections.some((section) => variable.startsWith(`POSTERN_${section.toUpperCase()}_`))) {
      throw new Refusal(
        'bad-input',
        `${variable}: there is no such setting${suggest(variable, [...keys.keys()])}`,
      );
    }
  }
  return used;
}

/** The collector that everything on this machine or in this container tells, unless ours is named. */
function adoptCollector(tree: Record<string, unknown>, environment: Environment): void {
  const url = environment['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '';
  if (url === '' || environment['OTEL_SDK_DISABLED'] === 'true') return;
  const section = (tree['telemetry'] ??= {});
  if (typeof section !== 'object' || section === null) return;
  const named = section as Record<string, unknown>;
  if (named['endpoint'] === undefined || named['endpoint'] === '') named['endpoint'] = url;
}

function setKey(tree: Record<string, unknown>, key: ConfigKey, value: string, file: string): void {
  const [first = '', second] = key.name.split('.');
  if (second === undefined) {
    tree[first] = value;
    return;
  }
  const section = (tree[first] ??= {});
  if (typeof section !== 'object' || section === null) {
    throw new Refusal('bad-input', `${file}: ${first}: must be a section, [${first}]`);
  }
  (section as Record<string, unknown>)[second] = value;
}

function problems(
  file: string,
  issues: readonly z.core.$ZodIssue[],
  fromEnvironment: ReadonlyMap<string, string>,
): Refusal {
  const lines = issues.flatMap((issue) => issueLines(issue)).slice(0, MAX_PROBLEMS);
  const text = lines.map(({ key, message }) => {
    const variable = fromEnvironment.get(key.replace(/\[\d+\]$/, ''));
    return `${variable === undefined ? `${file}: ${key}` : variable}: ${message}`;
  });
  return new Refusal('bad-input', text.join('\n'));
}

function issueLines(issue: z.core.$ZodIssue): { key: string; message: string }[] {
  const key = issue.path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
    )
    .join('');
  if (issue.code === 'unrecognized_keys') {
    const known = configKeys().flatMap(({ name }) => [name, name.split('.')[0] ?? '']);
    return issue.keys.map((unknown) => {
      const name = key === '' ? unknown : `${key}.${unknown}`;
      return { key: name, message: `there is no such key${suggest(name, known)}` };
    });
  }
  if (key === 'hostname' && issue.input === undefined && issue.code === 'invalid_union') {
    return [{ key, message: 'is missing: the full name of this machine, such as "mail.example.org"' }];
  }
  if (issue.code === 'invalid_type' && issue.expected === 'object') {
    return [{ key, message: `must be a section, [${key}]` }];
  }
  return [{ key, message: issue.message }];
}

/** "; did you mean x?" when something known is close. */
export function suggest(text: string, known: readonly string[]): string {
  const wanted = text.slice(0, 60);
  const near = known
    .map((candidate) => ({
      candidate,
      distance: candidate.startsWith(wanted) ? 1 : editDistance(wanted, candidate),
    }))
    .toSorted((a, b) => a.distance - b.distance)[0];
  return near !== undefined && near.distance <= 3 ? `; did you mean ${near.candidate}?` : '';
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function absolutePaths(config: Config, base: string): Config {
  const copy = structuredClone(config);
  for (const [first, second] of PATHS) {
    const holder = (second === undefined ? copy : copy[first]) as Record<string, unknown>;
    const name = second ?? first;
    const value = holder[name];
    if (typeof value === 'string' && value !== '') holder[name] = resolve(base, value);
  }
  return copy;
}

/** What is wrong only together. */
function refuseContradictions(config: Config, file: string): void {
  const { tls, relay, queue } = config;
  const wrong: string[] = [];
  if ((tls.cert === '') !== (tls.key === '')) {
    wrong.push(`tls.${tls.cert === '' ? 'cert' : 'key'}: is missing: certificate and key go together`);
  }
  if ((relay.username === '') !== (relay.password_file === '')) {
    wrong.push(
      `relay.${relay.username === '' ? 'username' : 'password_file'}: is missing: user name and password go together`,
    );
  }
  if (relay.username !== '' && relay.tls === 'opportunistic') {
    wrong.push(
      'relay.tls: with a login it must be "starttls" or "implicit": a password never travels in the clear',
    );
  }
  if (queue.expire_after > 0 && queue.warn_after >= queue.expire_after) {
    wrong.push('queue.warn_after: must be shorter than queue.expire_after');
  }
  wrong.push(...doublePorts(config));
  if (wrong.length > 0) throw new Refusal('bad-input', wrong.map((line) => `${file}: ${line}`).join('\n'));
}

/** Ports that two services want, where one of them does what the other is for. */
function doublePorts({ listen }: Config): string[] {
  const wants = (service: 'acme' | 'sns'): ListenSpec | undefined =>
    listen[service].find((spec) => listen.https.some((https) => samePort(spec, https)));
  const acme = wants('acme');
  const sns = wants('sns');
  const wrong: string[] = [];
  if (acme !== undefined && 'port' in acme)
    wrong.push(
      `listen.acme: port ${acme.port} is that of listen.https, which answers challenges by TLS itself: leave it out here`,
    );
  if (sns !== undefined && 'port' in sns)
    wrong.push(
      `listen.sns: port ${sns.port} is that of listen.https, which takes notices at /hooks/sns itself: leave it out here`,
    );
  return wrong;
}

function samePort(a: ListenSpec, b: ListenSpec): boolean {
  if (!('port' in a) || !('port' in b) || a.port !== b.port || a.port === 0) return false;
  return a.address === b.address || [a.address, b.address].includes(ALL_ADDRESSES);
}
