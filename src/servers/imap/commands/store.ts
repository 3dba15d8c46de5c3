import {
  Flag,
  type Permitted,
  type StoreFlagsResult,
  type StoreMode,
  type UidRange,
} from '../../../data/mailstore/types.ts';
import { Right } from '../../../data/sharing/rights.ts';
import { needRights, permittedFlags } from '../access.ts';
import { enableCondstore } from '../condstore.ts';
import { SESSION_LIMITS } from '../limits.ts';
import { allowed, needAllowed, partlyDone } from '../message-limit.ts';
import type { MailboxView } from '../mailbox-view.ts';
import { refresh, tellFlags } from '../refresh.ts';
import { flushIfFull, isRev2, type Session, SessionEnd, viewOf } from '../session.ts';
import type { Decoder } from '../wire/decoder.ts';
import { storeFlags } from '../wire/flags.ts';
import { type Command, type Outcome, SELECTED } from './command.ts';

/** STORE (RFC 9051 section 6.4.6, RFC 7162 section 3.1.3). */
export const store: Command = {
  name: 'STORE',
  states: SELECTED,
  byNumber: true,
  holdsExpunges: true,
  run: (session, d) => change(session, d, false),
};

/** UID STORE (RFC 9051 section 6.4.9). */
export const uidStore: Command = {
  name: 'UID STORE',
  states: SELECTED,
  run: (session, d) => change(session, d, true),
};

const MODES: Readonly<Record<string, StoreMode>> = { '': 'replace', '+': 'add', '-': 'remove' };

interface Request {
  readonly ranges: readonly UidRange[];
  readonly mode: StoreMode;
  readonly silent: boolean;
  readonly set: ReturnType<typeof storeFlags>;
  readonly unchangedSince: number | undefined;
}

function parse(session: Session, d: Decoder, byUid: boolean): Request {
  d.sp();
  const set = d.sequenceSet();
  d.sp();
  let unchangedSince: number | undefined;
  if (d.atList) {
    d.list(() => {
      if (d.keyword('UNCHANGEDSINCE') !== 'UNCHANGEDSINCE') d.fail('UNCHANGEDSINCE before this');
      d.sp();
      unchangedSince = d.number64('a mod-sequence');
    });
    d.sp();
  }
  const sign = d.skip('+') ? '+' : d.skip('-') ? '-' : '';
  const item = d.keyword('FLAGS');
  if (item !== 'FLAGS' && item !== 'FLAGS.SILENT') d.fail('FLAGS or FLAGS.SILENT before this');
  d.sp();
  const flags = storeFlags(d);
  d.end();
  return {
    ranges: viewOf(session).ranges(set, byUid, session.saved),
    mode: MODES[sign] ?? 'replace',
    silent: item === 'FLAGS.SILENT',
    set: flags,
    unchangedSince,
  };
}

async function change(session: Session, d: Decoder, byUid: boolean): Promise<Outcome> {
  const request = parse(session, d, byUid);
  const view = viewOf(session);
  view.needWritable();
  needPermission(view, request);
  // RFC 7162 section 3.1: UNCHANGEDSINCE is a CONDSTORE enabling command.
  if (request.unchangedSince !== undefined) enableCondstore(session);
  const { ranges, code } = allowed(session, view, request.ranges);
  // There is room for one response code, and MODIFIED must be told.
  if (request.unchangedSince !== undefined) needAllowed(session, view.countIn(request.ranges));
  const modified: number[] = [];
  let done = 0;
  const silently: UidRange[] = [];
  for (const range of view.chunks(ranges, SESSION_LIMITS.messagesPerWrite)) {
    const result = await write(session, request, range).catch(async (error: unknown) => {
      if (!(error instanceof SessionEnd)) await tellDone(session, silently, byUid);
      throw error;
    });
    if (request.silent) silently.push(range);
    modified.push(...result.modified);
    done += result.count + result.modified.length;
    await answer(session, request, result, byUid);
  }
  const missing = !byUid && done < view.countIn(ranges);
  if (modified.length > 0)
    return {
      // RFC 7162 section 3.1.3: NO where some of the messages have gone besides.
      status: missing ? 'NO' : 'OK',
      code: `MODIFIED ${view.formatSet(modified, byUid)}`,
      text: 'Some messages were changed meanwhile',
    };
  return partlyDone(session, code, missing, 'Only the last messages were changed');
}

/** Throws when the account may change none of the flags. */
function needPermission(view: MailboxView, request: Request): void {
  if (!touches(request, permittedFlags(view.rights))) needRights(view, neededFor(request));
}

