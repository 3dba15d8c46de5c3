/**
 * From an empty directory to mail that came and mail that went, on this machine alone, with the time of each step:
 * `node bench/first-mail.ts`. DNS is Knot, which takes our records by RFC 2136; the authority is Pebble; the other host is
 * Postfix (Debian: knot, pebble, openssl, postfix). Needs root, for Postfix's master. Every step is a command as a person
 * types it, in a process of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/base/clock.ts';
import { verify } from '../src/mail/dkim/verify.ts';
import { createResolver } from '../src/net/dns/resolver.ts';
import { KNOT_KEY, type Knot, startKnot } from '../test/dns-plan/knot.ts';
import { fetchBodies, openMailbox } from '../test/support/imap-mailbox.ts';
import { type Pebble, startPebble } from '../test/support/pebble.ts';
import { freePort, type PostfixPeer, startPostfixPeer } from '../test/support/postfix.ts';
import { skipUnlessRoot, skipWithout } from '../test/support/programs.ts';
import { lineClient } from '../test/support/smtp-client.ts';
import { type SmtpPeer, startSmtpPeer } from '../test/support/smtp-peer.ts';
import { exitOf, run, until } from './support/processes.ts';

const DOMAIN = 'example.test';
const HOST = 'mail.example.test';
const ADMIN = 'admin@example.test';
const PASSWORD = 'not the obvious one';
const PEER = 'peer.test';
const CAROL = 'carol@peer.test';
/** Who may relay by the other host: people of its own. */
const INSIDE = 'inside.peer.test';
/** Who the server runs as; every machine has it. */
const USER = 'nobody';
const MAIN = fileURLToPath(new URL('../src/app/main.ts', import.meta.url));
const PATIENCE_MS = 30_000;
const POLL_MS = 20;

/** Why it cannot be done here, or false. */
export function whyNotHere(): string | false {
  return skipWithout('knotd', 'pebble', 'openssl', 'postfix') || skipUnlessRoot();
}

export interface Step {
  readonly what: string;
  readonly ms: number;
}

export interface FirstMail {
  readonly steps: readonly Step[];
  /** From the first command to the mail that went, in milliseconds. */
  readonly totalMs: number;
  /** As it lies in our inbox, and in the mailbox at the other host. */
  readonly received: string;
  readonly sent: string;
  /** What a receiver finds of our signatures with the keys in DNS: "pass rsa-sha256". */
  readonly signatures: readonly string[];
  /** The issuer of the certificate that mail programs see. */
  readonly issuer: string;
}

/** The rest of the world. */
interface World {
  readonly directory: string;
  readonly knot: Knot;
  readonly pebble: Pebble;
  readonly postfix: PostfixPeer;
  /** Where the other host puts the mail of its people. */
  readonly mailboxes: SmtpPeer;
  readonly ports: Readonly<Record<'smtp' | 'submissions' | 'imaps' | 'acme', number>>;
  stop(): Promise<void>;
}

