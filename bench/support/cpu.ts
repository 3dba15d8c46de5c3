import { readFileSync } from 'node:fs';
import { treeOf } from './processes.ts';

/** Linux reports CPU time in hundredths of a second on every common architecture. */
const TICK_MS = 10;

/** CPU milliseconds (user + system) that processes and their descendants, living and reaped, have used so far. */
export function cpuMsOf(roots: readonly number[]): number {
  let ticks = 0;
  for (const pid of roots.flatMap(treeOf)) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // After "pid (name) ": utime, stime, cutime, cstime are the fields 12 to 15, counted from the state.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      for (let i = 11; i <= 14; i++) ticks += Number(fields[i]);
    } catch {
      // Ended meanwhile: its parent's sum has it.
    }
  }
  return ticks * TICK_MS;
}
