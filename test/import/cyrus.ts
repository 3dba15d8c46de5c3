import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { connectImap } from '../../src/net/imap-client/connect.ts';
import type { ImapClient } from '../../src/net/imap-client/client.ts';
import { createSelfSigned } from '../../src/net/tls-self-signed.ts';
import { freePort } from '../app/program.ts';
import { cleanEnvironment } from '../support/programs.ts';
import { lineClient } from '../support/smtp-client.ts';

/**
 * Debian's Cyrus IMAP. Its package conflicts with that of Dovecot, so it is never installed: packages are fetched by apt-get,
 * unpacked beside each other and run from there.
 */

/** Where fetched packages stay between runs. */
const CACHE = process.env.POSTERN_CYRUS ?? join(tmpdir(), 'postern-cyrus-packages');
const WANTED = ['cyrus-imapd', 'cyrus-common', 'sasl2-bin'];
/** Milliseconds that a server may take to begin. */
const PATIENCE_MS = 15_000;
/** Milliseconds that apt-get may take for a package. */
const FETCH_MS = 60_000;
/** An account every Debian has: Cyrus gives up root for it. */
const USER = 'mail';

export const CYRUS_PASSWORD = 'cyrus secret';
/** May sign in for everybody (imapd.conf: admins). */
export const CYRUS_ADMIN = 'manager';

export interface CyrusOptions {
  /** Folders beside the inbox ("Sub") and not below it ("INBOX.Sub"). */
  readonly altnamespace: boolean;
  /** Levels apart by "/", not by ".". */
  readonly unixhierarchysep: boolean;
  /** Special uses told only to who asks (specialusealways: no). */
  readonly quietUses?: boolean;
}

export interface Cyrus {
  readonly port: number;
  readonly certificate: string;
  client(user: string): Promise<ImapClient>;
  /** Mail from outside, by LMTP. */
  deliver(user: string, message: Buffer): Promise<void>;
  stop(): Promise<void>;
}

/** Unpacked packages: a root to run Cyrus from, or why there is none. */
export async function unpackedCyrus(): Promise<{ readonly root: string } | { readonly why: string }> {
  const root = join(CACHE, 'root');
  if (existsSync(join(root, 'usr/lib/cyrus/bin/master'))) return { root };
  const making = `${root}.${process.pid}`;
  const fetched = new Set<string>();
  try {
    await mkdir(making, { recursive: true });
    const wanted = [...WANTED];
    for (let name = wanted.shift(); name !== undefined; name = wanted.shift()) {
      if (fetched.has(name)) continue;
      fetched.add(name);
      const file = await fetchPackage(name, making);
      execFileSync('dpkg', ['-x', file, making]);
      wanted.push(...missingLibraries(file));
    }
    await rename(making, root);
    return { root };
  } catch (error) {
    await rm(making, { recursive: true, force: true });
    // Another test file may have been faster.
    if (existsSync(join(root, 'usr/lib/cyrus/bin/master'))) return { root };
    return { why: `Debian's cyrus-imapd cannot be fetched: ${String(error).split('\n', 1)[0]}` };
  }
}

async function fetchPackage(name: string, directory: string): Promise<string> {
  const packages = join(directory, 'packages');
  await mkdir(packages, { recursive: true });
  execFileSync('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', name], {
    cwd: packages,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: FETCH_MS,
  });
  const file = (await readdir(packages)).find((each) => each.startsWith(`${name}_`));
  if (file === undefined) throw new Error(`apt-get fetched no ${name}`);
  return join(packages, file);
}

/** Libraries a package depends on that are not installed. */
function missingLibraries(file: string): string[] {
  const depends = execFileSync('dpkg-deb', ['-f', file, 'Depends'], { encoding: 'utf8' });
  return depends
    .split(',')
    .map((each) => /^\s*([^\s:(|]+)/.exec(each)?.[1] ?? '')
    .filter((name) => name.startsWith('lib') && !isInstalled(name));
}

function isInstalled(name: string): boolean {
  try {
    const status = execFileSync('dpkg-query', ['-W', '-f', '${db:Status-Status}', name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return status === 'installed';
  } catch {
    return false;
  }
}

/** Cyrus with an empty spool, people who sign in with `CYRUS_PASSWORD`, and an inbox for each. */
export async function startCyrus(
  root: string,
  users: readonly string[],
  options: CyrusOptions,
): Promise<Cyrus> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-cyrus-'));
  await chmod(directory, 0o755);
  const [port, lmtpPort] = [await freePort(), await freePort()];
  const multiarch = (await readdir(join(root, 'usr/lib'))).find((name) => name.endsWith('-linux-gnu')) ?? '';
  const env = {
    ...cleanEnvironment(directory),
    LD_LIBRARY_PATH: ['usr/lib', 'lib'].map((lib) => join(root, lib, multiarch)).join(':'),
    SASL_PATH: [join(root, 'usr/lib', multiarch, 'sasl2'), `/usr/lib/${multiarch}/sasl2`].join(':'),
  };
  await configure(directory, root, { port, lmtpPort }, options);
  for (const user of [...users, `${CYRUS_ADMIN}@example.test`]) addPassword(root, directory, user, env);
  for (const part of ['conf', 'spool']) await mkdir(join(directory, part));
  for (const part of ['proc', 'lock', 'log', 'socket', 'db', 'sieve'])
    await mkdir(join(directory, 'conf', part));
  execFileSync('chown', ['-R', `${USER}:${USER}`, directory]);
  const child = spawn(
    join(root, 'usr/lib/cyrus/bin/master'),
    [
      '-D',
      '-C',
      join(directory, 'imapd.conf'),
      '-M',
      join(directory, 'cyrus.conf'),
      '-p',
      join(directory, 'pid'),
    ],
    { stdio: ['ignore', 'ignore', 'inherit'], env, cwd: directory },
  );
  const client = (user: string): Promise<ImapClient> =>
    connectImap(
      { host: '127.0.0.1', port, tls: 'none', verify: 'none' },
      { user, secret: CYRUS_PASSWORD },
      systemClock,
    );
  const stop = async (): Promise<void> => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null && child.kill('SIGTERM')) await ended;
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await answering(() => client(users[0] ?? CYRUS_ADMIN), child);
    // The first login makes the inbox (autocreate_quota).
    for (const user of users) await (await client(user)).logout();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    certificate: join(directory, 'cert.pem'),
    client,
    deliver: (user, message) => deliver(lmtpPort, user, message),
    stop,
  };
}

