import type { MailboxChanges } from '../../data/mailstore/types.ts';
import { Right } from '../../data/sharing/rights.ts';
import { renewRights } from './access.ts';
import { contextChanges, tellChanges } from './contexts.ts';
import { SESSION_LIMITS } from './limits.ts';
import type { MailboxView } from './mailbox-view.ts';
import { fetchHead, tellsVanished, tellVanished } from './numbers.ts';
import { flushIfFull, isRev2, type Session, SessionEnd, untagged, viewOf } from './session.ts';
import { flagList } from './wire/encoder.ts';

/** Read what changed in the selected mailbox into the view, when something did or with `force`. */
export async function refresh(session: Session, force = false): Promise<void> {
  const { view } = session;
  if (view === undefined || !(view.dirty || force)) return;
  await renewRights(session);
  // Before the read: what is committed while it runs wakes us again.
  view.dirty = false;
  const { read } = session.options.store;
  const changes = await read.run('mailstore.changesSince', {
    mailboxId: view.mailboxId,
    modseq: view.modseq,
  });
  if (!changes.exists || changes.uidvalidity !== view.uidvalidity)
    throw new SessionEnd(
      'the selected mailbox was deleted',
      '[UNAVAILABLE] The selected mailbox was deleted',
    );
  view.absorb(changes.complete ? changes : await completed(session, view, changes));
}

/** The store has forgotten some expunges: what it no longer has is gone. */
async function completed(
  session: Session,
  view: MailboxView,
  changes: MailboxChanges,
): Promise<MailboxChanges> {
  const { mailboxId } = view;
  const snapshot = await session.options.store.read.run('mailstore.snapshot', { mailboxId });
  return snapshot === undefined ? changes : { ...changes, expunged: view.missing(snapshot.uids) };
}

/**
 * Tell the client what the view has taken in, in the order that keeps its numbers right: EXPUNGE, EXISTS, RECENT, FETCH
 * (RFC 9051 sections 7.4.1 and 7.5.1).
 */
export async function tell(session: Session, withExpunges: boolean): Promise<void> {
  const { view } = session;
  if (view === undefined) return;
  // What a search has lost is told while its messages have their numbers, what it has won when they have theirs.
  const searches = withExpunges && view.watched ? await contextChanges(session, view) : [];
  await tellChanges(session, view, searches, 'gone');
  await tellNews(session, view, withExpunges);
  // RFC 5465 section 5.1: behind the FETCH that is the cause.
  await tellChanges(session, view, searches, 'left');
  await tellChanges(session, view, searches, 'added');
}

async function tellNews(session: Session, view: MailboxView, withExpunges: boolean): Promise<void> {
  if (!view.hasNews) return;
  const { expunged, gone, grown, changed } = view.tell(withExpunges);
  if (tellsVanished(session)) await tellVanished(session, gone);
  else {
    for (const seq of expunged) {
      untagged(session, `${seq} EXPUNGE`);
      await flushIfFull(session);
    }
  }
  if (grown) {
    untagged(session, `${view.count} EXISTS`);
    if (!isRev2(session)) untagged(session, `${view.recent} RECENT`);
  }
  // RFC 5465 section 3.1: a client may not want to hear of flags; not to name the selected mailbox is as NONE.
  const { notify } = session;
  const flags = notify === undefined || notify.selected?.events.has('FlagChange') === true;
  for (const row of flags ? changed : []) {
    // RFC 5465 section 5.1: who is told by NOTIFY is told the UID.
    const withUid = session.enabled.has('CONDSTORE') || isRev2(session) || notify !== undefined;
    tellFlags(session, row, withUid);
    await flushIfFull(session);
  }
}

/** An unsolicited FETCH with the flags of a message; nothing when it has no number. */
export function tellFlags(
  session: Session,
  row: { uid: number; modseq: number; flags: number; keywords: readonly string[] },
  withUid: boolean,
  withFlags = true,
): void {
  const view = viewOf(session);
  const seq = view.seqOf(row.uid);
  if (seq === 0) return;
  const items: string[] = [];
  if (withUid && !session.enabled.has('UIDONLY')) items.push(`UID ${row.uid}`);
  if (withFlags) {
    announceKeywords(session, row.keywords);
    items.push(`FLAGS ${flagList(row.flags, row.keywords, view.isRecent(row.uid))}`);
  }
  // RFC 7162 section 3.2: with CONDSTORE every such FETCH has MODSEQ.
  if (session.enabled.has('CONDSTORE')) items.push(`MODSEQ (${row.modseq})`);
  untagged(session, `${fetchHead(session, seq, row.uid)} (${items.join(' ')})`);
}

const SYSTEM_FLAGS = '\\Answered \\Flagged \\Deleted \\Seen \\Draft';

/** FLAGS and PERMANENTFLAGS (RFC 9051 sections 7.3.5 and 7.1). */
export function announceFlags(session: Session, view: MailboxView): void {
  const keywords = [...view.announced.values()].map((keyword) => flagList(0, [keyword], false).slice(1, -1));
  const all = [SYSTEM_FLAGS, ...keywords.filter((keyword) => keyword !== '')].join(' ');
  untagged(session, `FLAGS (${all})`);
  const permanent = view.readOnly ? '' : permanentFlags(view, keywords);
  untagged(
    session,
    `OK [PERMANENTFLAGS (${permanent})] ${view.readOnly ? 'Read-only' : 'Keywords may be new'}`,
  );
}

/** The flags that this account may change (RFC 4314 section 5.2). */
function permanentFlags(view: MailboxView, keywords: readonly string[]): string {
  const flags: string[] = [];
  const may = (right: number): boolean => (view.rights & right) !== 0;
  if (may(Right.Write)) flags.push('\\Answered', '\\Flagged');
  if (may(Right.DeleteMessages)) flags.push('\\Deleted');
  if (may(Right.Seen)) flags.push('\\Seen');
  if (may(Right.Write)) flags.push('\\Draft', ...keywords.filter((keyword) => keyword !== ''), '\\*');
  return flags.join(' ');
}

/** A keyword the client has not heard of must be in FLAGS before it is shown on a message. */
export function announceKeywords(session: Session, keywords: readonly string[]): void {
  if (keywords.length === 0) return;
  const { announced } = viewOf(session);
  let news = false;
  for (const keyword of keywords) {
    const key = keyword.toLowerCase();
    if (announced.has(key) || announced.size >= SESSION_LIMITS.announcedKeywords) continue;
    announced.set(key, keyword);
    news = true;
  }
  if (news) announceFlags(session, viewOf(session));
}

/** Leave the selected mailbox. Recent messages we showed are claimed, so that the next session does not show them too. */
export async function deselect(session: Session): Promise<void> {
  const { view } = session;
  if (view === undefined) return;
  session.view = undefined;
  session.saved = [];
  session.contexts = [];
  view.close();
  if (view.readOnly || !view.own || !view.arrivals || view.recentUid === Number.POSITIVE_INFINITY) return;
  try {
    await session.options.store.write.run('mailstore.claimRecent', { mailboxId: view.mailboxId });
  } catch (error) {
    // \Recent is advisory (RFC 3501 section 2.3.2), and the mailbox may be gone.
    session.options.logger.debug({ error: String(error) }, 'imap: \\Recent not claimed');
  }
}