async function startWorld(): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-first-mail-'));
  await chmod(directory, 0o755);
  const ended: (() => Promise<void>)[] = [() => rm(directory, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const end of ended.toReversed()) await end();
  };
  try {
    const ports = {
      smtp: await freePort(),
      submissions: await freePort(),
      imaps: await freePort(),
      acme: await freePort(),
    };
    const knot = await startKnot({ [DOMAIN]: '', [PEER]: `@ MX 10 mx\nmx A 127.0.0.1\n` });
    ended.push(() => knot.stop());
    const pebble = await startPebble({ httpPort: ports.acme, tlsPort: ports.acme, dnsPort: knot.port });
    ended.push(() => pebble.stop());
    const mailboxes = await startSmtpPeer({ protocol: 'lmtp' });
    ended.push(() => mailboxes.close());
    const at = join(directory, 'postfix');
    await mkdir(at);
    const postfix = await startPostfixPeer({
      directory: at,
      domain: PEER,
      users: ['carol'],
      lmtpPort: mailboxes.port,
      routes: { [DOMAIN]: ports.smtp },
      insideHelo: INSIDE,
    });
    ended.push(() => postfix.stop());
    return { directory, knot, pebble, postfix, mailboxes, ports, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Our server, as a person sets it up. */
interface Site {
  readonly config: string;
  readonly data: string;
  /** `postern ...` for the running server; throws when it fails. */
  cli(...words: string[]): Promise<string>;
}

async function postern(words: readonly string[], input = ''): Promise<string> {
  return (await run(process.execPath, [MAIN, ...words], { input })).stdout;
}

async function init({ directory, knot, ports }: World): Promise<Site> {
  const [config, data] = [join(directory, 'etc/postern.toml'), join(directory, 'data')];
  const places = ['--data', data, '--config', config, '--user', USER];
  await postern(
    ['init', '--domain', DOMAIN, '--admin', ADMIN, ...places, '--password-stdin'],
    `${PASSWORD}\n`,
  );
  // What is different from a machine of its own: ports that are free, and DNS of this world.
  const on = Object.entries(ports).map(([name, port]) => `${name} = "127.0.0.1:${port}"`);
  const off = ['submission', 'imap', 'managesieve', 'http'].map((name) => `${name} = []`);
  const dns = `[dns]\nservers = ["127.0.0.1:${knot.port}"]\n`;
  const text = await readFile(config, 'utf8');
  await writeFile(config, `${text}\n[listen]\n${[...on, ...off].join('\n')}\n${dns}`);
  return { config, data, cli: (...words) => postern([...words, '--data', data]) };
}

/** Resolves when it says that it is ready. */
async function serve({ config }: Site): Promise<ChildProcess> {
  const child = spawn(process.execPath, [MAIN, 'serve', '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  await until('the server', PATIENCE_MS, POLL_MS, () => {
    if (child.exitCode !== null) throw new Error(`the server ended: ${said}`);
    return said.includes('"msg":"ready"');
  });
  return child;
}

async function publish({ cli }: Site, { directory, knot }: World): Promise<void> {
  const key = join(directory, 'dns.key');
  await writeFile(key, KNOT_KEY, { mode: 0o644 });
  const at = ['--server', '127.0.0.1', '--port', String(knot.port), '--credentials', key];
  await cli('dns', 'use', DOMAIN, 'rfc2136', ...at);
  // This machine's address in this world; elsewhere it is found by itself.
  await cli('doctor', 'set', 'addresses', '["127.0.0.1"]');
  await cli('dns', 'apply', DOMAIN, '--yes');
}

async function certificate({ cli }: Site, { directory, pebble, ports }: World): Promise<string> {
  const root = await pebble.root();
  // Where the server's user may read it.
  const ca = join(directory, 'ca.pem');
  await writeFile(ca, pebble.authority.cert, { mode: 0o644 });
  for (const [name, value] of [
    ['directory', pebble.directory],
    ['ca_file', ca],
    ['contact', ADMIN],
    ['terms_agreed', 'true'],
    ['enabled', 'true'],
  ] as const)
    await cli('certificate', 'set', name, value);
  let issuer = '';
  await until('a certificate', PATIENCE_MS, POLL_MS, async () => {
    issuer = await issuerAt(ports.imaps, root);
    return issuer !== '' && (await issuerAt(ports.submissions, root)) === issuer;
  });
  return issuer;
}

/** Of the certificate that a port shows to who trusts `ca` alone; empty: there is none, or it does not hold. */
function issuerAt(port: number, ca: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, ca, servername: HOST }, () => {
      const { issuer } = socket.getPeerCertificate();
      socket.destroy();
      resolve(String(issuer.CN));
    });
    socket.once('error', () => resolve(''));
  });
}

function letter(from: string, to: string, subject: string): string {
  const date = new Date(systemClock.now()).toUTCString().replace('GMT', '+0000');
  return `From: <${from}>\r\nTo: <${to}>\r\nSubject: ${subject}\r\nDate: ${date}\r\nMessage-ID: <first@${from.split('@')[1]}>\r\n\r\nHello!\r\n`;
}

