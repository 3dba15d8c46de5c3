import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { errnoCode, errorText, Refusal } from '../../base/errors.ts';
import { literalDomains } from '../../mail/lookup/domains.ts';
import { composeValues } from './compose.ts';
import { ENV_BYTES, parseEnvFile, type Variables } from './env-file.ts';
import { parsePasswd, type PasswdUser } from './passwd.ts';
import type { LeftOver } from './steps.ts';

/** What stands in a directory of hybrid-cloud-email: its .env, Compose files and secrets. Nothing is changed there. */
export interface HybridSetup {
  readonly users: readonly PasswdUser[];
  /** Undefined: there is none that can be read. */
  readonly table:
    | { readonly type: 'pcre' | 'regexp' | 'texthash'; readonly text: string; readonly file: string }
    | undefined;
  /** Domains that the table names, in its order. */
  readonly domains: readonly string[];
  readonly region: string | undefined;
  readonly deadLetterQueueUrl: string | undefined;
  /** Seconds. */
  readonly deadLetterInterval: number;
  /** "key:secret" for sending, and for S3 and SQS. */
  readonly sendCredentials: string | undefined;
  readonly mailCredentials: string | undefined;
  /** "user:password" of the SNS endpoint. */
  readonly basicAuth: string | undefined;
  /** Octets; undefined: not set. */
  readonly maxMessageSize: number | undefined;
  /** Values of .env with their defaults. */
  readonly env: Variables;
  readonly left: readonly LeftOver[];
}

const COMPOSE = [
  'docker-compose.yml',
  'docker-compose.yaml',
  'compose.yml',
  'compose.yaml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
  'compose.override.yml',
  'compose.override.yaml',
] as const;

/** Variables of the containers; each may be given as NAME_FILE, too. */
const CONTAINER = [
  'LMTP_ADDRESS',
  'BASIC_AUTH_CREDENTIALS',
  'AWS_CREDENTIALS',
  'AWS_IAM_CREDENTIALS',
  'POSTFIX_LOOKUP_TABLE',
  'AWS_REGION',
  'DEAD_LETTER_QUEUE_URL',
  'DEAD_LETTER_QUEUE_CHECK_INTERVAL',
  'LOG_LEVEL',
  'SASL_ADDRESS',
  'MAX_MESSAGE_SIZE',
] as const;
type ContainerName = (typeof CONTAINER)[number];

/** Where Compose mounts secrets. */
const MOUNTED = '/run/secrets/';
/** Seconds between two looks into the dead-letter queue, as their program has it. */
const INTERVAL = 21_600;
/** Keys of .env and what Compose puts in their place. */
const DEFAULTS: Readonly<Record<string, string>> = {
  SECRETS_PATH: './secrets',
  SNS_ENDPOINT_PORT: '443',
  IMAPS_PORT: '993',
  IMAP_STARTTLS_PORT: '143',
  SMTP_STARTTLS_PORT: '587',
  MAIL_VOLUME: 'nfs-mail-storage',
  LOG_LEVEL: 'info',
};

/** Read such a directory. A Refusal says what is missing for it to be one. */
export async function readHybrid(directory: string): Promise<HybridSetup> {
  const left: LeftOver[] = [];
  const env = await readEnv(directory, left);
  const compose = await readCompose(directory, env);
  const secrets = resolve(directory, env.get('SECRETS_PATH') ?? './secrets');
  const place = (path: string): string => {
    if (path.startsWith(MOUNTED)) return join(secrets, path.slice(MOUNTED.length));
    return isAbsolute(path) ? path : resolve(directory, path);
  };
  const secret = async (name: string): Promise<string | undefined> => textOf(join(secrets, name));
  const value = (name: ContainerName): Promise<string | undefined> => variable(name, { compose, env, place });

  const passwd = await secret('dovecot_passwd');
  if (passwd === undefined) {
    throw new Refusal(
      'not-found',
      `${directory} is no directory of hybrid-cloud-email: there is no ${join(secrets, 'dovecot_passwd')}.\nName the directory with its docker-compose.yml and .env; SECRETS_PATH in .env says where secrets are.`,
    );
  }
  const { users, problems } = parsePasswd(passwd);
  for (const { line, name, why } of problems) {
    left.push({
      what: `user ${name}`,
      why: `dovecot_passwd:${line}: ${why}`,
      remedy: `postern account add ${name.includes('@') ? name : `${name}@DOMAIN`}, with a new password`,
    });
  }
  const table = await readTable(
    (await value('POSTFIX_LOOKUP_TABLE')) ?? `pcre:${MOUNTED}postfix_lookup_table`,
    place,
    left,
  );
  const iam = (await secret('aws_iam_credentials'))?.trimEnd();
  const size = Number(await value('MAX_MESSAGE_SIZE'));
  const interval = Number((await value('DEAD_LETTER_QUEUE_CHECK_INTERVAL')) ?? '');
  const queue = await value('DEAD_LETTER_QUEUE_URL');
  return {
    users,
    table,
    domains: table === undefined ? [] : literalDomains(table.type, table.text),
    region: (await value('AWS_REGION')) ?? regionOf(queue),
    deadLetterQueueUrl: queue,
    deadLetterInterval: Number.isSafeInteger(interval) && interval > 0 ? interval : INTERVAL,
    sendCredentials: (await value('AWS_IAM_CREDENTIALS')) ?? iam,
    mailCredentials: (await value('AWS_CREDENTIALS')) ?? iam,
    basicAuth:
      (await value('BASIC_AUTH_CREDENTIALS')) ?? (await secret('sns_basic_auth_credentials'))?.trimEnd(),
    maxMessageSize: Number.isSafeInteger(size) && size > 0 ? size : undefined,
    env,
    left,
  };
}

