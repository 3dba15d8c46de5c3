import type { Mailbox } from '../../../data/mailstore/types.ts';
import { MailboxView } from '../mailbox-view.ts';
import { announceFlags, deselect } from '../refresh.ts';
import { noSuchMailbox } from '../replies.ts';
import { isRev2, loginOf, type Session, untagged, untaggedOk } from '../session.ts';
import type { Decoder } from '../wire/decoder.ts';
import { mailbox as mailboxText } from '../wire/encoder.ts';
import { type Command, LOGGED_IN, type Outcome } from './command.ts';

/** SELECT (RFC 9051 section 6.3.2). */
export const select: Command = {
  name: 'SELECT',
  states: LOGGED_IN,
  run: (session, d) => open(session, d, false),
};

/** EXAMINE (RFC 9051 section 6.3.3): the same, read-only. */
export const examine: Command = {
  name: 'EXAMINE',
  states: LOGGED_IN,
  run: (session, d) => open(session, d, true),
};

async function open(session: Session, d: Decoder, readOnly: boolean): Promise<Outcome> {
  d.sp();
  const name = d.mailbox();
  if (d.skip(' ')) d.list(() => parameter(session, d));
  d.end();
  // RFC 9051 section 6.3.2: the old mailbox is left even when the new one cannot be selected.
  if (session.view !== undefined) {
    await deselect(session);
    untaggedOk(session, 'CLOSED', 'The previous mailbox is closed');
  }
  const { accountId } = loginOf(session);
  const found = await session.options.store.read.run('mailstore.mailbox', { accountId, name });
  if (found === undefined) throw noSuchMailbox();
  const { view, mailbox, firstUnseen } = await openView(session, found, readOnly);
  session.view = view;
  announce(session, view, mailbox, firstUnseen);
  return {
    code: readOnly ? 'READ-ONLY' : 'READ-WRITE',
    text: `${readOnly ? 'EXAMINE' : 'SELECT'} completed`,
  };
}

function parameter(session: Session, d: Decoder): void {
  // RFC 7162 section 3.1.8: CONDSTORE as a parameter enables it.
  if (d.keyword('a parameter') !== 'CONDSTORE') d.fail('the parameter CONDSTORE before this');
  session.enabled.add('CONDSTORE');
}

async function openView(
  session: Session,
  found: Mailbox,
  readOnly: boolean,
): Promise<{ view: MailboxView; mailbox: Mailbox; firstUnseen: number | undefined }> {
  const { store } = session.options;
  const { id: mailboxId } = found;
  let view: MailboxView | undefined;
  // Listening starts before the snapshot, so that no change falls between.
  const stop = store.changes.onAccount(found.accountId, () => {
    if (view === undefined || view.dirty) return;
    view.dirty = true;
    session.input.wake();
  });
  try {
    const recentUid = await recentFrom(session, found, readOnly);
    const snapshot = await store.read.run('mailstore.snapshot', { mailboxId });
    if (snapshot === undefined) throw noSuchMailbox();
    const { mailbox, uids, firstUnseen, keywords } = snapshot;
    view = new MailboxView({ mailbox, uids, readOnly, recentUid, keywords, stop });
    // What changed while the snapshot was read may or may not be in it.
    view.dirty = true;
    return { view, mailbox, firstUnseen };
  } catch (error) {
    stop();
    throw error;
  }
}

/** From which UID on messages are \Recent here; taken over from the mailbox unless it is only looked at. */
async function recentFrom(session: Session, mailbox: Mailbox, readOnly: boolean): Promise<number> {
  // RFC 9051 has no \Recent.
  if (isRev2(session)) return Number.POSITIVE_INFINITY;
  if (readOnly || mailbox.recentUid >= mailbox.uidnext) return mailbox.recentUid;
  const claimed = await session.options.store.write.run('mailstore.claimRecent', { mailboxId: mailbox.id });
  return claimed.recentUid;
}

function announce(
  session: Session,
  view: MailboxView,
  mailbox: Mailbox,
  firstUnseen: number | undefined,
): void {
  const rev2 = isRev2(session);
  announceFlags(session, view);
  untagged(session, `${view.count} EXISTS`);
  if (!rev2) {
    untagged(session, `${view.recent} RECENT`);
    const unseen = firstUnseen === undefined ? 0 : view.seqOf(firstUnseen);
    if (unseen > 0) untaggedOk(session, `UNSEEN ${unseen}`, 'First unseen message');
  }
  untaggedOk(session, `UIDVALIDITY ${view.uidvalidity}`, 'UIDs are valid');
  untaggedOk(session, `UIDNEXT ${mailbox.uidnext}`, 'Predicted next UID');
  untaggedOk(session, `HIGHESTMODSEQ ${Math.max(1, view.modseq)}`, 'Highest mod-sequence');
  untaggedOk(session, `MAILBOXID (F${view.mailboxId})`, 'Object id');
  if (rev2) untagged(session, `LIST () "/" ${mailboxText(view.name, true)}`);
}
