import type { Clock, Timer } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Store } from '../store.ts';
import { cutData, cutTerms } from './compact.ts';
import { logLines } from './committed.ts';
import { createFolder } from './fold.ts';
import { foldTerms, joinTerms } from './folded.ts';
import type { LiveJournal } from './live.ts';
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
  /**
   * Log and count events that a commit has stored, after it: one line for each message and what was decided about it.
   * `reply`: what the client is told of the message. Never throws, never waits.
   */
  committed(events: readonly JournalEvent[], reply?: string): void;
  /** Store what is waiting, once; at the end of the program. Never throws: what the store does not take is lost. */
  flush(): Promise<void>;
  /** Why the store does not take events at present; undefined while it does. They are tried again by themselves. */
  lastError(): JournalError | undefined;
}

export interface JournalError {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly message: string;
}

export interface RecorderOptions {
  readonly store: Pick<Store, 'write'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Told of every event as it is counted. */
  readonly live?: Pick<LiveJournal, 'publish'> | undefined;
}

/** One recorder per `Metrics`: it defines the counters of all events. */
export function createRecorder(options: RecorderOptions): Recorder {
  return new StoreRecorder(options);
}

class StoreRecorder implements Recorder {
  readonly #store: RecorderOptions['store'];
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #events;
  readonly #judged;
  readonly #dropped;
  readonly #live: RecorderOptions['live'];
  readonly #buffer: EventBuffer;
  #timer: Timer | undefined;
  #writing: Promise<boolean> | undefined;
  #lastError: JournalError | undefined;

  constructor({ store, clock, logger, metrics, live }: RecorderOptions) {
    this.#live = live;
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
    this.#events = metrics.counter('postern_events_total', 'Journal events by kind', ['kind']);
    this.#judged = metrics.counter(
      'postern_judged_total',
      'Messages that the filter judged, by what was done with them',
      ['action'],
    );
    const dropped = metrics.counter(
      'postern_events_dropped_total',
      'Journal events lost before they were stored',
    );
    this.#dropped = dropped;
    this.#buffer = new EventBuffer((count) => dropped.inc(count));
  }

  event(event: JournalEvent): void {
    try {
      this.#buffer.add(event);
      this.#count(event);
      this.#live?.publish([event]);
      this.#logger.info({ trace: event.trace, ...cutData(event.data) }, event.kind);
      this.#arm(COMMIT_EVERY_MS);
    } catch (error) {
      this.#dropped.inc();
      this.#logger.error({ error: errorText(error), kind: event.kind }, 'a journal event could not be taken');
    }
  }

  committed(events: readonly JournalEvent[], reply?: string): void {
    try {
      for (const event of events) this.#count(event);
      this.#live?.publish(events);
      for (const { fields, kind } of logLines(events, reply)) this.#logger.info(fields, kind);
    } catch (error) {
      this.#logger.error({ error: errorText(error) }, 'journal events could not be logged');
    }
  }

  #count({ kind, data }: JournalEvent): void {
    this.#events.inc({ kind });
    const action = kind === 'message.judged' ? data['action'] : undefined;
    if (typeof action === 'string') this.#judged.inc({ action });
  }

  async flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#writing;
    while (this.#buffer.size > 0 && (await this.#write()));
    if (this.#buffer.size > 0) {
      this.#logger.error({ events: this.#buffer.size }, 'journal events were lost at the end');
    }
  }

  lastError(): JournalError | undefined {
    return this.#lastError;
  }

  #arm(ms: number): void {
    this.#timer ??= this.#clock.setTimer(ms, () => {
      this.#timer = undefined;
      void this.#write().then((stored) => {
        if (this.#buffer.size > 0) this.#arm(stored ? COMMIT_EVERY_MS : RETRY_MS);
      });
    });
  }

  /** Stores one batch; false when the store did not take it. Only one runs at a time. */
  #write(): Promise<boolean> {
    this.#writing ??= this.#writeBatch().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeBatch(): Promise<boolean> {
    const batch = this.#buffer.take(BATCH_EVENTS);
    if (batch.length === 0) return true;
    try {
      await this.#store.write.run('journal.append', { events: batch.map(([, event]) => event) });
      this.#lastError = undefined;
      return true;
    } catch (error) {
      const message = errorText(error);
      this.#lastError = { at: this.#clock.now(), message };
      this.#logger.warn({ error: message, events: batch.length }, 'the journal could not be written');
      this.#buffer.putBack(batch);
      return false;
    }
  }
}

/** The first one's facts stand for all; the newest one's go with them, and what the others can be found by. */
function withRepeat(first: BackgroundEvent, event: BackgroundEvent): BackgroundEvent {
  const newest = event.last ?? event;
  const own = foldTerms(event.trace, cutTerms(event.terms));
  const terms = joinTerms(first.last?.terms ?? [], joinTerms(own, event.last?.terms ?? []));
  return {
    ...first,
    count: (first.count ?? 1) + (event.count ?? 1),
    last: { trace: newest.trace, at: newest.at, data: cutData(newest.data), terms },
  };
}

type Waiting = readonly [key: string | number, event: BackgroundEvent];

/** Events that wait for a commit, repeats folded into one, and no more of them than `BUFFER_EVENTS`. */
class EventBuffer {
  /** By fold key, or a number for those that stand alone; in the order they came. */
  readonly #events = new Map<string | number, BackgroundEvent>();
  readonly #foldKey = createFolder();
  readonly #onDropped: (count: number) => void;
  #serial = 0;

  constructor(onDropped: (count: number) => void) {
    this.#onDropped = onDropped;
  }

  get size(): number {
    return this.#events.size;
  }

  add(event: JournalEvent): void {
    const fold = this.#foldKey(event);
    const key = fold ?? this.#serial++;
    const waiting = this.#events.get(key);
    if (waiting !== undefined) {
      this.#events.set(key, withRepeat(waiting, event));
      return;
    }
    const { trace, at, kind } = event;
    const kept = { trace, at, kind, data: cutData(event.data), terms: cutTerms(event.terms), count: 1 };
    this.#events.set(key, fold === undefined ? kept : { ...kept, foldKey: fold });
    this.#makeRoom();
  }

  /** The oldest ones, which wait no longer. */
  take(limit: number): readonly Waiting[] {
    const taken = [...this.#events.entries()].slice(0, limit);
    for (const [key] of taken) this.#events.delete(key);
    return taken;
  }

  /** In front of what came meanwhile, so that the oldest are still the first to go. */
  putBack(taken: readonly Waiting[]): void {
    const newer = [...this.#events.entries()];
    this.#events.clear();
    for (const [key, event] of [...taken, ...newer]) {
      const before = this.#events.get(key);
      this.#events.set(key, before === undefined ? event : withRepeat(before, event));
    }
    this.#makeRoom();
  }

  #makeRoom(): void {
    for (const [key, event] of this.#events) {
      if (this.#events.size <= BUFFER_EVENTS) return;
      this.#events.delete(key);
      this.#onDropped(event.count ?? 1);
    }
  }
}
