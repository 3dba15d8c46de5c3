import type { Clock, Timer } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Store } from '../store.ts';
import { cutData, cutTerms } from './compact.ts';
import { createFolder } from './fold.ts';
import type { JournalEvent } from './types.ts';
import type { BackgroundEvent } from './writes.ts';

/** Milliseconds between two commits of background events. */
const COMMIT_EVERY_MS = 1000;
/** Milliseconds until the next attempt while the store is down. */
const RETRY_MS = 5000;
/** Events (after folding) that wait for a commit; beyond it the oldest are dropped and counted. */
const BUFFER_EVENTS = 5000;
/** Events in one commit: other writes wait while it runs. */
const BATCH_EVENTS = 500;

/** Takes events that belong to no commit of their own: refused connections, failed logins, attempts. */
export interface Recorder {
  /** Log and count the event now, store it within about a second. Never throws, never waits. */
  event(event: JournalEvent): void;
  /** Store what is waiting, once; at the end of the program. Never throws: what the store does not take is lost. */
  flush(): Promise<void>;
}

export interface RecorderOptions {
  readonly store: Pick<Store, 'write'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** One recorder per `Metrics`: it defines the counters of all events. */
export function createRecorder(options: RecorderOptions): Recorder {
  const { store, clock, logger, metrics } = options;
  const events = metrics.counter('postern_events_total', 'Journal events by kind', ['kind']);
  const dropped = metrics.counter(
    'postern_events_dropped_total',
    'Journal events lost before they were stored',
  );
  const foldKey = createFolder();
  /** By fold key, or a number for those that stand alone; in the order they came. */
  const buffer = new Map<string | number, BackgroundEvent>();
  let serial = 0;
  let timer: Timer | undefined;
  let writing: Promise<boolean> | undefined;

  function add(event: JournalEvent): void {
    const fold = foldKey(event);
    const key = fold ?? serial++;
    const waiting = buffer.get(key);
    if (waiting !== undefined) {
      // The first one's facts stand for all; the last one's time and everyone's terms go with them.
      const terms = cutTerms([...waiting.terms, ...event.terms]);
      buffer.set(key, { ...waiting, terms, count: (waiting.count ?? 1) + 1 });
      return;
    }
    const { trace, at, kind } = event;
    const kept = { trace, at, kind, data: cutData(event.data), terms: cutTerms(event.terms), count: 1 };
    buffer.set(key, fold === undefined ? kept : { ...kept, foldKey: fold });
    makeRoom();
  }

  function makeRoom(): void {
    for (const [key, event] of buffer) {
      if (buffer.size <= BUFFER_EVENTS) return;
      buffer.delete(key);
      dropped.inc(event.count ?? 1);
    }
  }

  function arm(ms: number): void {
    timer ??= clock.setTimer(ms, () => {
      timer = undefined;
      void write().then((stored) => {
        if (buffer.size > 0) arm(stored ? COMMIT_EVERY_MS : RETRY_MS);
      });
    });
  }

  /** Stores one batch; false when the store did not take it. Only one runs at a time. */
  function write(): Promise<boolean> {
    writing ??= writeBatch().finally(() => {
      writing = undefined;
    });
    return writing;
  }

  async function writeBatch(): Promise<boolean> {
    const batch = [...buffer.entries()].slice(0, BATCH_EVENTS);
    for (const [key] of batch) buffer.delete(key);
    try {
      if (batch.length > 0)
        await store.write.run('journal.append', { events: batch.map(([, event]) => event) });
      return true;
    } catch (error) {
      logger.warn({ error: errorText(error), events: batch.length }, 'the journal could not be written');
      putBack(batch);
      return false;
    }
  }

  /** In front of what came meanwhile, so that the oldest are still the first to go. */
  function putBack(batch: readonly (readonly [string | number, BackgroundEvent])[]): void {
    const newer = [...buffer.entries()];
    buffer.clear();
    for (const [key, event] of [...batch, ...newer]) {
      const before = buffer.get(key);
      const count = (before?.count ?? 0) + (event.count ?? 1);
      buffer.set(key, { ...(before ?? event), count });
    }
    makeRoom();
  }

  return {
    event(event) {
      try {
        add(event);
        events.inc({ kind: event.kind });
        logger.info({ trace: event.trace, ...cutData(event.data) }, event.kind);
        arm(COMMIT_EVERY_MS);
      } catch (error) {
        dropped.inc();
        logger.error({ error: errorText(error), kind: event.kind }, 'a journal event could not be taken');
      }
    },
    async flush() {
      timer?.cancel();
      timer = undefined;
      await writing;
      while (buffer.size > 0 && (await write()));
      if (buffer.size > 0) logger.error({ events: buffer.size }, 'journal events were lost at the end');
    },
  };
}
