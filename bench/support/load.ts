import { randomBytes, randomInt } from 'node:crypto';
import { systemClock } from '../../src/base/clock.ts';
import { cpuMsOf } from './cpu.ts';
import { ImapClient } from './imap.ts';
import { run } from './processes.ts';
import { messageOf, SmtpClient } from './smtp.ts';
import type { MailSystem } from './system.ts';

export interface Load {
  /** In all, spread evenly over the accounts. */
  readonly messages: number;
  /** Octets of each body; smtp-source adds a header of about 200. */
  readonly bytes: number;
  /** Parallel SMTP sessions in all. */
  readonly sessions: number;
  /** Messages on one connection until the end, or a connection for each. */
  readonly kept: boolean;
  /**
   * What the bodies are. `filler` is smtp-source's one repeated letter, which a server that compresses
   * makes very small; `random` is base64 of random bytes as in an attachment, which none can: sent by our own client.
   */
  readonly body?: 'filler' | 'random';
}

export interface Delivered {
  /** Messages a second with their 250, from the first connection to the last 250. */
  readonly accepted: number;
  /** Messages a second in the mailbox, from the first connection until IMAP STATUS counts the last one. */
  readonly delivered: number;
  /** CPU milliseconds of the whole system for each message, delivery included. */
  readonly cpuMs: number;
}

const SENDER = 'sender@source.example';
const STATUS_POLL_MS = 25;
const DELIVERY_TIMEOUT_MS = 300_000;

/** smtp-source for each account at once. Resolves when all got their 250s; throws when one was refused anything. */
export async function pour(system: MailSystem, load: Load, to?: readonly string[]): Promise<void> {
  const addresses = to ?? system.accounts.map((account) => account.address);
  if (load.body === 'random') return pourRandom(system, randomMail(load, addresses));
  const sessions = Math.max(1, Math.floor(load.sessions / addresses.length));
  const each = Math.floor(load.messages / addresses.length);
  const session = ['-4', '-M', 'source.example', '-f', SENDER, ...(load.kept ? ['-d'] : [])];
  const flags = [...session, '-s', `${sessions}`, '-l', `${load.bytes}`, '-m', `${each}`];
  await Promise.all(
    addresses.map((address) =>
      run('smtp-source', [...flags, '-t', address, `127.0.0.1:${system.ports.smtp}`]),
    ),
  );
}

/** What a session sends to an address. */
interface Share {
  readonly to: string;
  readonly messages: readonly Buffer[];
}

/** The mail of each session, made before the clock runs: making it would cost the machine a third of what serving it does. */
function randomMail(load: Load, addresses: readonly string[]): Share[] {
  const pool = randomBytes(3 * (load.bytes + 2 ** 20)).toString('base64');
  const id = `${process.pid}.${systemClock.now()}`;
  const sessions = Math.floor(load.sessions / addresses.length);
  const each = Math.floor(load.messages / addresses.length);
  return Array.from({ length: load.sessions }, (_, session) => {
    const to = addresses[session % addresses.length] ?? '';
    const messages: Buffer[] = [];
    for (let n = Math.floor(session / addresses.length); n < each; n += sessions) {
      const at = randomInt(2 ** 20);
      const lines = pool.slice(at, at + load.bytes).match(/.{1,76}/g) ?? [];
      messages.push(messageOf(`${id}.${session}.${n}`, SENDER, to, lines.join('\r\n')));
    }
    return { to, messages };
  });
}

/** As smtp-source does, one process less: kept connections only. */
async function pourRandom(system: MailSystem, shares: readonly Share[]): Promise<void> {
  await Promise.all(
    shares.map(async ({ to, messages }) => {
      const client = await SmtpClient.open(system.ports.smtp);
      for (const message of messages) await client.send(SENDER, to, message);
      client.close();
    }),
  );
}

/** Pour, wait until the mailboxes hold it, then check that each message is there exactly once. */
export async function deliver(system: MailSystem, load: Load): Promise<Delivered> {
  const clients = await Promise.all(
    system.accounts.map((account) => ImapClient.login(system.ports.imap, account)),
  );
  try {
    const before = await Promise.all(clients.map((client) => client.count()));
    const each = Math.floor(load.messages / clients.length);
    const total = each * clients.length;
    const addresses = system.accounts.map((account) => account.address);
    const made = load.body === 'random' ? randomMail(load, addresses) : undefined;
    const cpuBefore = cpuMsOf(system.roots());
    const from = systemClock.monotonic();
    await (made === undefined ? pour(system, load) : pourRandom(system, made));
    const accepted = systemClock.monotonic() - from;
    await counted(clients, before, each);
    const delivered = systemClock.monotonic() - from;
    const cpuMs = (cpuMsOf(system.roots()) - cpuBefore) / total;
    await Promise.all(clients.map((client, i) => checkOnce(client, before[i] ?? 0, each)));
    return { accepted: (total * 1000) / accepted, delivered: (total * 1000) / delivered, cpuMs };
  } finally {
    for (const client of clients) client.close();
  }
}

/** Poll until each mailbox has so many more. */
async function counted(
  clients: readonly ImapClient[],
  before: readonly number[],
  each: number,
): Promise<void> {
  const end = systemClock.monotonic() + DELIVERY_TIMEOUT_MS;
  for (const [i, client] of clients.entries()) {
    for (;;) {
      const count = await client.count();
      if (count >= (before[i] ?? 0) + each) break;
      if (systemClock.monotonic() > end)
        throw new Error(`mailbox ${i} has ${count - (before[i] ?? 0)} of ${each}`);
      await systemClock.sleep(STATUS_POLL_MS);
    }
  }
}

async function checkOnce(client: ImapClient, before: number, each: number): Promise<void> {
  const ids = await client.messageIds(before + 1);
  const count = await client.count();
  if (ids.length === each && new Set(ids).size === each && count === before + each) return;
  throw new Error(`sent ${each}, found ${ids.length} new with ${new Set(ids).size} different Message-IDs`);
}
