import type { UidRange } from '../../data/mailstore/types.ts';
import type { MailboxView } from './mailbox-view.ts';
import { flushIfFull, type Session, spend, untagged, viewOf } from './session.ts';
import { SyntaxFault } from './wire/decoder.ts';
import { formatRanges, formatSet } from './wire/sequence-set.ts';

/** How messages are named: by number and UID, or by UID alone (RFC 9586). */

/** UIDs or ranges of one response. */
const PER_RESPONSE = 2000;

/** What a FETCH response about a message begins with. */
export function fetchHead(session: Session, seq: number, uid: number): string {
  return session.enabled.has('UIDONLY') ? `${uid} UIDFETCH` : `${seq} FETCH`;
}

/** Whether messages that go are told by UID (RFC 7162 section 3.2.10, RFC 9586 section 3.3). */
export function tellsVanished(session: Session): boolean {
  return session.enabled.has('QRESYNC') || session.enabled.has('UIDONLY');
}

/** A client that has given up message numbers may not use them (RFC 9586 section 3.1). */
export function needNumbers(session: Session): void {
  if (session.enabled.has('UIDONLY'))
    throw new SyntaxFault('expected UIDs: UIDONLY is enabled', 'UIDREQUIRED');
}

/** VANISHED for messages that have gone; ascending UIDs. */
export async function tellVanished(session: Session, uids: readonly number[]): Promise<void> {
  for (let at = 0; at < uids.length; at += PER_RESPONSE) {
    untagged(session, `VANISHED ${formatSet(uids.slice(at, at + PER_RESPONSE))}`);
    await flushIfFull(session);
  }
}

/**
 * VANISHED (EARLIER): what has gone after a modseq, of the UIDs in `within` (ascending, disjoint), and is not in view.
 * Where the store has forgotten what went it is all that is not there (RFC 7162 section 3.2.5.1).
 */
export async function tellVanishedEarlier(
  session: Session,
  modseq: number,
  within: readonly UidRange[],
): Promise<void> {
  const view = viewOf(session);
  const { mailboxId } = view;
  const gone = await session.options.store.read.run('mailstore.vanishedSince', { mailboxId, modseq });
  const ranges = gone.complete
    ? rangesOf(session, gone.uids, within, view)
    : missing(session, view, within, Math.max(view.lastUid, gone.uidnext - 1));
  let page: UidRange[] = [];
  const tell = async (): Promise<void> => {
    untagged(session, `VANISHED (EARLIER) ${formatRanges(page)}`);
    page = [];
    await flushIfFull(session);
  };
  for await (const range of ranges) {
    page.push(range);
    if (page.length >= PER_RESPONSE) await tell();
  }
  if (page.length > 0) await tell();
}

/** UIDs looked at between turns, and the steps of one (see turns.ts). */
const PER_TURN = 256;
const STEPS_PER_UID = 20;

/** Ascending UIDs as ranges, those in `within` that are not in view. */
async function* rangesOf(
  session: Session,
  uids: Uint32Array,
  within: readonly UidRange[],
  view: MailboxView,
): AsyncGenerator<UidRange, void> {
  let at = 0;
  let from = 0;
  let to = 0;
  for (let i = 0; i < uids.length; i++) {
    const uid = uids[i] ?? 0;
    if (i % PER_TURN === 0) await spend(session, PER_TURN * STEPS_PER_UID);
    while ((within[at]?.to ?? uid) < uid) at++;
    const range = within[at];
    if (range === undefined) break;
    if (uid < range.from || view.seqOf(uid) > 0) continue;
    if (from > 0 && uid === to + 1) {
      to = uid;
      continue;
    }
    if (from > 0) yield { from, to };
    from = uid;
    to = uid;
  }
  if (from > 0) yield { from, to };
}

/** What of `within`, up to `last`, is not in view. */
async function* missing(
  session: Session,
  view: MailboxView,
  within: readonly UidRange[],
  last: number,
): AsyncGenerator<UidRange, void> {
  for (const { from, to } of within) {
    const end = Math.min(to, last);
    let next = from;
    for (let seq = view.firstSeqFrom(from); next <= end; seq++) {
      if (seq % PER_TURN === 0) await spend(session, PER_TURN * STEPS_PER_UID);
      const uid = view.uidAt(seq);
      const here = uid === 0 || uid > end ? end + 1 : uid;
      if (here > next) yield { from: next, to: here - 1 };
      next = here + 1;
    }
  }
}
