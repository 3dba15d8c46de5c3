import { z } from 'zod';
import {
  duration,
  flag,
  hostName,
  integer,
  listenList,
  number,
  path,
  plainText,
  size,
  textList,
} from './config-values.ts';

/**
 * The static configuration: where we listen, where we keep things, how much we take. Everything else is data, changed
 * at run time (`postern domain`, `postern account`, ...). At most 47 keys; docs/reference/config.md is made from this.
 */

/** `live` keys take effect with `systemctl reload` (SIGHUP), others with a restart. */
export interface KeyMeta {
  readonly description: string;
  readonly live?: boolean;
  /** Filled in by `postern init`, so shown in the reference without a default. */
  readonly required?: boolean;
}

function key<T extends z.ZodType>(type: T, meta: KeyMeta): T {
  return type.meta({ ...meta }) as T;
}

const listen = z.strictObject({
  smtp: key(listenList.prefault(['*:25']), { description: 'Mail from other hosts.' }),
  submission: key(listenList.prefault(['*:587']), {
    description: 'Mail from our users, STARTTLS before login.',
  }),
  submissions: key(listenList.prefault(['*:465']), {
    description: 'Mail from our users, TLS from the first byte.',
  }),
  imap: key(listenList.prefault(['*:143']), { description: 'Reading mail, STARTTLS before login.' }),
  imaps: key(listenList.prefault(['*:993']), { description: 'Reading mail, TLS from the first byte.' }),
  pop3: key(listenList.prefault([]), {
    description: 'Fetching mail by POP3, STARTTLS before login ("*:110"). Off by default.',
  }),
  pop3s: key(listenList.prefault([]), {
    description: 'Fetching mail by POP3, TLS from the first byte ("*:995"). Off by default.',
  }),
  managesieve: key(listenList.prefault(['*:4190']), {
    description: 'Scripts that sort mail (Sieve), put there by mail programs; STARTTLS before login.',
  }),
  lmtp: key(listenList.prefault([]), {
    description:
      'Local delivery from other programs, without any login: keep it to loopback or a Unix socket ("127.0.0.1:24", "unix:/run/postern/lmtp.sock"). Off by default.',
  }),
  http: key(listenList.prefault(['127.0.0.1:8025']), {
    description:
      'The web app and JMAP for a proxy that has TLS, metrics (`/metrics`) and health (`/health/live`, `/health/ready`), without any login: on loopback unless you name another address here. With `*` strangers do not see metrics and health; these are for connections to loopback, or to an address that is named.',
  }),
  https: key(listenList.prefault([]), {
    description:
      'The web app, JMAP, settings for mail programs and the MTA-STS policy over TLS ("*:443"), with our certificates; no proxy is needed. It answers challenges by TLS and notices of SNS (`/hooks/sns`) too, and the `http` and `acme` ports send browsers here. Off by default.',
  }),
  sns: key(listenList.prefault([]), {
    description:
      'An HTTPS port for notices of Amazon SNS about mail that SES took for us ("*:443"), with the certificate of `tls`; any path will do. The `http` port takes them too, without TLS of its own, at `/hooks/sns`. Needs `postern intake`. Off by default.',
  }),
  acme: key(listenList.prefault([]), {
    description:
      'A port for the authority that issues our certificates (`postern certificate`): "*:80" for challenges by HTTP, "*:443" for those by TLS. The `http` port answers the former too, behind a proxy that has port 80. Off by default.',
  }),
  admin_socket: key(path.prefault(''), {
    description:
      'Unix socket of the admin API, in a directory of mode 0700 that belongs to `user` (the unit needs it in ReadWritePaths too). Empty: `run/admin.sock` in the data directory.',
  }),
  proxy_from: key(textList.prefault([]), {
    description:
      'Networks ("10.0.0.0/8") whose connections begin with a PROXY protocol header: your load balancer, nobody else.',
  }),
});

const tls = z.strictObject({
  cert: key(path.prefault(''), {
    description:
      'PEM file with the certificate and its chain ("/etc/letsencrypt/live/…/fullchain.pem"). Read again when it changes. Empty: no TLS, and so no logins.',
  }),
  key: key(path.prefault(''), { description: 'PEM file with the private key of the certificate.' }),
});

const dns = z.strictObject({
  servers: key(textList.prefault([]), {
    description: 'Resolvers ("127.0.0.1", "[2001:db8::53]:53"). Empty: those of /etc/resolv.conf.',
  }),
});

const relay = z.strictObject({
  host: key(plainText.prefault(''), {
    description: 'Send all outgoing mail through this host instead of to its destination. Empty: directly.',
    live: true,
  }),
  port: key(integer(1, 65_535).prefault(587), { description: 'Port of the relay.', live: true }),
  tls: key(
    z
      .enum(['starttls', 'implicit', 'opportunistic'], {
        error: 'must be "starttls", "implicit" or "opportunistic"',
      })
      .prefault('starttls'),
    {
      description:
        '`starttls`: TLS after STARTTLS, or no mail; `implicit`: TLS from the first byte (port 465); `opportunistic`: TLS where offered, for a relay on this machine.',
      live: true,
    },
  ),
  username: key(plainText.prefault(''), { description: 'Login at the relay. Empty: none.', live: true }),
  password_file: key(path.prefault(''), {
    description:
      'File that holds the password for the relay (mode 0600), so that it stands in no configuration. Read again by a reload, as `user`.',
    live: true,
  }),
});

