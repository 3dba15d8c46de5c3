import { every, systemClock } from '../../src/base/clock.ts';
import { pour } from '../support/load.ts';
import { type Memory, memoryOf } from '../support/memory.ts';
import type { MailSystem } from '../support/system.ts';
import { type Cell, systemsOf } from './cell.ts';

const MiB = 1024 * 1024;
const SETTLE_MS = 2000;
const SAMPLE_MS = 1000;
const MESSAGES = 6000;
const LOAD = { bytes: 4096, sessions: 20, kept: true } as const;

/** Runs before any load: what the systems take when nothing has happened yet. */
export const atRest: Cell = {
  name: 'rest',
  title: 'memory at rest',
  async run(context) {
    await systemClock.sleep(SETTLE_MS);
    for (const system of systemsOf(context)) {
      const memory = memoryOf(system.roots());
      record(context.figures, system, 'memory at rest', memory);
      context.say(`${system.name}: ${describe(memory)}`);
    }
  },
};

export const underLoad: Cell = {
  name: 'load',
  title: 'memory under load, the highest of samples a second apart',
  async run(context) {
    for (const system of systemsOf(context)) {
      const highest = await watch(system, Math.round(MESSAGES * context.scale));
      record(context.figures, system, 'memory under load', highest);
      context.say(`${system.name}: ${describe(highest)}`);
    }
  },
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

function record(
  figures: { add(...args: [string, string, string, string, boolean, number]): void },
  system: MailSystem,
  cell: string,
  memory: Memory,
): void {
  figures.add(system.name, cell, 'PSS', 'MiB', false, memory.pss / MiB);
  figures.add(system.name, cell, 'RSS summed', 'MiB', false, memory.rss / MiB);
  figures.add(system.name, cell, 'processes', 'number', false, memory.processes);
}

function describe(memory: Memory): string {
  return `PSS ${mib(memory.pss)} MiB, RSS summed ${mib(memory.rss)} MiB, ${memory.processes} processes`;
}

function mib(bytes: number): string {
  return (bytes / MiB).toFixed(1);
}
