import { readdirSync, readFileSync } from 'node:fs';
import { every, systemClock } from '../../../src/base/clock.ts';
import { cpuMsOf } from '../cpu.ts';
import { ImapClient } from '../imap.ts';
import { type Memory, memoryOf } from '../memory.ts';
import { pourLetters, type Pour } from './client.ts';
import type { FilteredSystem } from './system.ts';

export interface Rates {
  /** Messages a second with their 250. */
  readonly accepted: number;
  /** Messages a second in the mailboxes. */
  readonly delivered: number;
  /** CPU milliseconds of all processes for a message. */
  readonly cpuMs: number;
  /** The same by thread, where they have names: "node", "filter". */
  readonly threads: ReadonlyMap<string, number>;
  /** Highest of samples. */
  readonly memory: Memory;
  /** Share of messages that went to Junk; NaN where the system has no such mailbox. */
  readonly junk: number;
}

const SAMPLE_MS = 500;
const POLL_MS = 25;
const WAIT_MS = 300_000;
const TICK_MS = 10;

/** Pour mail in and wait until all of it is in the mailboxes. Throws when a message is missing or there twice. */
export async function measureRates(system: FilteredSystem, pour: Pour): Promise<Rates> {
  const clients = await Promise.all(
    system.accounts.map((account) => ImapClient.login(system.ports.imap, account)),
  );
  let memory = memoryOf(system.roots());
  const sampling = every(systemClock, SAMPLE_MS, () => {
    const now = memoryOf(system.roots());
    if (now.pss > memory.pss) memory = now;
  });
  try {
    const before = await countAll(system, clients);
    const cpu = cpuMsOf(system.roots());
    const threads = threadMs(system.roots());
    const from = systemClock.monotonic();
    await pourLetters(
      system.ports.smtp,
      system.accounts.map(({ address }) => address),
      pour,
    );
    const accepted = systemClock.monotonic() - from;
    const wanted = before.all + pour.letters.length;
    const after = await counted(system, clients, wanted);
    const delivered = systemClock.monotonic() - from;
    if (after.all !== wanted) throw new Error(`${after.all - wanted} messages too many`);
    const { length } = pour.letters;
    return {
      accepted: (length * 1000) / accepted,
      delivered: (length * 1000) / delivered,
      cpuMs: (cpuMsOf(system.roots()) - cpu) / length,
      threads: perMessage(threads, threadMs(system.roots()), length),
      memory,
      junk: system.mailboxes.length > 1 ? (after.junk - before.junk) / length : Number.NaN,
    };
  } finally {
    sampling.cancel();
    for (const client of clients) client.close();
  }
}

interface Counts {
  readonly all: number;
  /** Outside INBOX. */
  readonly junk: number;
}

async function countAll(system: FilteredSystem, clients: readonly ImapClient[]): Promise<Counts> {
  let [all, junk] = [0, 0];
  for (const client of clients) {
    for (const mailbox of system.mailboxes) {
      const lines = await client.command(`STATUS ${mailbox} (MESSAGES)`);
      const found = Number(/MESSAGES (\d+)/.exec(lines.join('\n'))?.[1] ?? Number.NaN);
      all += found;
      if (mailbox !== 'INBOX') junk += found;
    }
  }
  return { all, junk };
}

async function counted(
  system: FilteredSystem,
  clients: readonly ImapClient[],
  wanted: number,
): Promise<Counts> {
  const end = systemClock.monotonic() + WAIT_MS;
  for (;;) {
    const counts = await countAll(system, clients);
    if (counts.all >= wanted) return counts;
    if (systemClock.monotonic() > end) throw new Error(`${wanted - counts.all} messages are missing`);
    await systemClock.sleep(POLL_MS);
  }
}

/** CPU milliseconds of each thread of these processes, without their children, by name. */
function threadMs(pids: readonly number[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const pid of pids) {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const stat = readFileSync(`/proc/${pid}/task/${task}/stat`, 'latin1');
      const end = stat.lastIndexOf(')');
      const fields = stat.slice(end + 2).split(' ');
      const name = Number(task) === pid ? 'main' : `${stat.slice(stat.indexOf('(') + 1, end)} ${task}`;
      found.set(name, (Number(fields[11]) + Number(fields[12])) * TICK_MS);
    }
  }
  return found;
}

function perMessage(
  before: Map<string, number>,
  after: Map<string, number>,
  count: number,
): Map<string, number> {
  const used = [...after].map(([name, ms]): [string, number] => [
    name,
    (ms - (before.get(name) ?? 0)) / count,
  ]);
  return new Map(used.filter(([, ms]) => ms >= 0.01).toSorted(([, a], [, b]) => b - a));
}
