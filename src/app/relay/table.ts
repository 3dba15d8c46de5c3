import type { GoFlag } from './go-flags.ts';

/** One setting: its flag, the environment variable of the same meaning, and what it is for. A flag wins. */
export interface RelayFlag extends GoFlag {
  readonly env: string;
  /** What stands for the value in the help. */
  readonly value: string;
  readonly help: string;
}

/** Flags of aws-smtp-relay, in the order of its help. */
export const THEIR_FLAGS = [
  text(
    'a',
    'LISTEN_ADDRESS',
    'ADDRESS',
    'where to listen (default :1025; 127.0.0.1:1025 where anybody could send)',
  ),
  text('n', 'SMTP_SERVICE_NAME', 'NAME', 'name in the greeting (default "AWS SMTP Relay")'),
  text('h', 'HOSTNAME', 'NAME', "this host's name (default: the system's)"),
  text('c', 'CERT_FILE', 'FILE', 'TLS certificate with its chain, PEM; read again when it changes'),
  text('k', 'KEY_FILE', 'FILE', 'its key, PEM; TLS_KEY_PASS is its passphrase'),
  on('s', 'REQUIRE_STARTTLS', 'require STARTTLS before anything else'),
  on('t', 'REQUIRE_TLS', 'TLS from the first byte, no STARTTLS'),
  text('r', 'RELAY_API', 'API', '"ses" (default); "pinpoint" is taken for ses, since Pinpoint has ended'),
  text('e', 'SES_CONFIGURATION_SET_NAME', 'NAME', 'SES configuration set'),
  text('i', 'ALLOWED_IPS', 'LIST', 'clients that may send: addresses and networks, with commas between'),
  text('u', 'AUTH_USERNAME', 'NAME', 'login required of clients; its password is in BCRYPT_HASH or PASSWORD'),
  text('l', 'ALLOWED_SENDERS_REGEX', 'REGEXP', 'senders that are allowed, RE2'),
  text('d', 'DENIED_RECIPIENTS_REGEX', 'REGEXP', 'recipients that are denied, RE2'),
  text('o', 'SES_SOURCE_ARN', 'ARN', "another account's identity to send as"),
  text('f', 'SES_FROM_ARN', 'ARN', 'the same for the From field (default: -o)'),
  text('p', 'SES_RETURN_PATH_ARN', 'ARN', 'the same for the return path (default: -o)'),
] as const satisfies readonly RelayFlag[];

export const OUR_FLAGS = [
  on('enable-login', 'ENABLE_LOGIN', 'offer AUTH LOGIN without TLS too: the password travels in clear'),
  text('spool', 'SPOOL_DIR', 'DIR', 'keep mail in DIR until SES has taken it, and retry by ourselves'),
  on('allow-open', 'ALLOW_OPEN', 'start although anybody who reaches the port can send'),
  text('ses-version', 'SES_API_VERSION', 'N', '2 (default, 40 MB a message) or 1 (10 MB)'),
  text('region', 'AWS_REGION', 'REGION', 'AWS region (also AWS_DEFAULT_REGION)'),
  text('role-arn', 'SES_ROLE_ARN', 'ARN', 'role to assume with the credentials found'),
  text('external-id', 'SES_EXTERNAL_ID', 'ID', 'external id for that role'),
  text('proxy-from', 'PROXY_FROM', 'LIST', 'networks of load balancers that send a PROXY header'),
  text(
    'metrics-listen',
    'METRICS_LISTEN_ADDRESS',
    'ADDRESS',
    '/metrics and /health (default 127.0.0.1:9810; "off")',
  ),
  on(
    'resend-unsure',
    'RESEND_UNSURE',
    'when SES took a message and did not answer, send it again on a retry',
  ),
  text('log-level', 'RELAY_LOG_LEVEL', 'LEVEL', 'of what goes to stderr: debug, info, warn (default), error'),
] as const satisfies readonly RelayFlag[];

/** Settings that are secret, and so have no flag. */
export const SECRETS = [
  ['BCRYPT_HASH', 'bcrypt hash of the password (no CRAM-MD5 unless PASSWORD is given too)'],
  ['PASSWORD', 'the password itself'],
  ['TLS_KEY_PASS', 'passphrase of the key file'],
] as const;

export const RELAY_FLAGS: readonly RelayFlag[] = [...THEIR_FLAGS, ...OUR_FLAGS];
export type RelayFlagName = (typeof THEIR_FLAGS)[number]['name'] | (typeof OUR_FLAGS)[number]['name'];

function text<N extends string>(
  name: N,
  env: string,
  value: string,
  help: string,
): RelayFlag & { readonly name: N } {
  return { name, kind: 'text', env, value, help };
}

function on<N extends string>(name: N, env: string, help: string): RelayFlag & { readonly name: N } {
  return { name, kind: 'switch', env, value: '', help };
}

function rows(flags: readonly RelayFlag[]): string {
  return flags
    .map(({ name, env, value, help }) => {
      const flag = `${name.length === 1 ? '-' : '--'}${name} ${value}`;
      return `  ${flag.padEnd(25)}${help}\n${''.padEnd(27)}[${env}]`;
    })
    .join('\n');
}

/** `postern relay --help`. */
export function relayHelp(): string {
  return `postern relay [FLAGS]: take mail by SMTP and send it through Amazon SES

It takes the place of aws-smtp-relay: the same flags, environment, replies and log lines. What differs is told in
docs/guides/moving-from-aws-smtp-relay.md. A flag wins over its environment variable, which stands in brackets.

Flags of aws-smtp-relay
${rows(THEIR_FLAGS)}

More
${rows(OUR_FLAGS)}

Environment only
${SECRETS.map(([name, help]) => `  ${name.padEnd(25)}${help}`).join('\n')}
  ${'AWS_…'.padEnd(25)}credentials, as every AWS program finds them

One JSON line for each message goes to stdout, everything else to stderr.
`;
}
