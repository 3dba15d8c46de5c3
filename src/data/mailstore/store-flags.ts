import type { WriteTx } from '../db/sql.ts';
import { judgedBy, mayJudge } from '../spam/judged.ts';
import { wishForRange } from '../spam/training.ts';
import type { Label } from '../spam/types.ts';
import { beginAccount } from './account.ts';
import { ALL_FLAGS, checkFlagSet, countsOf, flagMasks, keywordChange, parseKeywords } from './flags.ts';
import { adjustMailbox } from './mailboxes.sql.ts';
import { ownMailbox, tidyRanges } from './rows.ts';
import { countMasked, type FlagRow, flagsInRange, maskFlags, setFlags } from './store-flags.sql.ts';
import type { StoreFlagsRequest, StoreFlagsResult, UidRange } from './types.ts';

type ResultRow = StoreFlagsResult['rows'][number];

/** What one request does, worked out range by range. */
interface Work {
  readonly mailboxId: number;
  readonly modseq: number;
  readonly masks: { readonly keep: number; readonly add: number };
  readonly nextKeywords: (text: string | null) => string | null;
  readonly unchangedSince: number;
  readonly rows: ResultRow[];
  readonly modified: number[];
  /** What people said by keywords, for the filter to learn from; undefined when the request can say nothing. */
  readonly judging: Judging | undefined;
  /** Nobody needs to be told of each row. */
  readonly quiet: boolean;
  count: number;
  changed: number;
  unseen: number;
  deleted: number;
}

/** Messages next to each other among the changed ones that now are said to be the same. */
interface Judgement {
  readonly from: number;
  to: number;
  readonly label: Label;
}

interface Judging {
  readonly found: Judgement[];
  open: Judgement | undefined;
}

/** STORE and UID STORE (RFC 9051 6.4.6), with UNCHANGEDSINCE (RFC 7162 3.1.3). */
export async function storeFlags(tx: WriteTx, request: StoreFlagsRequest): Promise<StoreFlagsResult> {
  const { accountId, mailboxId, mode } = request;
  const set = checkFlagSet(request.set);
  const { modseq } = await beginAccount(tx, accountId);
  const mailbox = await ownMailbox(tx, accountId, mailboxId);
  const work: Work = {
    mailboxId,
    modseq,
    masks: masksOf(request),
    nextKeywords: request.permitted?.keywords === false ? (text) => text : keywordChange(mode, set.keywords),
    unchangedSince: request.unchangedSince ?? Number.MAX_SAFE_INTEGER,
    rows: [],
    modified: [],
    judging: mayJudge(set.keywords) ? { found: [], open: undefined } : undefined,
    quiet: mailbox.modseq <= (request.knownModseq ?? -1) && isOfMasks(request),
    count: 0,
    changed: 0,
    unseen: 0,
    deleted: 0,
  };
  for (const range of tidyRanges(request.ranges, mailbox.uidnext))
    await (work.quiet ? storeQuietly(tx, work, range) : storeRange(tx, work, range));
  if (work.changed > 0) {
    await tx.run(adjustMailbox, 0, 0, work.unseen, work.deleted, 0, modseq, mailboxId);
    for (const judgement of work.judging?.found ?? []) {
      await wishForRange(tx, { accountId, mailboxId, ...judgement, cause: 'marked' });
    }
    tx.touch(accountId);
  }
  return {
    modseq: work.changed > 0 ? modseq : mailbox.modseq,
    modseqBefore: mailbox.modseq,
    count: work.count,
    rows: work.rows,
    modified: work.modified,
    changed: work.changed,
  };
}

/** What a request does to system flags: new = (old & keep) | add. */
export function masksOf({ mode, set, permitted }: StoreFlagsRequest): { keep: number; add: number } {
  const { keep, add } = flagMasks(mode, set.flags & ALL_FLAGS);
  const flags = permitted?.flags ?? ALL_FLAGS;
  return { keep: keep | (ALL_FLAGS & ~flags), add: add & flags };
}

