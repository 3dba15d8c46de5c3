import { readFile } from 'node:fs/promises';
import { availableParallelism, freemem, loadavg, totalmem } from 'node:os';
import type { Metrics } from '../base/metrics.ts';
import type { OpenStore } from '../data/open.ts';

/** The machine, and the mail that waits for whoever looks after it. */

const MEMORY = {
  MemTotal: 'total',
  MemAvailable: 'available',
  SwapTotal: 'swap_total',
  SwapFree: 'swap_free',
} as const;

export function systemMetrics(metrics: Metrics): void {
  metrics.gauge('postern_system_cpus', 'Processors that the program may use', [], function collect() {
    this.set(availableParallelism());
  });
  metrics.gauge(
    'postern_system_load',
    'Load of the machine, averaged over so many minutes',
    ['minutes'],
    function collect() {
      const [one = 0, five = 0, fifteen = 0] = loadavg();
      this.set({ minutes: '1' }, one);
      this.set({ minutes: '5' }, five);
      this.set({ minutes: '15' }, fifteen);
    },
  );
  metrics.gauge(
    'postern_system_memory_bytes',
    'Memory of the machine: total, available, swap_total, swap_free',
    ['kind'],
    async function collect() {
      for (const [kind, bytes] of await memory()) this.set({ kind }, bytes);
    },
  );
}

/** Linux tells what is available; other systems only what is free. */
async function memory(): Promise<readonly (readonly [string, number])[]> {
  const text = await readFile('/proc/meminfo', 'latin1').catch(() => '');
  const known = Object.entries(MEMORY).flatMap(([name, kind]) => {
    const kibibytes = new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1];
    return kibibytes === undefined ? [] : [[kind, Number(kibibytes) * 1024] as const];
  });
  if (known.length > 0) return known;
  return [
    ['total', totalmem()],
    ['available', freemem()],
  ];
}

/** Notices, reports and bounces that nobody reads are as good as none. */
export function administratorMetrics(metrics: Metrics, store: Pick<OpenStore, 'read'>): void {
  metrics.gauge(
    'postern_administrator_unread_messages',
    'Unread messages in the inboxes of administrators',
    ['account'],
    async function collect() {
      this.reset();
      try {
        for (const { id, address, role } of await store.read.run('directory.accounts', {})) {
          if (role !== 'admin') continue;
          const inbox = await store.read.run('mailstore.mailbox', { accountId: id, name: 'INBOX' });
          if (inbox !== undefined) this.set({ account: address }, inbox.unseen);
        }
      } catch {
        // The gauges of the store say that it fails.
      }
    },
  );
}
