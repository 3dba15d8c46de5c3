import type { HiddenPlace } from './account-mail.ts';

/** What has changed lately in an account's mail, in the order of time, so that telling of it costs what has changed. */
export interface ChangeLog {
  /** What has changed up to this modseq is not in it. */
  from: number;
  /** Ascending. */
  entries: Entry[];
}

export interface Entry {
  readonly at: number;
  readonly emailId: number;
  /** It was hidden at that time. */
  readonly hidden?: HiddenPlace;
}

/** Entries that are kept of one account; then the older half is forgotten. */
const MOST = 20_000;

export function emptyLog(from: number): ChangeLog {
  return { from, entries: [] };
}

/** Write down what has changed since the last time. */
export function note(log: ChangeLog, changed: readonly Entry[]): void {
  for (const entry of changed.toSorted((a, b) => a.at - b.at)) log.entries.push(entry);
  if (log.entries.length <= MOST) return;
  const forgotten = log.entries.length - MOST / 2;
  log.from = log.entries[forgotten - 1]?.at ?? log.from;
  log.entries = log.entries.slice(forgotten);
}

/** What has changed after a modseq; undefined when that is too long ago. */
export function notedSince(log: ChangeLog, modseq: number): readonly Entry[] | undefined {
  if (modseq < log.from) return undefined;
  let low = 0;
  let high = log.entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((log.entries[middle]?.at ?? 0) <= modseq) low = middle + 1;
    else high = middle;
  }
  return log.entries.slice(low);
}