/** RFC 4314 section 4: it is enough to be allowed one of the flags; the others stay as they are. */
function touches({ mode, set }: Request, permitted: Permitted | undefined): boolean {
  if (permitted === undefined) return true;
  if (mode === 'replace' && set.flags === 0 && set.keywords.length === 0)
    return permitted.flags !== 0 || permitted.keywords;
  return (set.flags & permitted.flags) !== 0 || (set.keywords.length > 0 && permitted.keywords);
}

function neededFor({ set }: Request): number {
  let needed = 0;
  if ((set.flags & Flag.Seen) !== 0) needed |= Right.Seen;
  if ((set.flags & Flag.Deleted) !== 0) needed |= Right.DeleteMessages;
  if ((set.flags & ~(Flag.Seen | Flag.Deleted)) !== 0 || set.keywords.length > 0 || needed === 0)
    needed |= Right.Write;
  return needed;
}

interface Written extends StoreFlagsResult {
  /** What the account was allowed to change; undefined: all. */
  readonly permitted: Permitted | undefined;
}

async function write(session: Session, request: Request, range: UidRange): Promise<Written> {
  const { set, mode, unchangedSince } = request;
  // What others changed so far is told apart from what we change.
  await refresh(session);
  const view = viewOf(session);
  // The rights may have been read anew just now.
  needPermission(view, request);
  const permitted = permittedFlags(view.rights);
  // Nobody is told of the rows of a .SILENT STORE of what the client knows.
  const known =
    request.silent && permitted === undefined && !view.hasChanges && !session.enabled.has('CONDSTORE');
  const result = await session.options.store.write.run('mailstore.storeFlags', {
    accountId: view.accountId,
    mailboxId: view.mailboxId,
    ranges: [range],
    mode,
    set,
    ...(unchangedSince !== undefined && { unchangedSince }),
    ...(permitted !== undefined && { permitted }),
    ...(known && { knownModseq: view.modseq }),
  });
  return { ...result, permitted };
}

async function answer(session: Session, request: Request, result: Written, byUid: boolean): Promise<void> {
  const view = viewOf(session);
  const limited = result.permitted !== undefined;
  // RFC 9051 section 6.4.6: .SILENT is for what the client knows. If anything else was committed since we looked, it
  // does not know these flags for sure.
  const undisturbed = result.modseqBefore <= view.modseq;
  const withFlags = !request.silent || !undisturbed;
  // Without a change of ours the number is that of somebody else's, of which the client has yet to be told.
  if (result.changed > 0) view.madeChange(result.modseq, undisturbed);
  else if (!undisturbed) view.dirty = true;
  const withUid = byUid || session.enabled.has('CONDSTORE') || isRev2(session);
  // What others did to these messages before must not be told after it: that would look like the newest.
  const news = view.supersede(result.rows);
  if (!withFlags && news.size === 0 && !limited && !session.enabled.has('CONDSTORE')) return;
  for (const row of result.rows) {
    const flags = withFlags || news.has(row.uid) || (limited && !asWished(request, row));
    if (!flags && !session.enabled.has('CONDSTORE')) continue;
    tellFlags(session, row, withUid, flags);
    await flushIfFull(session);
  }
}

/**
 * The command is refused after all, and some messages were changed before that (RFC 9051 section 6.4.6 does not ask for
 * all or nothing): a client that asked for .SILENT takes them for unchanged, so it is told.
 */
async function tellDone(session: Session, done: readonly UidRange[], byUid: boolean): Promise<void> {
  const view = viewOf(session);
  const withUid = byUid || session.enabled.has('CONDSTORE') || isRev2(session);
  for (const range of view.chunks(done, SESSION_LIMITS.rowsPerPage)) {
    const rows = await session.options.store.read.run('mailstore.fetch', {
      mailboxId: view.mailboxId,
      ranges: [range],
      want: [],
      limit: SESSION_LIMITS.rowsPerPage,
    });
    view.supersede(rows);
    for (const row of rows) {
      tellFlags(session, row, withUid);
      await flushIfFull(session);
    }
  }
}

/**
 * Whether a message is now as the client wanted it. RFC 4314 section 4: flags that the account may not change stay as
 * they were, and the command is OK all the same: after .SILENT the client would take them for changed.
 */
function asWished({ mode, set }: Request, row: StoreFlagsResult['rows'][number]): boolean {
  const has = new Set(row.keywords.map((keyword) => keyword.toLowerCase()));
  const named = new Set(set.keywords.map((keyword) => keyword.toLowerCase()));
  const flags = row.flags & set.flags;
  if (mode === 'remove') return flags === 0 && named.isDisjointFrom(has);
  if (mode === 'add') return flags === set.flags && named.isSubsetOf(has);
  return row.flags === set.flags && named.size === has.size && named.isSubsetOf(has);
}
