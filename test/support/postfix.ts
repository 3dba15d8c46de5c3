import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { greeting } from '../../bench/support/line-client.ts';
import { run } from '../../bench/support/processes.ts';
import { type Postfix, startPostfix } from '../../bench/support/postfix.ts';
import { createSelfSigned } from '../../src/net/tls-self-signed.ts';

export interface PostfixPeer extends Postfix {
  readonly port: number;
  /** Everything it logged so far. */
  log(): Promise<string>;
}

export interface PostfixPeerOptions {
  /** An empty directory that others can read. */
  readonly directory: string;
  /** The domain it receives mail for. */
  readonly domain: string;
  /** Its users. */
  readonly users: readonly string[];
  /** Port of the LMTP server that takes their mail. */
  readonly lmtpPort: number;
  /** Port on 127.0.0.1 where a domain's mail goes. */
  readonly routes: Readonly<Record<string, number>>;
  /** Further lines of main.cf. */
  readonly settings?: readonly string[];
}

/** Postfix as another host on the net: TLS both ways, mail for its domain to an LMTP server of the test. Needs root. */
export async function startPostfixPeer(options: PostfixPeerOptions): Promise<PostfixPeer> {
  const { directory, domain, users } = options;
  const hostname = `mx.${domain}`;
  const port = await freePort();
  const { cert, key } = createSelfSigned({
    commonName: hostname,
    names: [hostname],
    notBefore: Date.UTC(2020, 0, 1),
    notAfter: Date.UTC(2049, 0, 1),
  });
  const pem = join(directory, 'peer.pem');
  await writeFile(pem, `${key}\n${cert}`, { mode: 0o600 });
  const routes = Object.entries(options.routes).map(([name, to]) => `{${name}=smtp:[127.0.0.1]:${to}}`);
  const settings = [
    `myhostname = ${hostname}`,
    `virtual_mailbox_domains = ${domain}`,
    `virtual_mailbox_maps = inline:{${users.map((user) => `{${user}@${domain}=${user}}`).join(', ')}}`,
    `virtual_transport = lmtp:inet:127.0.0.1:${options.lmtpPort}`,
    'lmtp_connection_cache_destinations =',
    'relayhost =',
    `transport_maps = inline:{${routes.join(', ')}}`,
    'mynetworks =',
    // swaks and we come from the same address; who may relay is told apart by name.
    'smtpd_helo_required = yes',
    'smtpd_relay_restrictions = check_helo_access inline:{{inside.peer.test=permit}}, reject_unauth_destination',
    'smtpd_tls_security_level = may',
    `smtpd_tls_chain_files = ${pem}`,
    'smtpd_tls_received_header = yes',
    'smtp_tls_security_level = may',
    'minimal_backoff_time = 2s',
    'maximal_backoff_time = 5s',
    'queue_run_delay = 2s',
    ...(options.settings ?? []),
  ];
  const setup = { dir: directory, portBase: 0, accounts: 0, relayPort: 9, mailFormat: 'maildir' } as const;
  const postfix = await startPostfix(setup, port, '', settings);
  const { command } = postfix;
  const tlsmgr = 'tlsmgr/unix=tlsmgr unix - - n 1000? 1 tlsmgr';
  await run('postconf', ['-c', join(directory, 'postfix/etc'), '-M', tlsmgr]);
  await command('postfix', 'reload');
  await greeting(port, '220');
  return { ...postfix, port, log: () => readFile(join(directory, 'postfix/maillog'), 'utf8') };
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  return bound !== null && typeof bound === 'object' ? bound.port : 0;
}