const limits = z.strictObject({
  message_size: key(size.prefault('50MiB'), {
    description: 'Largest message taken. 50 MiB is what large providers accept.',
    live: true,
  }),
  recipients: key(integer(1, 10_000).prefault(100), {
    description: 'Recipients in one transaction; RFC 5321 asks for at least 100.',
    live: true,
  }),
  sessions: key(integer(1, 100_000).prefault(900), {
    description:
      'Sessions at once on each listener; more get 421. Each takes a file descriptor (the unit allows 65,536).',
  }),
  sessions_per_address: key(integer(0, 100_000).prefault(20), {
    description: 'Sessions at once from one IPv4 address or IPv6 /64 on each listener; 0: no limit.',
  }),
  recipients_per_hour: key(integer(1, 1_000_000).prefault(500), {
    description:
      'Recipients an account may send to in an hour: what a stolen password can do. Settable per account too.',
    live: true,
  }),
  messages_per_hour: key(integer(1, 1_000_000).prefault(300), {
    description: 'Messages an account may send in an hour.',
    live: true,
  }),
});

const queue = z.strictObject({
  warn_after: key(duration.prefault('4h'), {
    description: 'When a sender is told that a message is late. 0: never.',
    live: true,
  }),
  expire_after: key(duration.prefault('5d'), {
    description: 'When a message that cannot be delivered goes back; RFC 5321 asks for 4 to 5 days.',
    live: true,
  }),
});

const store = z.strictObject({
  undelete: key(duration.prefault('30d'), {
    description: 'How long deleted mail can be brought back; 0: not at all.',
    live: true,
  }),
  journal_age: key(duration.prefault('30d'), {
    description: 'How long the journal (`postern trace`) remembers.',
    live: true,
  }),
  journal_size: key(size.prefault('1GiB'), {
    description: 'How large the journal may grow before its oldest entries go.',
    live: true,
  }),
});

const log = z.strictObject({
  level: key(
    z
      .enum(['debug', 'info', 'warn', 'error'], { error: 'must be "debug", "info", "warn" or "error"' })
      .prefault('info'),
    { description: 'Least severity that is logged.', live: true },
  ),
  format: key(
    z.enum(['auto', 'json', 'pretty'], { error: 'must be "auto", "json" or "pretty"' }).prefault('auto'),
    {
      description: '`auto`: readable lines on a terminal, JSON elsewhere.',
    },
  ),
});

const telemetry = z.strictObject({
  endpoint: key(plainText.prefault(''), {
    description:
      'URL of an OpenTelemetry collector that gets traces by OTLP/HTTP ("http://127.0.0.1:4318"; `/v1/traces` is put behind it). Empty: what `OTEL_EXPORTER_OTLP_ENDPOINT` says in the environment, else no traces.',
  }),
  headers_file: key(path.prefault(''), {
    description:
      'File with header fields for the collector, such as `Authorization: Bearer …`, one a line (mode 0600).',
  }),
  sample_ratio: key(number(0, 1).prefault(1), { description: 'Part of all traces that are made, 0 to 1.' }),
  addresses: key(flag.prefault(false), {
    description: 'Tell the collector the addresses of senders, recipients, logins and clients.',
  }),
  imap_over_ms: key(integer(0, 3_600_000).prefault(100), {
    description: 'IMAP commands that take at least so many milliseconds are traced; 0: all.',
  }),
});

export const configSchema = z.strictObject({
  hostname: key(hostName, {
    description:
      'Full name of this machine, as in its MX, address and reverse DNS records: used in greetings and Received fields.',
    required: true,
  }),
  data: key(path.prefault('/var/lib/postern'), {
    description: 'Directory of all mail, accounts and keys. Back it up.',
  }),
  user: key(plainText.prefault('postern'), {
    description: 'Who to become after binding the ports, when started as root.',
  }),
  delimiter: key(plainText.max(8).prefault('+'), {
    description: 'Between user and detail of an address (`alice+lists@`). Empty: none.',
    live: true,
  }),
  listen: listen.prefault({}),
  tls: tls.prefault({}),
  dns: dns.prefault({}),
  relay: relay.prefault({}),
  limits: limits.prefault({}),
  queue: queue.prefault({}),
  store: store.prefault({}),
  log: log.prefault({}),
  telemetry: telemetry.prefault({}),
});

export type Config = z.output<typeof configSchema>;
export type ConfigInput = z.input<typeof configSchema>;

export interface ConfigKey extends KeyMeta {
  /** "limits.message_size". */
  readonly name: string;
  /** "POSTERN_LIMITS_MESSAGE_SIZE". */
  readonly variable: string;
  /** As written in the file; undefined where there is none. */
  readonly default: unknown;
}

/** All keys, in the order of the file. */
export function configKeys(): ConfigKey[] {
  return Object.entries(configSchema.shape).flatMap(([name, type]) => {
    const section = unwrapped(type);
    if (!(section instanceof z.ZodObject)) return [configKey(name, type)];
    const shape = section.shape as Record<string, z.ZodType>;
    return Object.entries(shape).map(([inner, leaf]) => configKey(`${name}.${inner}`, leaf));
  });
}

function configKey(name: string, type: z.ZodType): ConfigKey {
  const meta = type.meta() as KeyMeta | undefined;
  if (meta === undefined) throw new Error(`the configuration key ${name} has no description`);
  return {
    ...meta,
    name,
    variable: `POSTERN_${name.replaceAll('.', '_').toUpperCase()}`,
    default: type instanceof z.ZodPrefault ? type.def.defaultValue : undefined,
  };
}

function unwrapped(type: z.ZodType): unknown {
  return type instanceof z.ZodPrefault ? type.unwrap() : type;
}
