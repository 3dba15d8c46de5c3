import type { AccountMail, Mail, Place } from './account-mail.ts';
import { keywordTest, type Marked } from './keywords.ts';

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

type Sums = { -readonly [Name in keyof AllCounts]: AllCounts[Name] };

/** Counters of mailboxes, and which of these is the Trash. */
export interface KeptCounts {
  readonly trash: number | undefined;
  readonly of: Map<number, Sums>;
}

/**
 * Counters of all mailboxes that hold any email. RFC 8621 section 2: a thread is unread in every mailbox that has one of its
 * emails; but what lies in the Trash alone counts there alone, and what lies elsewhere does not count in the Trash.
 */
export function countsOf(mail: AccountMail, trash: number | undefined): ReadonlyMap<number, AllCounts> {
  if (mail.counts === undefined || mail.counts.trash !== trash) {
    mail.counts = { trash, of: new Map() };
    for (const thread of mail.threads.values()) count(mail.counts, thread, 1);
  }
  return mail.counts.of;
}

/** Keeps counters true, thread by thread, while mail changes. */
export function recount(mail: AccountMail): {
  /** Must be called before anything in a thread changes. */
  before(threadId: number | undefined): void;
  /** Must be called when all is done. */
  after(): void;
} {
  const { counts } = mail;
  const changing = new Set<number>();
  return {
    before(threadId) {
      if (counts === undefined || threadId === undefined || changing.has(threadId)) return;
      changing.add(threadId);
      count(counts, mail.threads.get(threadId) ?? [], -1);
    },
    after() {
      if (counts === undefined) return;
      for (const threadId of changing) count(counts, mail.threads.get(threadId) ?? [], 1);
    },
  };
}

/** Count a thread, or take it out again. */
function count({ trash, of }: KeptCounts, thread: readonly Mail[], times: 1 | -1): void {
  const unreadIn = new Map<number, number>();
  let unread = false;
  for (const { places } of thread) {
    const isNew = isUnread(places);
    for (const mailboxId of mailboxesOf(places)) {
      if (isNew && mailboxId !== trash) unread = true;
      unreadIn.set(mailboxId, (unreadIn.get(mailboxId) ?? 0) + Number(isNew));
      sumsOf(of, mailboxId).totalEmails += times;
    }
  }
  for (const [mailboxId, emails] of unreadIn) {
    const sums = sumsOf(of, mailboxId);
    const here = Number(emails > 0);
    sums.unreadEmails += times * emails;
    sums.totalThreads += times;
    sums.unreadThreadsHere += times * here;
    sums.unreadThreads += times * (mailboxId === trash ? here : Number(unread));
    if (sums.totalEmails === 0) of.delete(mailboxId);
  }
}

function sumsOf(of: Map<number, Sums>, mailboxId: number): Sums {
  let sums = of.get(mailboxId);
  if (sums === undefined) {
    sums = { totalEmails: 0, unreadEmails: 0, totalThreads: 0, unreadThreads: 0, unreadThreadsHere: 0 };
    of.set(mailboxId, sums);
  }
  return sums;
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
