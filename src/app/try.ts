import { readFile, writeFile } from 'node:fs/promises';
import { X509Certificate } from 'node:crypto';
import { isAbsolute, join, resolve } from 'node:path';
import { type Clock, systemClock } from '../base/clock.ts';
import { Refusal } from '../base/errors.ts';
import { createLogger } from '../base/log.ts';
import { hashPassword } from '../data/directory/passwords.ts';
import type { Actor } from '../data/directory/types.ts';
import type { OpenStore } from '../data/open.ts';
import type { RelaySettings } from '../flow/outbound/transports/relay.ts';
import { type CertificatePair, createSelfSigned } from '../net/tls-self-signed.ts';
import { openTlsStore, type TlsStore } from '../net/tls-store.ts';
import { makeDkimKeys } from '../servers/http/admin/dkim-keys.ts';
import type { Config } from './config.ts';
import { makeConfig } from './config-load.ts';
import { readFlags } from './flags.ts';
import { type DirectoryLock, lockDirectory, unwritable } from './lock.ts';
import { emptyTryOut, prepareTryOut, requireTryOut } from './marker.ts';
import { runProgram } from './run.ts';
import type { RunningServer } from './server.ts';
import { machineAddresses } from './addresses.ts';
import { tryOutText } from './try-text.ts';

/** `npm start`: a whole mail server for one person at one machine. Nothing of it can be reached from elsewhere. */

export const TRY_DOMAIN = 'example.test';
export const TRY_PASSWORD = 'postern';
const HOSTNAME = `mail.${TRY_DOMAIN}`;
const PORT_BASE = 1000;
/** Standard port of each service; the try-out's is that much above `--port-base`. */
const STANDARD_PORTS = {
  smtp: 25,
  lmtp: 24,
  http: 80,
  imap: 143,
  submissions: 465,
  submission: 587,
  imaps: 993,
  managesieve: 4190,
} as const;
const HIGHEST_PORT = 65_535 - 5190;

const HELD = 'the try-out does not send mail; start it with --relay HOST:PORT';
const DAY_MS = 86_400_000;
const CERTIFICATE_MS = 10 * 365 * DAY_MS;
/** A certificate with less left than this is made anew. */
const RENEW_MS = 30 * DAY_MS;
/** Milliseconds for what is under way: nobody waits long at a terminal. */
const GRACE_MS = 5000;
/** Kept by `--fresh`: in use by this process. */
const IN_USE = ['lock', 'pid'];

export const TRY_ACTOR: Actor = { name: 'system', role: 'system', domainId: undefined };

export interface TryFlags {
  readonly directory: string;
  readonly fresh: boolean;
  readonly portBase: number;
  readonly relay: RelaySettings | undefined;
  readonly plaintextAuth: boolean;
  /** No domain and nobody in it: a link to set it up is printed. */
  readonly setup?: boolean;
}

const HELP = `npm start [-- OPTIONS]: try Postern on this machine. Nothing can reach it from outside.

  --data DIR          keep the data in DIR instead of ./.postern
  --fresh             forget all mail and accounts of earlier runs
  --port-base N       use N + the standard port of each service instead of ${PORT_BASE} + it
  --relay HOST:PORT   send mail to other domains through this host; without it such mail is held
  --plaintext-auth    take passwords without TLS, for measuring tools
  --setup             begin without a domain: a link is printed where one is made
  --help              this text
`;

/** The `try` command. Resolves with the exit status. */
export async function tryCommand(args: readonly string[]): Promise<number> {
  const given = readFlags('npm start --', args, {
    text: ['data', 'port-base', 'relay'],
    on: ['fresh', 'plaintext-auth', 'setup'],
  });
  if (given.on.has('help')) {
    process.stdout.write(HELP);
    return 0;
  }
  const flags: TryFlags = {
    directory: dataDirectory(given.text.data),
    fresh: given.on.has('fresh'),
    portBase: portBase(given.text['port-base']),
    relay: given.text.relay === undefined ? undefined : parseRelay(given.text.relay),
    plaintextAuth: given.on.has('plaintext-auth'),
    setup: given.on.has('setup'),
  };
  const logger = createLogger({ level: 'info', pretty: true });
  let lock: DirectoryLock | undefined;
  return runProgram({
    logger,
    graceMs: GRACE_MS,
    async start() {
      lock = takeDirectory(flags);
      const server = await startTryOut(flags, logger);
      process.stdout.write(tryOutText(server, flags));
      return server;
    },
    ended: () => lock?.release(),
  });
}

/** npm runs scripts in the package's folder; the person may have typed the path in another. */
function dataDirectory(given: string | undefined): string {
  if (given === undefined) return resolve('.postern');
  if (given === '') throw new Refusal('bad-input', '--data needs a directory');
  const from = process.env.npm_lifecycle_event === 'start' ? process.env.INIT_CWD : undefined;
  return isAbsolute(given) ? given : resolve(from ?? '.', given);
}

function portBase(given: string | undefined): number {
  if (given === undefined) return PORT_BASE;
  const base = Number(given);
  if (!/^\d{1,5}$/.test(given) || base > HIGHEST_PORT) {
    throw new Refusal(
      'bad-input',
      `--port-base must be a whole number from 0 to ${HIGHEST_PORT}, not "${given}"`,
    );
  }
  return base;
}

