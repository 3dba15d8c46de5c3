import { MAX_UID, type UidRange } from '../../data/mailstore/types.ts';
import { SESSION_LIMITS } from './limits.ts';
import type { MailboxView } from './mailbox-view.ts';
import { tellVanishedEarlier } from './numbers.ts';
import { refresh, tellFlags } from './refresh.ts';
import { flushIfFull, type Session, spend, viewOf, yieldTurn } from './session.ts';
import { type Decoder, SyntaxFault } from './wire/decoder.ts';
import { type SequenceSet, STAR, tidy } from './wire/sequence-set.ts';

/** The parameter QRESYNC of SELECT and EXAMINE (RFC 7162 section 3.2.5): what the client knows of the mailbox. */
export interface Known {
  readonly uidvalidity: number;
  readonly modseq: number;
  /** Undefined: all up to the highest. */
  readonly uids: readonly UidRange[] | undefined;
  /** Some message numbers and their UIDs, as many ranges of the one as there are of the other, or not. */
  readonly match: { readonly numbers: readonly UidRange[]; readonly uids: readonly UidRange[] } | undefined;
}

/** A set without "*" and "$". */
function plainSet(d: Decoder, what: string): readonly UidRange[] {
  const set: SequenceSet = d.sequenceSet();
  if (set === '$' || set.some(({ from, to }) => from === STAR || to === STAR))
    return d.fail(`${what} without * before this`);
  return tidy(set, MAX_UID);
}

/** " (uidvalidity modseq [known-uids] [(numbers uids)])" behind QRESYNC. */
export function qresyncParameter(session: Session, d: Decoder): Known {
  if (!session.enabled.has('QRESYNC')) d.fail('ENABLE QRESYNC before this');
  d.sp();
  d.need('(');
  const uidvalidity = d.nzNumber('a UIDVALIDITY');
  d.sp();
  const modseq = d.number64('a mod-sequence');
  let uids: readonly UidRange[] | undefined;
  let match: Known['match'];
  if (d.skip(' ')) {
    if (!d.atList) {
      uids = plainSet(d, 'UIDs');
      if (d.skip(' ')) match = sequenceMatch(session, d);
    } else match = sequenceMatch(session, d);
  }
  d.need(')');
  return { uidvalidity, modseq, uids, match };
}

function sequenceMatch(session: Session, d: Decoder): Known['match'] {
  // RFC 9586 section 3.6: no message numbers there either.
  if (session.enabled.has('UIDONLY'))
    throw new SyntaxFault('expected no message numbers: UIDONLY is enabled', 'UIDREQUIRED');
  d.need('(');
  const numbers = plainSet(d, 'message numbers');
  d.sp();
  const uids = plainSet(d, 'UIDs');
  d.need(')');
  return { numbers, uids };
}

function* each(ranges: readonly UidRange[]): Generator<number, void> {
  for (const { from, to } of ranges) for (let number = from; number <= to; number++) yield number;
}

/**
 * The highest UID up to which nothing has gone since the client looked: where message n still has the UID it had, none
 * before it is missing (RFC 7162 section 3.2.5.2). 0 when no pair says so.
 */
async function unchangedUpTo(session: Session, view: MailboxView, match: Known['match']): Promise<number> {
  if (match === undefined) return 0;
  const uids = each(match.uids);
  let floor = 0;
  for (const number of each(match.numbers)) {
    const { value: uid } = uids.next();
    // There are no numbers beyond: however large the sets are, this ends.
    if (uid === undefined || number > view.count) break;
    if (view.uidAt(number) === uid) floor = uid;
    await spend(session, 20);
  }
  return floor;
}

/** What went and what changed since the client knew the mailbox, which has just been selected. */
export async function resynchronize(session: Session, known: Known): Promise<void> {
  const view = viewOf(session);
  // RFC 7162 section 3.2.5: with another UIDVALIDITY nothing the client knows is true.
  if (known.uidvalidity !== view.uidvalidity) return;
  const uids = known.uids ?? [{ from: 1, to: MAX_UID }];
  const floor = await unchangedUpTo(session, view, known.match);
  const above = uids
    .filter(({ to }) => to > floor)
    .map(({ from, to }) => ({ from: Math.max(from, floor + 1), to }));
  await tellVanishedEarlier(session, known.modseq, above);
  if (view.modseq <= known.modseq) return;
  const ranges = view.rangesOf(view.uidsIn(uids));
  for (const range of view.chunks(ranges, SESSION_LIMITS.rowsPerPage)) {
    const rows = await session.options.store.read.run('mailstore.fetch', {
      mailboxId: view.mailboxId,
      ranges: [range],
      want: [],
      changedSince: known.modseq,
      limit: SESSION_LIMITS.rowsPerPage,
    });
    for (const row of rows) {
      tellFlags(session, row, true);
      await flushIfFull(session);
    }
    await yieldTurn();
  }
  // These rows are newer than the view. What has gone meanwhile had no FETCH: it must be told with this answer, or the
  // client has messages of which it knows no UID.
  await refresh(session, true);
}
