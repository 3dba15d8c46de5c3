import type { JournalEvent } from './types.ts';

/** What happens, as it happens, for those who watch: nobody's waiting costs the mail anything. */
export interface LiveJournal {
  /** Tell all who listen. Never throws. */
  publish(events: readonly JournalEvent[]): void;
  /** `fn` is called with each event, in the order they are told; it must be quick. Returns how to stop. */
  listen(fn: (event: JournalEvent) => void): () => void;
}

export function createLiveJournal(): LiveJournal {
  const listeners = new Set<(event: JournalEvent) => void>();
  return {
    publish(events) {
      if (listeners.size === 0) return;
      for (const event of events)
        for (const fn of listeners) {
          try {
            fn(event);
          } catch {
            // Who watches must not keep the journal from being written.
          }
        }
    },
    listen(fn) {
      listeners.add(fn);
      return () => void listeners.delete(fn);
    },
  };
}
