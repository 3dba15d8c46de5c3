import { randomToken } from '../../base/ids.ts';
import { contentReader } from '../../data/mailstore/content-reader.ts';
import type { LateKeys } from '../../data/mailstore/sort-keys.ts';
import type { MessageRow } from '../../data/mailstore/types.ts';
import type { Store } from '../../data/store.ts';
import { parseDate } from '../../mail/message/dates.ts';
import { readHeader } from '../../mail/message/headers.ts';
import { sortKeys } from '../../mail/message/sort-keys.ts';
import { SESSION_LIMITS } from './limits.ts';
import type { MailboxView } from './mailbox-view.ts';
import type { Progress } from './progress.ts';
import { flush, type Session, spend } from './session.ts';

/** What sessions of one store have in common. */
interface Sorting {
  /** Names the store where keys are kept between calls. */
  readonly cache: string;
  /** Up to which UID all messages of a mailbox are known to have keys. */
  readonly complete: Map<number, number>;
}

const sortings = new WeakMap<Store, Sorting>();
const MAX_MAILBOXES = 10_000;
/** UIDs asked for at once. */
const PAGE = 2000;

function sortingOf(store: Store): Sorting {
  let sorting = sortings.get(store);
  if (sorting === undefined) sortings.set(store, (sorting = { cache: randomToken(8), complete: new Map() }));
  return sorting;
}

/** Where the store keeps the keys of a view's mailbox. */
export function sortPlace(session: Session, view: MailboxView): { cache: string; mailboxId: number } {
  return { cache: sortingOf(session.options.store).cache, mailboxId: view.mailboxId };
}

/** Make the keys of messages that were stored before there were any. */
export async function ensureKeys(session: Session, view: MailboxView, progress: Progress): Promise<void> {
  const { store } = session.options;
  const { complete } = sortingOf(store);
  const { mailboxId, lastUid } = view;
  let after = complete.get(mailboxId) ?? 0;
  while (after < lastUid) {
    const uids = await store.read.run('mailstore.withoutKeys', { mailboxId, after, limit: PAGE });
    for (let at = 0; at < uids.length; at += SESSION_LIMITS.contentRowsPerPage) {
      await makeKeys(session, view, uids.slice(at, at + SESSION_LIMITS.contentRowsPerPage));
      progress.total = view.count;
      progress.done = view.firstSeqFrom(uids[at] ?? 0) - 1;
      await flush(session);
    }
    after = uids.length < PAGE ? lastUid : (uids.at(-1) ?? lastUid);
  }
  if (complete.size >= MAX_MAILBOXES) complete.clear();
  complete.set(mailboxId, Math.max(after, complete.get(mailboxId) ?? 0));
}

async function makeKeys(session: Session, view: MailboxView, uids: readonly number[]): Promise<void> {
  const { read, write } = session.options.store;
  const rows = await read.run('mailstore.fetch', {
    mailboxId: view.mailboxId,
    ranges: uids.map((uid) => ({ from: uid, to: uid })),
    want: ['content'],
    limit: uids.length,
  });
  const emails: LateKeys[] = [];
  for (const row of rows) {
    const keys = await keysOf(session, row);
    if (keys !== undefined) emails.push(keys);
  }
  if (emails.length > 0) await write.run('mailstore.addKeys', { emails });
}

async function keysOf(session: Session, row: MessageRow): Promise<LateKeys | undefined> {
  if (row.content === undefined) return undefined;
  try {
    const octets = await contentReader(session.options.store.blobs, row.content).header(
      SESSION_LIMITS.headerBytes,
    );
    await spend(session, octets.length * 4);
    const header = readHeader(octets);
    return {
      emailId: row.emailId,
      keys: sortKeys(header),
      sentAt: parseDate(header.last('date') ?? '')?.ms,
    };
  } catch (error) {
    // It is sorted as if it had no header.
    session.options.logger.warn({ emailId: row.emailId, error: String(error) }, 'imap: no sort keys');
    return undefined;
  }
}
