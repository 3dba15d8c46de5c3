import type { Reader } from '../store.ts';
import { type MailboxEmails, mailboxEmails } from './mailbox-emails.ts';
import type { SearchIndex } from './types.ts';

/** What a protocol searches with: the index of emails, and where they lie. */
export interface MailSearch {
  readonly index: Pick<SearchIndex, 'find'>;
  readonly emails: MailboxEmails;
}

export function mailSearch(index: Pick<SearchIndex, 'find'>, read: Reader): MailSearch {
  return { index, emails: mailboxEmails(read) };
}
