import { every, systemClock } from '../../src/base/clock.ts';
import { pour } from '../support/load.ts';
import { type Memory, memoryOf } from '../support/memory.ts';
import type { MailSystem } from '../support/system.ts';
import { type Cell, type Context, withNewSystems } from './cell.ts';

const MiB = 1024 * 1024;
const SETTLE_MS = 2000;
const SAMPLE_MS = 1000;
const MESSAGES = 6000;
const LOAD = { bytes: 4096, sessions: 20, kept: true } as const;

/** What the systems take when nothing has happened yet, and the highest of samples while mail pours in. */
export const memory: Cell = {
  name: 'memory',
  title: 'memory at rest and under load',
  run: (context) =>
    withNewSystems(context, 'memory', async (systems) => {
      await systemClock.sleep(SETTLE_MS);
      for (const system of systems) record(context, system, 'memory at rest', memoryOf(system.roots()));
      for (const system of systems) {
        record(
          context,
          system,
          'memory under load',
          await watch(system, Math.round(MESSAGES * context.scale)),
        );
      }
    }),
};

async function watch(system: MailSystem, messages: number): Promise<Memory> {
  let highest = memoryOf(system.roots());
  const look = (): void => {
    const now = memoryOf(system.roots());
    if (now.pss > highest.pss) highest = now;
  };
  const sampling = every(systemClock, SAMPLE_MS, look);
  await pour(system, { ...LOAD, messages }).finally(() => sampling.cancel());
  look();
  return highest;
}

function record({ figures, say }: Context, system: MailSystem, cell: string, used: Memory): void {
  figures.add(system.name, cell, 'PSS', 'MiB', false, used.pss / MiB);
  figures.add(system.name, cell, 'RSS summed', 'MiB', false, used.rss / MiB);
  figures.add(system.name, cell, 'processes', 'number', false, used.processes);
  say(`${system.name}: ${cell}: ${describe(used)}`);
}

function describe({ pss, rss, processes }: Memory): string {
  return `PSS ${mib(pss)} MiB, RSS summed ${mib(rss)} MiB, ${processes} processes`;
}

function mib(bytes: number): string {
  return (bytes / MiB).toFixed(1);
}
