import type { Mailbox } from '../../../data/mailstore/types.ts';
import { Right } from '../../../data/sharing/rights.ts';
import type { KnownMailbox } from '../../../data/sharing/types.ts';
import { mayChange, needMailbox } from '../access.ts';
import { MailboxView } from '../mailbox-view.ts';
import { announceFlags, deselect } from '../refresh.ts';
import { tellSelected } from '../normalized.ts';
import { type Known, qresyncParameter, resynchronize } from '../qresync.ts';
import { noSuchMailbox } from '../replies.ts';
import { isRev2, type Session, untagged, untaggedOk } from '../session.ts';
import type { Decoder } from '../wire/decoder.ts';
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

async function open(session: Session, d: Decoder, examining: boolean): Promise<Outcome> {
  d.sp();
  const name = d.mailbox();
  let resync: Known | undefined;
  if (d.skip(' ')) {
    d.list(() => {
      resync = parameter(session, d) ?? resync;
    });
  }
  d.end();
  // RFC 9051 section 6.3.2: the old mailbox is left even when the new one cannot be selected.
  if (session.view !== undefined) {
    await deselect(session);
    untaggedOk(session, 'CLOSED', 'The previous mailbox is closed');
  }
  const found = await needMailbox(session, name, Right.Read);
  // RFC 4314 section 5.2: without a right to change anything it is read-only.
  const readOnly = examining || !mayChange(found.rights);
  const { view, mailbox, firstUnseen } = await openView(session, found, readOnly);
  session.view = view;
  announce(session, view, mailbox, firstUnseen);
  if (isRev2(session)) tellSelected(session, name, view.name);
  if (resync !== undefined) await resynchronize(session, resync);
  return {
    code: readOnly ? 'READ-ONLY' : 'READ-WRITE',
    text: `${examining ? 'EXAMINE' : 'SELECT'} completed`,
  };
}

function parameter(session: Session, d: Decoder): Known | undefined {
  const name = d.keyword('a parameter');
  if (name === 'QRESYNC') return qresyncParameter(session, d);
  // RFC 7162 section 3.1.8: CONDSTORE as a parameter enables it.
  if (name !== 'CONDSTORE') d.fail('the parameter CONDSTORE or QRESYNC before this');
  session.enabled.add('CONDSTORE');
  return undefined;
}

async function openView(
  session: Session,
  known: KnownMailbox,
  readOnly: boolean,
): Promise<{ view: MailboxView; mailbox: Mailbox; firstUnseen: number | undefined }> {
  const { store } = session.options;
  const { mailbox: found, own, rights } = known;
  const { id: mailboxId } = found;
  let view: MailboxView | undefined;
  let changed = false;
  // Listening starts before the snapshot, so that no change falls between.
  const stop = store.changes.onAccount(found.accountId, () => {
    changed = true;
    if (view === undefined) return;
    view.rightsStale = true;
    if (view.dirty) return;
    view.dirty = true;
    session.input.wake();
  });
  try {
    const recentUid = await recentFrom(session, found, readOnly || !own);
    const snapshot = await store.read.run('mailstore.snapshot', { mailboxId });
    if (snapshot === undefined) throw noSuchMailbox();
    const { uids, firstUnseen, keywords } = snapshot;
    // By the name that this account knows it by.
    const mailbox = { ...snapshot.mailbox, name: found.name };
    view = new MailboxView({ mailbox, own, rights, uids, readOnly, recentUid, keywords, stop });
    // What changed since we listen may or may not be in the snapshot; rights were looked at before that.
    view.dirty = changed;
    view.rightsStale = changed;
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
  announceFlags(session, view);
  untagged(session, `${view.count} EXISTS`);
  if (!isRev2(session)) {
    untagged(session, `${view.recent} RECENT`);
    const unseen = firstUnseen === undefined ? 0 : view.seqOf(firstUnseen);
    // RFC 9586 section 3.5: it is a number.
    if (unseen > 0 && !session.enabled.has('UIDONLY'))
      untaggedOk(session, `UNSEEN ${unseen}`, 'First unseen message');
  }
  untaggedOk(session, `UIDVALIDITY ${view.uidvalidity}`, 'UIDs are valid');
  untaggedOk(session, `UIDNEXT ${mailbox.uidnext}`, 'Predicted next UID');
  untaggedOk(session, `HIGHESTMODSEQ ${Math.max(1, view.modseq)}`, 'Highest mod-sequence');
  untaggedOk(session, `MAILBOXID (F${view.mailboxId})`, 'Object id');
}
