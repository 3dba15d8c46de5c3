import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { errnoCode, Refusal } from '../base/errors.ts';
import { randomToken } from '../base/ids.ts';
import { MIN_PASSWORD } from '../data/directory/passwords.ts';
import { normalizeDomain } from '../mail/address/domain.ts';
import { parseMailbox } from '../mail/address/path.ts';
import type { Ask } from './ask.ts';
import type { Flags } from './flags.ts';
import { DEFAULT_CONFIG } from './config-load.ts';

/** What `postern init` is to set up. */
export interface InitPlan {
  readonly domain: string;
  readonly hostname: string;
  /** Address of the first account. */
  readonly admin: string;
  readonly data: string;
  readonly configFile: string;
  readonly user: string;
  readonly cert: string;
  readonly key: string;
  readonly password: string;
  /** The password was made up, so it must be shown. */
  readonly generated: boolean;
}

const GENERATED_LENGTH = 20;
const SYSTEM_DATA = '/var/lib/postern';
const SYSTEM_USER = 'postern';

/**
 * Where things go unless told otherwise: where the environment says that the server looks for them; else the system's places
 * for root, the current directory for anybody else.
 */
export function defaultPlaces(env: NodeJS.ProcessEnv = process.env): { data: string; configFile: string } {
  const root = process.getuid?.() === 0;
  return {
    data: absolute(env['POSTERN_DATA'] || (root ? SYSTEM_DATA : 'postern-data')),
    configFile: absolute(env['POSTERN_CONFIG'] || (root ? DEFAULT_CONFIG : 'postern.toml')),
  };
}

/** What commands need behind them to find the server of a data directory: nothing, or " --data DIR". */
export function dataOption(data: string, env: NodeJS.ProcessEnv = process.env): string {
  const named = env['POSTERN_DATA'];
  const found = named === undefined || named === '' ? SYSTEM_DATA : absolute(named);
  return data === found ? '' : ` --data ${data}`;
}

/** Who the server runs as unless told otherwise: a user of its own for root; anybody else owns the data they set up. */
export function defaultUser(): string {
  const uid = process.getuid?.() ?? 0;
  if (uid === 0) return SYSTEM_USER;
  try {
    return userInfo().username;
  } catch {
    // A user without an entry in passwd, as in containers; systemd takes the number as well.
    return String(uid);
  }
}

export function domainProblem(text: string): string | undefined {
  if (normalizeDomain(text)?.includes('.') === true) return undefined;
  return `"${text}" is not a domain such as "example.org"`;
}

function hostProblem(text: string): string | undefined {
  if (normalizeDomain(text)?.includes('.') === true) return undefined;
  return `"${text}" is not a full host name such as "mail.example.org"`;
}

function addressProblem(text: string, domain: string): string | undefined {
  const parsed = parseMailbox(text, { smtputf8: true });
  if (parsed.kind !== 'mailbox') return `"${text}" is not an address such as "you@${domain}"`;
  return parsed.domain === domain ? undefined : `the first account must be in ${domain}`;
}

function passwordProblem(text: string): string | undefined {
  if (text === '' || [...text].length >= MIN_PASSWORD) return undefined;
  return `the password needs at least ${MIN_PASSWORD} characters`;
}

/**
 * All answers, from flags first, then (with `ask`) from the person. Throws a `Refusal` for a wrong or missing one.
 * `password`: what came on stdin.
 */
export async function makePlan(
  flags: Flags,
  ask: Ask | undefined,
  password: string | undefined,
): Promise<InitPlan> {
  const { text } = flags;
  const missing = ['domain'].filter((name) => text[name] === undefined);
  if (ask === undefined && missing.length > 0) {
    throw new Refusal(
      'bad-input',
      `--domain is missing (there is no terminal to ask on): "postern init --domain example.org --yes"`,
    );
  }
  const answer = async (
    name: string,
    question: string,
    fallback: string,
    wrong: (value: string) => string | undefined,
  ): Promise<string> => {
    const given = text[name];
    if (given === undefined && ask !== undefined) return ask.line(question, fallback, wrong);
    const value = given ?? fallback;
    const problem = wrong(value);
    if (problem !== undefined) throw new Refusal('bad-input', `--${name}: ${problem}`);
    return value;
  };
  const domain = normalized(await answer('domain', 'Domain of your addresses', '', domainProblem));
  const hostname = normalized(
    await answer('hostname', 'Full name of this machine', `mail.${domain}`, hostProblem),
  );
  const admin = await answer('admin', 'Your address (administrator)', `admin@${domain}`, (value) =>
    addressProblem(value, domain),
  );
  const places = defaultPlaces();
  const data = absolute(await answer('data', 'Directory for mail', places.data, () => undefined));
  const cert = await answer('cert', 'Certificate file (PEM; empty: later)', '', (value) =>
    value === '' ? undefined : fileProblem(value),
  );
  const key =
    cert === ''
      ? ''
      : await answer('key', 'Its private key file', '', (value) =>
          value === '' ? 'is missing: certificate and key go together' : fileProblem(value),
        );
  const chosen = password ?? (await ask?.password('Password (empty: one is made up)')) ?? '';
  const problem = passwordProblem(chosen);
  if (problem !== undefined) throw new Refusal('bad-input', problem);
  return {
    domain,
    hostname,
    admin,
    data,
    configFile: absolute(text.config ?? places.configFile),
    user: text.user ?? defaultUser(),
    cert: cert === '' ? '' : absolute(cert),
    key: key === '' ? '' : absolute(key),
    password: chosen === '' ? randomToken(GENERATED_LENGTH) : chosen,
    generated: chosen === '',
  };
}

function normalized(text: string): string {
  return normalizeDomain(text) ?? text;
}

function absolute(path: string): string {
  return isAbsolute(path) ? join(path) : resolve(path);
}

const WEB_TEXT = `# For the web pages and JMAP with our own certificates (https), and for getting these (acme, docs/guides/certificates.md),
# which also leads those who type no https:// there:
# [listen]
# https = ["*:443"]
# acme = ["*:80"]
`;

/** The configuration file: what differs from the defaults, and where to read about the rest. */
export function configText(plan: InitPlan): string {
  const tls =
    plan.cert === ''
      ? '# Without a certificate there is no TLS, and without TLS nobody can log in.\n# Files that another program keeps; not needed for what is got by "postern certificate":\n# cert = "/etc/letsencrypt/live/HOST/fullchain.pem"\n# key = "/etc/letsencrypt/live/HOST/privkey.pem"\n'
      : `cert = ${JSON.stringify(plan.cert)}\nkey = ${JSON.stringify(plan.key)}\n`;
  return `# Postern. All keys with their defaults: docs/reference/config.md. Domains, accounts and aliases are not here:
# they are data, see "postern --help".

hostname = ${JSON.stringify(plan.hostname)}
data = ${JSON.stringify(plan.data)}
user = ${JSON.stringify(plan.user)}

${WEB_TEXT}
[tls]
${tls}`;
}

/** Why a certificate or key file cannot be meant: said now, not by the server that does not start with it. */
function fileProblem(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').includes('-----BEGIN ') ? undefined : 'is no PEM file';
  } catch (error) {
    return `cannot be read (${errnoCode(error) ?? 'unknown error'})`;
  }
}
