import type { Mailbox } from '../../data/mailstore/types.ts';
import { enableCondstore } from './condstore.ts';
import { type Session, untagged, usesUtf8 } from './session.ts';
import type { Decoder } from './wire/decoder.ts';
import { mailbox as mailboxText } from './wire/encoder.ts';

type Item = (mailbox: Mailbox, session: Session) => string;

/** Data items of STATUS (RFC 9051 section 6.3.11 and others), by name. */
const ITEMS: Readonly<Record<string, Item>> = {
  MESSAGES: (mailbox) => String(mailbox.messages),
  // RFC 3501: those no session has been told of.
  RECENT: (mailbox) => String(Math.min(mailbox.messages, Math.max(0, mailbox.uidnext - mailbox.recentUid))),
  UIDNEXT: (mailbox) => String(mailbox.uidnext),
  UIDVALIDITY: (mailbox) => String(mailbox.uidvalidity),
  UNSEEN: (mailbox) => String(mailbox.unseen),
  DELETED: (mailbox) => String(mailbox.deleted),
  SIZE: (mailbox) => String(mailbox.size),
  HIGHESTMODSEQ: (mailbox) => String(Math.max(1, mailbox.modseq)),
  // RFC 7889 section 4.
  APPENDLIMIT: (_, session) => String(session.options.limits.messageBytes),
  // RFC 8474.
  MAILBOXID: (mailbox) => `(F${mailbox.id})`,
};

/** The one that is not among the mailbox's counters. */
const DELETED_STORAGE = 'DELETED-STORAGE';

/** status-att list: "(" name *(SP name) ")". */
export function statusItems(session: Session, d: Decoder): readonly string[] {
  return d.list(() => {
    const name = d.keyword('a status item');
    if (!Object.hasOwn(ITEMS, name) && name !== DELETED_STORAGE)
      d.fail('a status item that is known before this');
    // RFC 7162 section 3.1: a CONDSTORE enabling command.
    if (name === 'HIGHESTMODSEQ') enableCondstore(session);
    return name;
  });
}

/** Octets that EXPUNGE would free (RFC 9208 section 4.2). */
async function deletedStorage(session: Session, { id, deleted }: Mailbox): Promise<string> {
  if (deleted === 0) return '0';
  return String(await session.options.store.read.run('mailstore.deletedSize', { mailboxId: id }));
}

/** The STATUS response for a mailbox. */
export async function tellStatus(
  session: Session,
  mailbox: Mailbox,
  items: readonly string[],
): Promise<void> {
  const values: string[] = [];
  for (const name of items) {
    const value =
      name === DELETED_STORAGE ? await deletedStorage(session, mailbox) : ITEMS[name]?.(mailbox, session);
    values.push(`${name} ${value ?? 'NIL'}`);
  }
  untagged(session, `STATUS ${mailboxText(mailbox.name, usesUtf8(session))} (${values.join(' ')})`);
}
