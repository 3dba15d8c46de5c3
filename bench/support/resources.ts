import { systemClock } from '../../src/base/clock.ts';

/** What must be undone when the bench ends, however it ends: daemons, directories. Undone last first. */
type Undo = () => Promise<void> | void;

const pending: Undo[] = [];

/** Remember an undo; the returned function runs it now (once). */
export function defer(undo: Undo): () => Promise<void> {
  pending.push(undo);
  return async () => {
    const at = pending.lastIndexOf(undo);
    if (at < 0) return;
    pending.splice(at, 1);
    await undo();
  };
}

export async function undoAll(): Promise<void> {
  for (let undo = pending.pop(); undo !== undefined; undo = pending.pop()) {
    try {
      await undo();
    } catch (error) {
      console.error(`clean-up: ${String(error)}`);
    }
  }
}

/** Milliseconds for a start that was under way when the signal came: what it made is undone too. */
const LATE_MS = 1500;
let stopping = false;

export function isStopping(): boolean {
  return stopping;
}

/** Called before anything is started. */
export function refuseWhenStopping(): void {
  if (stopping) throw new Error('stopped by a signal');
}

/** Undo everything on Ctrl-C, SIGTERM and SIGHUP too. */
export function undoOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      console.error(`${signal}: stopping what was started`);
      void stopAll().finally(() => process.exit(130));
    });
  }
}

async function stopAll(): Promise<void> {
  const [directory, ...rest] = pending.splice(0);
  pending.push(...rest);
  await undoAll();
  await systemClock.sleep(LATE_MS);
  await undoAll();
  // The first thing made is the directory that holds the others.
  await directory?.();
}
