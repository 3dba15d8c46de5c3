import { hostname as systemHostname } from 'node:os';
import { Refusal } from '../../base/errors.ts';
import type { LogLevel } from '../../base/log.ts';
import type { RelayLogin } from '../../flow/relay/login.ts';
import { letsEverybodyIn, listed, type RelayRules, relayRules } from '../../flow/relay/rules.ts';
import type { AwsSettings } from '../../net/aws/types.ts';
import { isLoopback, networkList } from '../../net/ip.ts';
import { FlagError, type GoFlags, switchValue } from './go-flags.ts';
import { type ListenPlace, listenPlace } from './listen-place.ts';
import { RELAY_FLAGS, type RelayFlagName } from './table.ts';

/** All that a relay is told, checked. */
export interface RelayConfig {
  readonly listen: ListenPlace;
  readonly serviceName: string;
  readonly hostname: string;
  readonly tls:
    | { readonly certFile: string; readonly keyFile: string; readonly passphrase: string | undefined }
    | undefined;
  readonly requireTls: boolean;
  readonly implicitTls: boolean;
  /** As it was named: the label of metrics. */
  readonly api: 'ses' | 'pinpoint';
  readonly sesVersion: 1 | 2;
  readonly aws: AwsSettings;
  readonly configurationSet: string | undefined;
  readonly sourceArn: string | undefined;
  readonly fromArn: string | undefined;
  readonly returnPathArn: string | undefined;
  readonly rules: RelayRules;
  readonly login: RelayLogin | undefined;
  /** AUTH LOGIN without TLS. */
  readonly plainLogin: boolean;
  readonly proxyFrom: readonly string[];
  readonly spool: string | undefined;
  readonly metrics: { readonly place: ListenPlace; readonly asked: boolean } | undefined;
  readonly resendUnsure: boolean;
  readonly logLevel: LogLevel;
  /** To be said at each start. */
  readonly warnings: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;
/** A setting by the name of its flag; undefined where neither flag nor environment gives one (or gives ''). */
type Given = (name: RelayFlagName) => string | undefined;

const DEFAULT_PORT = 1025;
const DEFAULT_NAME = 'AWS SMTP Relay';
const METRICS_ADDRESS = '127.0.0.1:9810';
const BCRYPT = /^\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}$/;
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

/**
 * The configuration out of flags and environment. Throws a `FlagError` for a command line that cannot be read, and a
 * `Refusal` of one line for settings that cannot hold.
 */
export async function relayConfig({ values, rest }: GoFlags, env: Environment): Promise<RelayConfig> {
  // Go's programs ignore what stands there, and with it all flags behind it.
  if (rest.length > 0) throw new FlagError(`unexpected argument ${JSON.stringify(rest[0])}`);
  const given: Given = (name) => {
    const fromEnv = env[RELAY_FLAGS.find((flag) => flag.name === name)?.env ?? ''];
    const value = values.get(name) ?? fromEnv;
    return value === '' ? undefined : value;
  };
  const on = (name: RelayFlagName): boolean => {
    const variable = RELAY_FLAGS.find((flag) => flag.name === name)?.env ?? '';
    return switchValue(given(name) ?? 'false', values.has(name) ? `-${name}` : variable);
  };
  const warnings: string[] = [];
  const { api, sesVersion } = relayApi(given, warnings);
  const rules = relayRules({
    allowedIps: given('i'),
    allowedSenders: given('l'),
    deniedRecipients: given('d'),
  });
  warnOfCapitals(given, warnings);
  const login = loginOf(given('u'), env);
  const listen = await safePlace(given, login, on('allow-open'), warnings);
  const plainLogin = on('enable-login');
  if (plainLogin) warnings.push('AUTH LOGIN is offered without TLS: the password travels in clear');
  return {
    listen,
    serviceName: oneLine(given('n') ?? DEFAULT_NAME, '-n'),
    hostname: hostName(given('h') ?? systemHostname()),
    ...tlsOf(given, on('s'), on('t'), env),
    api,
    sesVersion,
    aws: awsOf(given, env),
    configurationSet: given('e'),
    sourceArn: arn(given, 'o'),
    fromArn: arn(given, 'f') ?? arn(given, 'o'),
    returnPathArn: arn(given, 'p') ?? arn(given, 'o'),
    rules,
    login,
    plainLogin,
    proxyFrom: networks(given('proxy-from')),
    spool: given('spool'),
    metrics: await metricsPlace(given('metrics-listen')),
    resendUnsure: on('resend-unsure'),
    logLevel: logLevel(given('log-level') ?? 'warn'),
    warnings,
  };
}

function relayApi(given: Given, warnings: string[]): Pick<RelayConfig, 'api' | 'sesVersion'> {
  const api = given('r') ?? 'ses';
  if (api !== 'ses' && api !== 'pinpoint') throw new Refusal('bad-input', `Invalid relay API: ${api}`);
  const version = given('ses-version') ?? '2';
  if (version !== '1' && version !== '2')
    throw new Refusal('bad-input', `Invalid SES version: ${version} (--ses-version takes 2 or 1)`);
  if (api === 'pinpoint') {
    if (version === '1')
      throw new Refusal('bad-input', '-r pinpoint is SES version 2 now: leave --ses-version 1 out');
    warnings.push(
      '-r pinpoint: Amazon Pinpoint ended on 2026-10-30; mail goes through SES version 2 instead',
    );
  }
  return { api, sesVersion: version === '1' ? 1 : 2 };
}