/** HOST:PORT or [IPv6]:PORT. TLS where it is offered: the relay of a try-out is usually a tool on this machine. */
function parseRelay(given: string): RelaySettings {
  const match = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([^\s:[\]]{1,253})):(\d{1,5})$/.exec(given);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new Refusal('bad-input', `--relay must be HOST:PORT such as "localhost:2525", not "${given}"`);
  }
  return { host, port, tls: 'opportunistic' };
}

/** The directory, marked and locked; emptied when asked to. */
function takeDirectory({ directory, fresh }: TryFlags): DirectoryLock {
  if (fresh) requireTryOut(directory);
  prepareTryOut(directory);
  const lock = lockDirectory(directory);
  try {
    if (fresh) emptyTryOut(directory, IN_USE);
  } catch (error) {
    lock.release();
    throw unwritable(directory, error);
  }
  return lock;
}

/** Start the server of a try-out in a prepared directory, with its domain and people. */
export async function startTryOut(
  flags: TryFlags,
  logger: ReturnType<typeof createLogger>,
  clock: Clock = systemClock,
): Promise<RunningServer> {
  // Loaded only now, so that a mistake in the options is told at once.
  const { startServer } = await import('./server.ts');
  return startServer({
    config: tryConfig(flags),
    logger,
    clock,
    tls: await tryCertificate(flags.directory),
    relay: flags.relay,
    holdOutgoing: flags.relay === undefined ? HELD : undefined,
    plaintextAuth: flags.plaintextAuth,
    tryOut: true,
    processMetrics: true,
    // Who measures sends more in a minute than people do in a month.
    filter: (settings) => ({ ...settings, outgoing: { ...settings.outgoing, hold_unusual: false } }),
    ...(flags.setup !== true && { beforeListening: ensurePeople }),
  });
}

/** Loopback only, no limits by address, and held mail neither expires nor bounces. */
function tryConfig({ directory, portBase: base }: TryFlags): Config {
  const here = machineAddresses().includes('::1') ? ['127.0.0.1', '[::1]'] : ['127.0.0.1'];
  const listen: Record<string, string[]> = {};
  for (const [service, port] of Object.entries(STANDARD_PORTS)) {
    listen[service] = here.map((address) => `${address}:${base + port}`);
  }
  return makeConfig({
    hostname: HOSTNAME,
    data: directory,
    listen,
    limits: {
      sessions: 20_000,
      sessions_per_address: 0,
      recipients_per_hour: 1_000_000,
      messages_per_hour: 1_000_000,
    },
    queue: { warn_after: 0, expire_after: 0 },
  });
}

/** The self-signed certificate, made on the first run and kept, so that a mail program asks about it once. */
async function tryCertificate(directory: string): Promise<TlsStore> {
  const certFile = join(directory, 'certificate.pem');
  const keyFile = join(directory, 'certificate-key.pem');
  const tls = await openTlsStore({ files: [], clock: systemClock });
  tls.install([(await keptCertificate(certFile, keyFile)) ?? (await newCertificate(certFile, keyFile))]);
  return tls;
}

async function keptCertificate(certFile: string, keyFile: string): Promise<CertificatePair | undefined> {
  try {
    const [cert, key] = await Promise.all([readFile(certFile, 'latin1'), readFile(keyFile, 'latin1')]);
    const left = new X509Certificate(cert).validToDate.getTime() - systemClock.now();
    return left > RENEW_MS ? { cert, key } : undefined;
  } catch {
    return undefined;
  }
}

async function newCertificate(certFile: string, keyFile: string): Promise<CertificatePair> {
  const now = systemClock.now();
  const pair = createSelfSigned({
    commonName: `Postern try-out (${TRY_DOMAIN})`,
    names: ['localhost', TRY_DOMAIN, HOSTNAME, '127.0.0.1', '::1'],
    notBefore: now - DAY_MS,
    notAfter: now + CERTIFICATE_MS,
  });
  await writeFile(keyFile, pair.key, { mode: 0o600 });
  await writeFile(certFile, pair.cert, { mode: 0o644 });
  return pair;
}

/** alice, who administrates, and bob; whoever is there already is left as they are. */
async function ensurePeople(store: OpenStore): Promise<void> {
  const actor = TRY_ACTOR;
  if ((await store.read.run('directory.domain', { name: TRY_DOMAIN })) === undefined) {
    await store.write.run('directory.addDomain', { actor, name: TRY_DOMAIN });
    await makeDkimKeys({ store, clock: systemClock }, actor, TRY_DOMAIN);
  }
  for (const [name, displayName, role] of [
    ['alice', 'Alice', 'admin'],
    ['bob', 'Bob', 'user'],
  ] as const) {
    const address = `${name}@${TRY_DOMAIN}`;
    if ((await store.read.run('directory.account', { address })) !== undefined) continue;
    const secrets = await hashPassword(TRY_PASSWORD, { minLength: 1 });
    await store.write.run('directory.addAccount', {
      actor,
      address,
      displayName,
      role,
      quota: 0,
      ...secrets,
    });
  }
}
