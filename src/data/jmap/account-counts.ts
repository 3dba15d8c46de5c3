import { type AccountMail, keywordTest, type Marked, type Place } from './account-mail.ts';

/** What mailboxes show of themselves, counted from the emails of an account. */

/** What a mailbox shows of itself (RFC 8621 section 2). */
export interface Counts {
  readonly totalEmails: number;
  readonly unreadEmails: number;
  readonly totalThreads: number;
  readonly unreadThreads: number;
}

/** `unreadThreadsHere`: those that are unread by an email in this very mailbox. */
export interface AllCounts extends Counts {
  readonly unreadThreadsHere: number;
}

/**
 * Counters of all mailboxes that hold any email. RFC 8621 section 2: a thread is unread in every mailbox that has one of its
 * emails; but what lies in the Trash alone counts there alone, and what lies elsewhere does not count in the Trash.
 */
export function countsOf(mail: AccountMail, trash: number | undefined): ReadonlyMap<number, AllCounts> {
  if (mail.counts !== undefined && mail.counts.trash === trash) return mail.counts.of;
  const unreadThreads = new Set<number>();
  const made = new Map<
    number,
    { total: number; unread: number; threads: Set<number>; unreadIn: Set<number> }
  >();
  for (const each of mail.emails.values()) {
    const unread = isUnread(each.places);
    const mailboxIds = mailboxesOf(each.places);
    if (unread && mailboxIds.some((id) => id !== trash)) unreadThreads.add(each.threadId);
    for (const mailboxId of mailboxIds) {
      let sums = made.get(mailboxId);
      if (sums === undefined)
        made.set(mailboxId, (sums = { total: 0, unread: 0, threads: new Set(), unreadIn: new Set() }));
      sums.total++;
      sums.threads.add(each.threadId);
      if (unread) {
        sums.unread++;
        sums.unreadIn.add(each.threadId);
      }
    }
  }
  const counts = new Map<number, AllCounts>();
  for (const [id, { total, unread, threads, unreadIn }] of made) {
    counts.set(id, {
      totalEmails: total,
      unreadEmails: unread,
      totalThreads: threads.size,
      unreadThreads: id === trash ? unreadIn.size : threads.intersection(unreadThreads).size,
      unreadThreadsHere: unreadIn.size,
    });
  }
  mail.counts = { trash, of: counts };
  return counts;
}

const isSeen = keywordTest('$seen');
const isDraft = keywordTest('$draft');

/** RFC 8621 section 2, by the keywords that the email has as a whole: clients count from those. */
function isUnread(places: readonly Marked[]): boolean {
  return !isSeen(places) && !isDraft(places);
}

/** An email may lie in a mailbox twice; it counts once. */
function mailboxesOf(places: readonly Place[]): readonly number[] {
  const ids = places.map(({ mailboxId }) => mailboxId);
  return ids.length < 2 ? ids : [...new Set(ids)];
}
