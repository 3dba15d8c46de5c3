import { readFileSync } from 'node:fs';
import { treeOf } from './processes.ts';

export interface Memory {
  readonly processes: number;
  /** Bytes; pages shared by several processes count in each. */
  readonly rss: number;
  /** Bytes; a page shared by n processes counts 1/n in each: what the system as a whole takes. */
  readonly pss: number;
}

/** The memory of processes and all their descendants now. */
export function memoryOf(roots: readonly number[]): Memory {
  let processes = 0;
  let rss = 0;
  let pss = 0;
  for (const pid of roots.flatMap(treeOf)) {
    const text = rollup(pid);
    if (text === undefined) continue;
    processes++;
    rss += kibOf(text, 'Rss');
    pss += kibOf(text, 'Pss');
  }
  return { processes, rss, pss };
}

function rollup(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  } catch {
    // Ended meanwhile, or not ours to read.
    return undefined;
  }
}

function kibOf(text: string, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text);
  return Number(match?.[1] ?? 0) * 1024;
}
