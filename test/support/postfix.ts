import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { greeting } from '../../bench/support/line-client.ts';
import { isAlive, run, stopTree } from '../../bench/support/processes.ts';
import { createSelfSigned } from '../../src/net/tls-self-signed.ts';

export interface PostfixPeer {
  readonly port: number;
  /** Everything it logged so far. */
  log(): Promise<string>;
  stop(): Promise<void>;
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
  /** Who says HELO so may relay. */
  readonly insideHelo: string;
  /** Further lines of main.cf; none may name a parameter twice (it floods the log before anybody reads it). */
  readonly settings?: readonly string[];
}

/** Postfix as another host on the net: TLS both ways, mail for its domain to an LMTP server of the test. Needs root. */
export async function startPostfixPeer(options: PostfixPeerOptions): Promise<PostfixPeer> {
  const { directory } = options;
  const config = join(directory, 'etc');
  for (const each of [config, join(directory, 'queue'), join(directory, 'data')]) await mkdir(each);
  await chmod(directory, 0o755);
  await chown(join(directory, 'data'), Number((await run('id', ['-u', 'postfix'])).stdout), -1);
  const port = await freePort();
  const pem = join(directory, 'peer.pem');
  await writeFile(pem, keyAndCertificate(`mx.${options.domain}`), { mode: 0o600 });
  await writeFile(join(config, 'main.cf'), `${mainCf(options, pem).join('\n')}\n`);
  await writeFile(join(config, 'master.cf'), masterCf(port));
  await run('postfix', ['-c', config, 'start']);
  await greeting(port, '220');
  return {
    port,
    log: () => readFile(join(directory, 'maillog'), 'utf8'),
    async stop() {
      const master = Number(
        await readFile(join(directory, 'queue/pid/master.pid'), 'latin1').catch(() => '0'),
      );
      if (master > 1 && isAlive(master)) await stopTree(master);
    },
  };
}

function keyAndCertificate(name: string): string {
  const [notBefore, notAfter] = [Date.UTC(2020, 0, 1), Date.UTC(2049, 0, 1)];
  const { cert, key } = createSelfSigned({ commonName: name, names: [name], notBefore, notAfter });
  return `${key}\n${cert}`;
}

function mainCf(
  { directory, domain, users, lmtpPort, routes, insideHelo, settings = [] }: PostfixPeerOptions,
  pem: string,
): string[] {
  const mailboxes = users.map((user) => `{${user}@${domain}=${user}}`);
  const transports = Object.entries(routes).map(([name, to]) => `{${name}=smtp:[127.0.0.1]:${to}}`);
  return [
    'compatibility_level = 3.6',
    `queue_directory = ${directory}/queue`,
    `data_directory = ${directory}/data`,
    `maillog_file = ${directory}/maillog`,
    `maillog_file_prefixes = ${directory}`,
    'inet_interfaces = 127.0.0.1',
    'inet_protocols = ipv4',
    `myhostname = mx.${domain}`,
    'mydestination =',
    'alias_maps =',
    'local_recipient_maps =',
    'mynetworks =',
    `virtual_mailbox_domains = ${domain}`,
    `virtual_mailbox_maps = inline:{${mailboxes.join(', ')}}`,
    `virtual_transport = lmtp:inet:127.0.0.1:${lmtpPort}`,
    `transport_maps = inline:{${transports.join(', ')}}`,
    'smtpd_peername_lookup = no',
    // Everything here comes from 127.0.0.1: who may relay is told apart by its greeting.
    'smtpd_helo_required = yes',
    `smtpd_relay_restrictions = check_helo_access inline:{{${insideHelo}=permit}}, reject_unauth_destination`,
    'smtpd_tls_security_level = may',
    `smtpd_tls_chain_files = ${pem}`,
    'smtpd_tls_received_header = yes',
    'smtp_tls_security_level = may',
    'smtp_tls_loglevel = 1',
    ...settings,
  ];
}

function masterCf(smtpPort: number): string {
  return `127.0.0.1:${smtpPort} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  return bound !== null && typeof bound === 'object' ? bound.port : 0;
}