async function readEnv(directory: string, left: LeftOver[]): Promise<Variables> {
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory() !== true) throw new Refusal('not-found', `${directory} is no directory.`);
  const { values, problems } = parseEnvFile((await textOf(join(directory, '.env'))) ?? '');
  for (const problem of problems) {
    left.push({ what: '.env', why: problem, remedy: 'See what it was meant to say' });
  }
  const all = new Map(Object.entries(DEFAULTS));
  for (const [name, value] of values) if (value !== '' || !all.has(name)) all.set(name, value);
  return all;
}

/** Of each variable what the last file says that names it. */
async function readCompose(directory: string, env: Variables): Promise<ReadonlyMap<string, string>> {
  const names = new Set(CONTAINER.flatMap((name) => [name, `${name}_FILE`]));
  const found = new Map<string, string>();
  for (const name of COMPOSE) {
    const text = await textOf(join(directory, name));
    if (text === undefined) continue;
    for (const [variable, values] of composeValues(text, names, env)) {
      const last = values.filter((value) => value !== '').at(-1);
      if (last !== undefined) found.set(variable, last);
    }
  }
  return found;
}

/** A direct value wins over NAME_FILE, Compose over .env. */
async function variable(
  name: ContainerName,
  {
    compose,
    env,
    place,
  }: { compose: ReadonlyMap<string, string>; env: Variables; place: (path: string) => string },
): Promise<string | undefined> {
  const direct = compose.get(name) ?? env.get(name);
  if (direct !== undefined && direct !== '') return direct;
  const file = compose.get(`${name}_FILE`) ?? env.get(`${name}_FILE`);
  const text = file === undefined || file === '' ? undefined : await textOf(place(file));
  const value = text?.trimEnd();
  return value === '' ? undefined : value;
}

async function readTable(
  name: string,
  place: (path: string) => string,
  left: LeftOver[],
): Promise<HybridSetup['table']> {
  const [, type = '', path = ''] = /^(\w+):(.*)$/s.exec(name) ?? [];
  const file = place(path);
  const kinds = {
    pcre: 'pcre',
    regexp: 'regexp',
    texthash: 'texthash',
    hash: 'texthash',
    lmdb: 'texthash',
    btree: 'texthash',
  } as const;
  const kind = Object.hasOwn(kinds, type) ? kinds[type as keyof typeof kinds] : undefined;
  const text = kind === undefined ? undefined : await textOf(file);
  if (kind !== undefined && text !== undefined) return { type: kind, text, file };
  left.push({
    what: `lookup table ${name}`,
    why: kind === undefined ? `tables of type "${type}" are not read here` : `${file} cannot be read`,
    remedy:
      'Without it addresses are accounts and aliases only; docs/guides/lookup-tables.md says which types there are',
  });
  return undefined;
}

function regionOf(queueUrl: string | undefined): string | undefined {
  return /^https:\/\/sqs\.([a-z0-9-]+)\.amazonaws\.com/.exec(queueUrl ?? '')?.[1];
}

/** Undefined when there is no such file. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > ENV_BYTES * 4)
      throw new Refusal('too-large', `${path} is larger than ${ENV_BYTES / 256} KiB.`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errnoCode(error) ?? '')) return undefined;
    throw new Refusal('not-permitted', `${path} cannot be read: ${errorText(error)}.`);
  }
}