/** Domains are compared in lower case here, whatever the client wrote. */
function warnOfCapitals(given: Given, warnings: string[]): void {
  for (const name of ['l', 'd'] as const) {
    if (/@[^|)]*(?<!\\)[A-Z]/.test(given(name) ?? ''))
      warnings.push(
        `-${name}: addresses have their domain in lower case here; the expression names one in capitals`,
      );
  }
}

function loginOf(user: string | undefined, env: Environment): RelayLogin | undefined {
  if (user === undefined) return undefined;
  const password = env['PASSWORD'] === '' ? undefined : env['PASSWORD'];
  const bcryptHash = env['BCRYPT_HASH'] === '' ? undefined : env['BCRYPT_HASH'];
  if (password === undefined && bcryptHash === undefined)
    throw new Refusal('bad-input', 'a user (-u) needs its password: set BCRYPT_HASH or PASSWORD');
  if (bcryptHash !== undefined && !BCRYPT.test(bcryptHash))
    throw new Refusal(
      'bad-input',
      'BCRYPT_HASH is not a bcrypt hash such as "$2y$10$…" (a "$" may have been eaten by a shell)',
    );
  return { user, password, bcryptHash };
}

/** Where to listen: anywhere if clients are asked who they are, else on this machine only. */
async function safePlace(
  given: Given,
  login: RelayLogin | undefined,
  allowOpen: boolean,
  warnings: string[],
): Promise<ListenPlace> {
  const address = given('a');
  const allowed = given('i');
  const open = login === undefined && (listed(allowed ?? '').length === 0 || letsEverybodyIn(allowed));
  if (!open) return listenPlace(address ?? `:${DEFAULT_PORT}`, '-a');
  if (allowOpen) {
    warnings.push('OPEN RELAY: whoever reaches the port can send mail through your account (--allow-open)');
    return listenPlace(address ?? `:${DEFAULT_PORT}`, '-a');
  }
  if (address === undefined) {
    warnings.push(
      `without -u or -i it listens on this machine only (127.0.0.1:${DEFAULT_PORT}); name clients (-i), a login (-u), or --allow-open`,
    );
    return listenPlace(`127.0.0.1:${DEFAULT_PORT}`, '-a');
  }
  const place = await listenPlace(address, '-a');
  if (isLoopback(place.address)) return place;
  throw new Refusal(
    'not-permitted',
    `anybody could send mail through ${address}: add a login (-u, with BCRYPT_HASH or PASSWORD) or a list of clients (-i), listen on 127.0.0.1 (-a), or take the risk with --allow-open`,
  );
}

function tlsOf(
  given: Given,
  requireTls: boolean,
  implicitTls: boolean,
  env: Environment,
): Pick<RelayConfig, 'tls' | 'requireTls' | 'implicitTls'> {
  const certFile = given('c');
  const keyFile = given('k');
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new Refusal('bad-input', 'TLS needs both a certificate (-c) and its key (-k)');
  if (certFile === undefined || keyFile === undefined) {
    const flag = implicitTls ? '-t' : requireTls ? '-s' : undefined;
    if (flag !== undefined)
      throw new Refusal('bad-input', `${flag} needs a certificate (-c) and its key (-k)`);
    return { tls: undefined, requireTls, implicitTls };
  }
  const passphrase = env['TLS_KEY_PASS'] === '' ? undefined : env['TLS_KEY_PASS'];
  return { tls: { certFile, keyFile, passphrase }, requireTls, implicitTls };
}

function awsOf(given: Given, env: Environment): AwsSettings {
  const region = given('region') ?? env['AWS_DEFAULT_REGION'];
  if (region === undefined || region === '')
    throw new Refusal('bad-input', 'the AWS region is not known: set AWS_REGION (or --region)');
  return { region, roleArn: arn(given, 'role-arn'), externalId: given('external-id') };
}

function arn(given: Given, name: 'o' | 'f' | 'p' | 'role-arn'): string | undefined {
  const value = given(name);
  if (value === undefined || /^arn:\S{1,2000}$/.test(value)) return value;
  throw new Refusal('bad-input', `${name.length === 1 ? '-' : '--'}${name} takes an ARN, not "${value}"`);
}

function networks(text: string | undefined): readonly string[] {
  const list = listed(text ?? '');
  networkList(list);
  return list;
}

async function metricsPlace(text: string | undefined): Promise<RelayConfig['metrics']> {
  if (text === 'off') return undefined;
  return { place: await listenPlace(text ?? METRICS_ADDRESS, '--metrics-listen'), asked: text !== undefined };
}

function logLevel(text: string): LogLevel {
  const level = LEVELS.find((known) => known === text);
  if (level === undefined)
    throw new Refusal('bad-input', `--log-level takes ${LEVELS.join(', ')}, not "${text}"`);
  return level;
}

/** Goes into replies and header fields. */
function hostName(text: string): string {
  if (/^[A-Za-z0-9._\-[\]:]{1,255}$/.test(text)) return text;
  throw new Refusal('bad-input', `-h takes a host name, not "${text}"`);
}

function oneLine(text: string, flag: string): string {
  if (/^[\x20-\x7e]{1,200}$/.test(text)) return text;
  throw new Refusal('bad-input', `${flag} takes up to 200 printable ASCII characters`);
}
