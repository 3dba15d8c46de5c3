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

/** Undo everything on Ctrl-C, SIGTERM and SIGHUP too. */
export function undoOnSignals(): void {
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      console.error(`${signal}: stopping what was started`);
      void undoAll().finally(() => process.exit(130));
    });
  }
}
