import { createHash } from 'node:crypto';
import { type Clock, every } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { type AggregateKind, type ObservedRow, POLICY_ROW } from '../../data/reports/types.ts';
import type { Store } from '../../data/store.ts';
import type { ReportMetrics } from './metrics.ts';

/** Milliseconds that observations wait: what a crash loses of the counts. */
const FLUSH_MS = 60_000;
/** Rows that wait for the next flush at most; a flood beyond it is not counted. */
const WAITING_MAX = 20_000;
/** Rows in one write. */
const BATCH = 200;
/** Octets of a row's data. */
const DATA_CHARS = 8192;

interface Waiting {
  readonly day: number;
  readonly domain: string;
  readonly isPolicy: boolean;
  count: number;
  data: string;
}

export interface AggregatorParts {
  readonly store: Pick<Store, 'write'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ReportMetrics;
}

/** Counts in memory, writes once a minute: a message costs a look into a map. */
export class Aggregator {
  readonly #parts: AggregatorParts;
  #waiting: Record<AggregateKind, Map<string, Waiting>> = { dmarc: new Map(), tls: new Map() };
  readonly #timer: { cancel(): void };
  #flushing: Promise<void> = Promise.resolve();

  constructor(parts: AggregatorParts) {
    this.#parts = parts;
    this.#timer = every(parts.clock, FLUSH_MS, () => this.flush());
  }

  /** One message or session more of the kind that `data` describes. */
  add(kind: AggregateKind, day: number, domain: string, data: object): void {
    this.#put(kind, { day, domain, isPolicy: false, count: 1, data: JSON.stringify(data) });
  }

  /** The policy of a domain, as it is now. */
  policy(kind: AggregateKind, day: number, domain: string, data: object): void {
    this.#put(kind, { day, domain, isPolicy: true, count: 0, data: JSON.stringify(data) });
  }

  #put(kind: AggregateKind, row: Waiting): void {
    const map = this.#waiting[kind];
    const key = `${row.day} ${row.domain} ${row.isPolicy ? '' : row.data}`;
    const known = map.get(key);
    if (known !== undefined) {
      known.count += row.count;
      known.data = row.data;
    } else if (map.size >= WAITING_MAX || row.data.length > DATA_CHARS) {
      this.#parts.metrics.dropped(kind, row.count);
    } else map.set(key, row);
  }

  /** Write what waits. Never rejects. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#flushAll());
    return this.#flushing;
  }

  async #flushAll(): Promise<void> {
    for (const kind of ['dmarc', 'tls'] as const) {
      const rows = [...this.#waiting[kind].values()];
      this.#waiting[kind] = new Map();
      for (let at = 0; at < rows.length; at += BATCH) {
        if (await this.#write(kind, rows.slice(at, at + BATCH))) continue;
        for (const row of rows.slice(at)) this.#put(kind, row);
        return;
      }
    }
  }

  async #write(kind: AggregateKind, rows: readonly Waiting[]): Promise<boolean> {
    const { store, logger, metrics } = this.#parts;
    const observed = rows.map(toRow);
    try {
      const args = { dmarc: kind === 'dmarc' ? observed : [], tls: kind === 'tls' ? observed : [] };
      const { dropped } = await store.write.run('reports.observe', args);
      if (dropped > 0) metrics.dropped(kind, dropped);
      return true;
    } catch (error) {
      logger.warn({ error: errorText(error) }, 'reports: counts could not be stored, will try again');
      return false;
    }
  }

  /** Write what waits, and no more by itself. */
  stop(): Promise<void> {
    this.#timer.cancel();
    return this.flush();
  }
}

function toRow({ day, domain, isPolicy, count, data }: Waiting): ObservedRow {
  const key = isPolicy ? POLICY_ROW : createHash('sha256').update(data).digest('hex').slice(0, 32);
  return { day, domain, key, count, data };
}
