import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, run, stopTree } from './processes.ts';
import { accountNames, DOMAIN, type Setup } from './system.ts';

export interface Postfix {
  pid(): Promise<number>;
  command(...args: string[]): Promise<string>;
  set(...settings: string[]): Promise<void>;
  stop(): Promise<void>;
}

/** Write a configuration of its own and `postfix start` it: nothing of the machine's own instance is touched. */
export async function startPostfix(
  setup: Setup,
  smtpPort: number,
  lmtpSocket: string,
  extra: readonly string[] = [],
): Promise<Postfix> {
  const dir = join(setup.dir, 'postfix');
  const config = join(dir, 'etc');
  await writeConfiguration(dir, setup, smtpPort, lmtpSocket, extra);
  await run('postfix', ['-c', config, 'start']);
  const pid = async () => Number((await readFile(join(dir, 'queue/pid/master.pid'), 'latin1')).trim());
  return {
    pid,
    command: async (name = '', ...args) => (await run(name, ['-c', config, ...args])).stdout,
    async set(...settings) {
      await run('postconf', ['-c', config, ...settings]);
      await run('postfix', ['-c', config, 'reload']);
    },
    async stop() {
      const master = await pid().catch(() => 0);
      if (master > 1 && isAlive(master)) await stopTree(master);
    },
  };
}

async function writeConfiguration(
  dir: string,
  setup: Setup,
  smtpPort: number,
  lmtpSocket: string,
  extra: readonly string[],
): Promise<void> {
  const config = join(dir, 'etc');
  for (const each of [config, join(dir, 'queue'), join(dir, 'data')]) await mkdir(each, { recursive: true });
  await chmod(dir, 0o755);
  const uid = Number((await run('id', ['-u', 'postfix'])).stdout);
  await chown(join(dir, 'data'), uid, -1);
  const names = accountNames(setup.accounts);
  await writeFile(join(config, 'mailboxes'), names.map((name) => `${name}@${DOMAIN} ${name}\n`).join(''));
  await writeFile(join(config, 'main.cf'), [...mainCf(dir, setup, lmtpSocket), ...extra, ''].join('\n'));
  await writeFile(join(config, 'master.cf'), masterCf(smtpPort));
}

/** Durable as it comes: cleanup syncs the queue file before the 250. The rest is what a busy server gets tuned to. */
function mainCf(dir: string, setup: Setup, lmtpSocket: string): string[] {
  return [
    'compatibility_level = 3.6',
    `queue_directory = ${dir}/queue`,
    `data_directory = ${dir}/data`,
    `maillog_file = ${dir}/maillog`,
    `maillog_file_prefixes = ${dir}`,
    'inet_interfaces = 127.0.0.1',
    'inet_protocols = ipv4',
    'mynetworks = 127.0.0.0/8',
    'myhostname = mx.example.test',
    'mydestination =',
    'alias_maps =',
    'local_recipient_maps =',
    `virtual_mailbox_domains = ${DOMAIN}`,
    `virtual_mailbox_maps = texthash:${dir}/etc/mailboxes`,
    `virtual_transport = lmtp:unix:${lmtpSocket}`,
    `relayhost = [127.0.0.1]:${setup.relayPort}`,
    'smtpd_tls_security_level = none',
    'smtp_tls_security_level = none',
    'smtpd_peername_lookup = no',
    'in_flow_delay = 0',
    'default_process_limit = 200',
    'lmtp_destination_concurrency_limit = 20',
    'lmtp_connection_cache_destinations = static:all',
    'smtp_destination_concurrency_limit = 20',
    'initial_destination_concurrency = 20',
    'qmgr_message_active_limit = 40000',
    'qmgr_message_recipient_limit = 40000',
  ];
}

function masterCf(smtpPort: number): string {
  return `127.0.0.1:${smtpPort} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
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
