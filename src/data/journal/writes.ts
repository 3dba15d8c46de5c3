import type { WriteFunction } from '../catalogue.ts';
import type { WriteTx } from '../db/sql.ts';
import { compact, type CompactEvent, cutData, cutTerms } from './compact.ts';
import { FOLD_WINDOW_MS } from './fold.ts';
import { addFolded } from './folded.ts';
import {
  deleteEventsBefore,
  deleteOldestEvents,
  deleteTermsBefore,
  idRange,
  insertEvent,
  insertTerm,
  oldestEvent,
  sizeFrom,
} from './journal.sql.ts';
import { type HideRequest, hideOld } from './hide.ts';
import { hideFold, hidingOf } from './policy.ts';
import { type Hiding, hideData, hideEvent, hideTerms } from './privacy.ts';
import type { JournalEvent, LastEvent } from './types.ts';

type W<A, R> = WriteFunction<A, R>;

/** Rows looked at to estimate the journal's size. */
const SIZE_SAMPLES = 64;

/** `count`: how many alike it stands for; `last`: the newest of them, when there is more than one. */
export type BackgroundEvent = JournalEvent & {
  readonly foldKey?: string;
  readonly count?: number;
  readonly last?: LastEvent;
};

async function append(tx: WriteTx, args: { events: readonly BackgroundEvent[] }): Promise<null> {
  const folded: (readonly [fold: string, event: BackgroundEvent])[] = [];
  const hiding = await hidingOf(tx);
  const events =
    hiding === undefined ? args.events : args.events.map((event) => hideBackground(event, hiding));
  for (const event of events) {
    if (event.foldKey === undefined) await addEvent(tx, compact(event), event.count ?? 1);
    else folded.push([`${Math.floor(event.at / FOLD_WINDOW_MS)}:${event.foldKey}`, event]);
  }
  // By fold key, so that two transactions that want the same rows wait for each other and never in a circle.
  folded.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  for (const [fold, event] of folded)
    await addFolded(tx, fold, compact(event), event.count ?? 1, cutLast(event.last));
  return null;
}

function hideBackground(event: BackgroundEvent, hiding: Hiding): BackgroundEvent {
  const { foldKey, last } = event;
  return {
    ...hideEvent(event, hiding),
    ...(foldKey !== undefined && { foldKey: hideFold(foldKey, hiding) }),
    ...(last !== undefined && {
      last: {
        ...last,
        data: hideData(event.kind, last.data, hiding),
        terms: hideTerms(last.terms, hiding),
      },
    }),
  };
}

async function addEvent(tx: WriteTx, event: CompactEvent, count: number): Promise<void> {
  const { trace, at, kind, json, terms, size } = event;
  await tx.run(insertEvent, trace, at, kind, json, count, at, size);
  for (const term of terms) await tx.run(insertTerm, term, trace, at);
}

function cutLast(last: LastEvent | undefined): LastEvent | undefined {
  return last && { ...last, data: cutData(last.data), terms: cutTerms(last.terms) };
}

async function prune(
  tx: WriteTx,
  args: { before: number; maxBytes: number; limit: number },
): Promise<{ deleted: number; more: boolean }> {
  let deleted = await tx.run(deleteEventsBefore, args.before, args.limit);
  if (deleted < args.limit) deleted += await pruneBySize(tx, args.maxBytes, args.limit - deleted);
  const oldest = await tx.get(oldestEvent);
  // Terms go with the events of their time; a trace that lasted for days is found by its later events' terms only.
  const terms = await tx.run(deleteTermsBefore, oldest?.at ?? args.before, args.limit);
  return { deleted, more: deleted >= args.limit || terms >= args.limit };
}

async function pruneBySize(tx: WriteTx, maxBytes: number, limit: number): Promise<number> {
  const { rows, average } = await estimateSize(tx);
  const excess = rows * average - maxBytes;
  if (excess <= 0) return 0;
  return tx.run(deleteOldestEvents, Math.min(limit, Math.ceil(excess / average)));
}

/** Rows are deleted oldest first, so ids run nearly without gaps; sizes are sampled evenly among them. */
async function estimateSize(tx: WriteTx): Promise<{ rows: number; average: number }> {
  const range = await tx.get(idRange);
  if (range === undefined || range.low === null || range.high === null) return { rows: 0, average: 1 };
  const rows = range.high - range.low + 1;
  const samples = Math.min(SIZE_SAMPLES, rows);
  let sum = 0;
  for (let i = 0; i < samples; i++) {
    sum += (await tx.get(sizeFrom, range.low + Math.floor((i * rows) / samples)))?.size ?? 0;
  }
  return { rows, average: Math.max(1, sum / samples) };
}

export const writes = {
  /** Background events. `fold`: rows with the same fold key within ten minutes are counted in one row. */
  'journal.append': append as W<{ events: readonly BackgroundEvent[] }, null>,
  /** Take addresses out of what is old, one batch of each kind; `more`: call again. */
  'journal.hide': hideOld as W<HideRequest, { changed: number; more: boolean }>,
  /** Delete what is older than `before`, then oldest first until the estimated size is under `maxBytes`; at most `limit` rows a call. */
  'journal.prune': prune as W<
    { before: number; maxBytes: number; limit: number },
    { deleted: number; more: boolean }
  >,
} as const;