/** Whether its masks are all that a request does, to whichever row. */
function isOfMasks({ mode, set, permitted, unchangedSince }: StoreFlagsRequest): boolean {
  if (unchangedSince !== undefined) return false;
  return permitted?.keywords === false || (set.keywords.length === 0 && mode !== 'replace');
}

async function storeQuietly(tx: WriteTx, work: Work, { from, to }: UidRange): Promise<void> {
  const { mailboxId, modseq, unchangedSince } = work;
  const { keep, add } = work.masks;
  const sums = await tx.get(countMasked, keep, add, keep, add, keep, add, mailboxId, from, to);
  if (sums === undefined) return;
  work.count += sums.count;
  if (sums.changed === 0) return;
  work.changed += sums.changed;
  work.unseen += sums.unseen;
  work.deleted += sums.deleted;
  await tx.run(maskFlags, keep, add, modseq, mailboxId, from, to, unchangedSince, keep, add);
}

/** Rows with the same new keywords, next to each other among the rows there are. */
interface Run {
  readonly from: number;
  to: number;
  readonly keywords: string | null;
}

async function storeRange(tx: WriteTx, work: Work, range: UidRange): Promise<void> {
  const { keep, add } = work.masks;
  const runs: Run[] = [];
  let open: Run | undefined;
  let keywordsChange = false;
  let changed = 0;
  if (work.judging !== undefined) work.judging.open = undefined;
  for (const row of await tx.all(flagsInRange, work.mailboxId, range.from, range.to)) {
    const next = nextRow(work, row);
    if (work.judging !== undefined) judge(work.judging, row, next?.keywords);
    if (next === undefined) {
      open = undefined;
      continue;
    }
    changed += 1;
    keywordsChange ||= next.keywords !== row.keywords;
    if (open !== undefined && open.keywords === next.keywords) open.to = row.uid;
    else runs.push((open = { from: row.uid, to: row.uid, keywords: next.keywords }));
  }
  work.changed += changed;
  if (changed === 0) return;
  const { mailboxId, modseq } = work;
  if (keywordsChange) {
    for (const run of runs)
      await tx.run(setFlags, keep, add, run.keywords, modseq, mailboxId, run.from, run.to);
  } else {
    await tx.run(
      maskFlags,
      keep,
      add,
      modseq,
      mailboxId,
      range.from,
      range.to,
      work.unchangedSince,
      keep,
      add,
    );
  }
}

/** Note what a row is said to be now, when it was not said before. A row in between that says nothing ends a run. */
function judge(work: Judging, row: FlagRow, next: string | null | undefined): void {
  const label = next === undefined ? undefined : judgedBy(parseKeywords(next));
  if (label === undefined || label === judgedBy(parseKeywords(row.keywords))) {
    work.open = undefined;
  } else if (work.open?.label === label) {
    work.open.to = row.uid;
  } else {
    work.found.push((work.open = { from: row.uid, to: row.uid, label }));
  }
}

/** Count one row of the request; its new state when it changes. */
function nextRow(work: Work, row: FlagRow): { flags: number; keywords: string | null } | undefined {
  if (row.modseq > work.unchangedSince) {
    work.modified.push(row.uid);
    return undefined;
  }
  const flags = (row.flags & work.masks.keep) | work.masks.add;
  const keywords = work.nextKeywords(row.keywords);
  work.count += 1;
  const changes = flags !== row.flags || keywords !== row.keywords;
  work.rows.push({
    uid: row.uid,
    modseq: changes ? work.modseq : row.modseq,
    flags,
    keywords: parseKeywords(keywords),
  });
  if (!changes) return undefined;
  const before = countsOf(row.flags);
  const after = countsOf(flags);
  work.unseen += after.unseen - before.unseen;
  work.deleted += after.deleted - before.deleted;
  return { flags, keywords };
}
