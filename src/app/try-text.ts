import type { RunningServer } from './server.ts';
import type { ServiceName } from './service-names.ts';
import type { TryFlags } from './try.ts';

const WHAT: readonly (readonly [ServiceName, string])[] = [
  ['smtp', 'SMTP         mail from other hosts'],
  ['submission', 'submission   sending mail (STARTTLS)'],
  ['submissions', 'submissions  sending mail (TLS)'],
  ['imap', 'IMAP         reading mail (STARTTLS)'],
  ['imaps', 'IMAPS        reading mail (TLS)'],
  ['managesieve', 'ManageSieve  sorting it (STARTTLS)'],
  ['lmtp', 'LMTP         local delivery'],
  ['http', 'HTTP         the web app, JMAP, metrics and health'],
  ['https', 'HTTPS        the same over TLS'],
];

/** What a person sees when the try-out runs: what to connect to, who can log in, what to type first. */
export function tryOutText(server: RunningServer, flags: TryFlags): string {
  const { ports } = server;
  const addresses = [
    ...new Set(server.listeners.map(({ address }) => (address.includes(':') ? `[${address}]` : address))),
  ];
  const rows = WHAT.flatMap(([service, text]) =>
    ports[service] === undefined ? [] : [`  ${String(ports[service]).padEnd(6)} ${text}`],
  );
  const outgoing =
    flags.relay === undefined
      ? 'Mail to other domains is held, never sent (--relay HOST:PORT sends it).'
      : `Mail to other domains goes to ${flags.relay.host}:${flags.relay.port}.`;
  return [
    '',
    `Postern try-out on ${addresses.join(' and ')}, reachable from this machine only`,
    '',
    '  port   service',
    ...rows,
    '',
    ...(server.setupLink === undefined
      ? ['  accounts     alice@example.test (administrator), bob@example.test', '  password     postern']
      : [`  set it up    ${server.setupLink}`]),
    ...(ports.http === undefined ? [] : [`  web app      http://localhost:${ports.http}/`]),
    `  data         ${flags.directory}`,
    `  certificate  self-signed, for localhost and example.test`,
    '',
    outgoing,
    '',
    // Before it is set up there is nobody to write to.
    ...(server.setupLink === undefined ? examples(ports) : []),
    'Ctrl-C stops it.',
    '',
    '',
  ].join('\n');
}

function examples(ports: RunningServer['ports']): string[] {
  return ['Send a message, then read it:', '', `  ${swaks(ports.submission)}`, `  ${curl(ports.imaps)}`, ''];
}

function swaks(port: number | undefined): string {
  return `swaks --server 127.0.0.1:${port} -tls -au alice@example.test -ap postern --from alice@example.test --to bob@example.test`;
}

function curl(port: number | undefined): string {
  return `curl -k -u bob@example.test:postern 'imaps://127.0.0.1:${port}/INBOX;MAILINDEX=1'`;
}