function addPassword(root: string, directory: string, user: string, env: NodeJS.ProcessEnv): void {
  const [name = '', realm = ''] = user.split('@');
  const words = ['-p', '-c', '-f', join(directory, 'sasldb2'), '-u', realm, name];
  execFileSync(join(root, 'usr/sbin/saslpasswd2'), words, { input: CYRUS_PASSWORD, env });
}

async function answering(connect: () => Promise<ImapClient>, child: ChildProcess): Promise<void> {
  for (const begun = Date.now(); ; ) {
    try {
      await (await connect()).logout();
      return;
    } catch (error) {
      if (child.exitCode !== null || Date.now() - begun > PATIENCE_MS) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function deliver(port: number, user: string, message: Buffer): Promise<void> {
  const client = await lineClient(port);
  const stuffed = message.toString('latin1').replace(/^\./gm, '..');
  await client.talk(['', '220'], ['LHLO test\r\n', '250'], ['MAIL FROM:<a@remote.test>\r\n', '250']);
  await client.talk(
    [`RCPT TO:<${user}>\r\n`, '250'],
    ['DATA\r\n', '354'],
    [Buffer.from(`${stuffed}.\r\n`, 'latin1'), '250'],
    ['QUIT\r\n', '221'],
  );
  client.close();
}

async function configure(
  directory: string,
  root: string,
  { port, lmtpPort }: { readonly port: number; readonly lmtpPort: number },
  { altnamespace, unixhierarchysep, quietUses }: CyrusOptions,
): Promise<void> {
  const { cert, key } = createSelfSigned({
    commonName: 'localhost',
    names: ['localhost'],
    notBefore: Date.UTC(2020, 0, 1),
    notAfter: Date.UTC(2049, 0, 1),
  });
  await writeFile(join(directory, 'cert.pem'), cert);
  await writeFile(join(directory, 'key.pem'), key, { mode: 0o600 });
  const yes = (value: boolean | undefined): string => (value === true ? 'yes' : 'no');
  const conf = join(directory, 'conf');
  await writeFile(
    join(directory, 'imapd.conf'),
    `configdirectory: ${conf}
proc_path: ${conf}/proc
mboxname_lockpath: ${conf}/lock
lmtpsocket: ${conf}/socket/lmtp
idlesocket: ${conf}/socket/idle
notifysocket: ${conf}/socket/notify
sievedir: ${conf}/sieve
defaultpartition: default
partition-default: ${directory}/spool
cyrus_user: ${USER}
cyrus_group: ${USER}
servername: example.test
admins: ${CYRUS_ADMIN}
virtdomains: userid
defaultdomain: example.test
altnamespace: ${yes(altnamespace)}
unixhierarchysep: ${yes(unixhierarchysep)}
specialusealways: ${yes(quietUses !== true)}
autocreate_quota: 0
allowplaintext: yes
sasl_mech_list: PLAIN
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: ${directory}/sasldb2
tls_server_cert: ${directory}/cert.pem
tls_server_key: ${directory}/key.pem
`,
  );
  const program = (name: string, rest: string): string =>
    `"${root}/usr/lib/cyrus/bin/${name} -C ${directory}/imapd.conf ${rest}"`;
  await writeFile(
    join(directory, 'cyrus.conf'),
    `START {
  recover cmd=${program('ctl_cyrusdb', '-r')}
}
SERVICES {
  imap cmd=${program('imapd', '')} listen="127.0.0.1:${port}" prefork=0
  lmtp cmd=${program('lmtpd', '-a')} listen="127.0.0.1:${lmtpPort}" prefork=0
}
EVENTS {
}
`,
  );
}
