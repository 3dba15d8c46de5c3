import { readFileSync } from 'node:fs';
import { systemClock } from '../../src/base/clock.ts';
import { median, quantile } from '../support/figures.ts';
import { ImapClient } from '../support/imap.ts';
import { deliver } from '../support/load.ts';
import { memoryOf } from '../support/memory.ts';
import { until } from '../support/processes.ts';
import { filler, messageOf, SmtpClient } from '../support/smtp.ts';
import type { MailSystem, StartSystem } from '../support/system.ts';
import { type Cell, type Context, starters } from './cell.ts';

const SESSIONS = 1000;
/** Logins at once while the sessions are opened. */
const LOGINS = 20;
const SETTLE_MS = 3000;
const BYTES = 4096;
const KiB = 1024;
const FROM = 'sender@source.example';
/** Steady mail: so many messages a second, which both systems keep up with. */
const PACE_PER_SECOND = 100;
const PACED = 1000;
const FLOOD = 3000;
const WARM_UP = 1000;
const FLOOD_SESSIONS = 20;
const NOTICE_TIMEOUT_MS = 60_000;

/**
 * bob has all the idle sessions, alice one more and all the mail: what is measured is the cost of many open sessions
 * and the way of one notice, not how one mailbox is shown to a thousand programs.
 */
export const idle: Cell = {
  name: 'idle',
  title: 'idle IMAP sessions',
  async run(context) {
    for (const start of starters(context)) await inNew(context, start);
  },
};

/** A system of its own: memory is not blurred by what earlier mail left behind. */
async function inNew(context: Context, start: StartSystem): Promise<void> {
  const system = await start(await context.setup('idle'));
  const open: ImapClient[] = [];
  try {
    await deliver(system, { messages: WARM_UP, bytes: BYTES, sessions: FLOOD_SESSIONS, kept: true });
    await measure(context, system, open);
  } finally {
    for (const client of open) client.close();
    await system.stop();
  }
}

async function measure(context: Context, system: MailSystem, open: ImapClient[]): Promise<void> {
  const sessions = Math.round(SESSIONS * context.scale);
  const cell = `${sessions} idle IMAP sessions`;
  const [alice, bob] = system.accounts;
  if (alice === undefined || bob === undefined) throw new Error('two accounts are needed');
  const watch = await watcher(system, open);
  const before = memoryOf(system.roots());
  let left = sessions;
  await Promise.all(
    Array.from({ length: LOGINS }, async () => {
      while (left-- > 0) {
        const client = await ImapClient.login(system.ports.imap, bob);
        open.push(client);
        await client.idle(() => undefined);
      }
    }),
  );
  await systemClock.sleep(SETTLE_MS);
  const after = memoryOf(system.roots());
  const perSession = (after.pss - before.pss) / sessions / KiB;
  context.figures.add(system.name, cell, 'PSS for each', 'KiB', false, perSession);
  context.say(`${system.name}: ${perSession.toFixed(1)} KiB for each of ${sessions} sessions`);
  await latency(
    context,
    system,
    cell,
    'steady mail',
    watch,
    Math.round(PACED * context.scale),
    1,
    PACE_PER_SECOND,
  );
  await latency(context, system, cell, 'flood', watch, Math.round(FLOOD * context.scale), FLOOD_SESSIONS, 0);
}

interface Watcher {
  /** Messages told of so far. Throws when the connection is lost. */
  count(): number;
  /** When the mailbox first had n messages, in order; emptied for each measurement. */
  times: Map<number, number>;
}

/** alice's IDLE: remembers when each count was first told. */
async function watcher(system: MailSystem, open: ImapClient[]): Promise<Watcher> {
  const [alice] = system.accounts;
  if (alice === undefined) throw new Error('there is no account');
  const client = await ImapClient.login(system.ports.imap, alice);
  open.push(client);
  let count = await client.count();
  const times = new Map<number, number>();
  await client.idle((told) => {
    const at = systemClock.monotonic();
    for (let n = count + 1; n <= told; n++) times.set(n, at);
    count = Math.max(count, told);
  });
  return {
    times,
    count() {
      client.line.check();
      return count;
    },
  };
}

/** Send, note each 250, and set the n-th 250 against the notice that n more are there. */
async function latency(
  context: Context,
  system: MailSystem,
  cell: string,
  name: string,
  watch: Watcher,
  messages: number,
  connections: number,
  perSecond: number,
): Promise<void> {
  const to = system.accounts[0]?.address ?? '';
  const base = watch.count();
  const accepted: number[] = [];
  let next = 0;
  const from = systemClock.monotonic();
  const one = async (): Promise<void> => {
    const client = await SmtpClient.open(system.ports.smtp);
    for (let n = next++; n < messages; n = next++) {
      if (perSecond > 0) await systemClock.sleep(from + (n * 1000) / perSecond - systemClock.monotonic());
      await client.send(FROM, to, messageOf(`${name.replace(' ', '')}${n}.${from}`, FROM, to, filler(BYTES)));
      accepted.push(systemClock.monotonic());
    }
    client.close();
  };
  await Promise.all(Array.from({ length: connections }, one));
  const rate = (messages * 1000) / (systemClock.monotonic() - from);
  await until(
    `${system.name}: the last EXISTS`,
    NOTICE_TIMEOUT_MS,
    20,
    () => watch.count() >= base + messages,
  );
  const waits = accepted.map((at, i) => (watch.times.get(base + i + 1) ?? Number.NaN) - at);
  watch.times.clear();
  const what = `${name}, 250 to EXISTS`;
  context.figures.add(system.name, cell, `${what}, median`, 'ms', false, median(waits));
  context.figures.add(system.name, cell, `${what}, 95 %`, 'ms', false, quantile(waits, 0.95));
  const text = `median ${median(waits).toFixed(1)} ms, 95 % ${quantile(waits, 0.95).toFixed(1)} ms`;
  context.say(`${system.name}: ${name} at ${rate.toFixed(0)}/s: 250 to EXISTS ${text}`);
}

/** Dovecot takes an inotify instance for each IDLE session and polls every 30 s where the kernel gives no more. */
export function inotifyNotice(sessions: number): string | undefined {
  const allowed = Number(readFileSync('/proc/sys/fs/inotify/max_user_instances', 'latin1'));
  if (allowed > sessions) return undefined;
  return `fs.inotify.max_user_instances is ${allowed}: beyond it Dovecot's IDLE sessions poll instead of being told. alice's session is opened first and is not concerned.`;
}