/** Carol writes to us by her host. */
async function receive({ postfix, ports }: World): Promise<string> {
  const client = await lineClient(postfix.port);
  await client.talk(
    ['', '220'],
    [`EHLO ${INSIDE}\r\n`, '250'],
    [`MAIL FROM:<${CAROL}>\r\n`, '250'],
    [`RCPT TO:<${ADMIN}>\r\n`, '250'],
    ['DATA\r\n', '354'],
    [`${letter(CAROL, ADMIN, 'Welcome')}.\r\n`, '250'],
  );
  client.close();
  let found = '';
  await until('the first mail', PATIENCE_MS, POLL_MS, async () => {
    const mailbox = await openMailbox(ports.imaps, { user: ADMIN, password: PASSWORD });
    const texts = [...(await fetchBodies(mailbox)).values()].map((body) => body.toString('latin1'));
    mailbox.close();
    found = texts.find((text) => /^Subject: Welcome\r$/m.test(text)) ?? '';
    return found !== '';
  });
  return found;
}

/** We answer her. */
async function send({ mailboxes, ports }: World): Promise<Buffer> {
  const login = Buffer.from(`\0${ADMIN}\0${PASSWORD}`).toString('base64');
  const client = await lineClient(ports.submissions, { tls: true });
  await client.talk(
    ['', '220'],
    ['EHLO here\r\n', '250'],
    [`AUTH PLAIN ${login}\r\n`, '235'],
    [`MAIL FROM:<${ADMIN}>\r\n`, '250'],
    [`RCPT TO:<${CAROL}>\r\n`, '250'],
    ['DATA\r\n', '354'],
    [`${letter(ADMIN, CAROL, 'Thank you')}.\r\n`, '250'],
  );
  client.close();
  const arrived = (): Buffer | undefined => mailboxes.transactions.find(({ to }) => to.includes(CAROL))?.data;
  await until('our mail', PATIENCE_MS, POLL_MS, () => arrived() !== undefined);
  return arrived() ?? Buffer.alloc(0);
}

async function signaturesOf(message: Buffer, { knot }: World): Promise<string[]> {
  const end = message.indexOf('\r\n\r\n') + 4;
  const servers = [{ address: '127.0.0.1', port: knot.port, trusted: false }];
  const { results } = await verify({
    dns: createResolver({ servers, clock: systemClock }),
    nowMs: systemClock.now(),
    header: message.subarray(0, end),
    body: message.subarray(end),
  });
  return results.map((one) =>
    one.status === 'pass' ? `pass ${one.algorithm}` : `${one.status}: ${one.reason}`,
  );
}

/** Do it all; `say` gets a line about each step as it is done. */
export async function firstMail(say: (line: string) => void): Promise<FirstMail> {
  const world = await startWorld();
  const begun = systemClock.monotonic();
  const steps: Step[] = [];
  const step = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const from = systemClock.monotonic();
    const done = await work();
    const ms = systemClock.monotonic() - from;
    steps.push({ what, ms });
    say(`${(ms / 1000).toFixed(1).padStart(6)} s  ${what}`);
    return done;
  };
  let server: ChildProcess | undefined;
  try {
    const site = await step('set up from an empty directory: postern init', () => init(world));
    server = await step('the server runs: postern serve', () => serve(site));
    await step('records published by RFC 2136: postern dns use, dns apply', () => publish(site, world));
    const issuer = await step('a certificate by ACME: postern certificate set', () =>
      certificate(site, world),
    );
    const received = await step('a first mail came from Postfix, and is read by IMAP', () => receive(world));
    // The other host is on a port of its own in this world, as 25 may be taken here.
    await step('(this world only: the port of the other host)', async () => {
      await site.cli('transport', 'add', 'here', 'direct', `port=${world.postfix.port}`);
      await site.cli('route', 'add', 'all', '--via', 'here');
    });
    const sent = await step('a first mail went to Postfix, found by its MX', () => send(world));
    const totalMs = systemClock.monotonic() - begun;
    say(`${(totalMs / 1000).toFixed(1).padStart(6)} s  in all`);
    const signatures = await signaturesOf(sent, world);
    return { steps, totalMs, received, sent: sent.toString('latin1'), signatures, issuer };
  } finally {
    if (server !== undefined) {
      const over = exitOf(server);
      if (server.kill('SIGTERM')) await over;
    }
    await world.stop();
  }
}

if (import.meta.main) {
  const missing = whyNotHere();
  if (missing !== false) console.log(`The first mail is left out: ${missing}.`);
  else {
    const { signatures, issuer } = await firstMail(console.log);
    console.log(`\nCertificate by ${issuer}; DKIM at the receiver: ${signatures.join(', ')}`);
  }
}
