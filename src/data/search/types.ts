/**
 * The search index: which emails of an account have a text, with the meaning a plain scan has (docs/guides/search.md,
 * docs/adr/0017-search-index.md). Email ids are those of the table `emails`; which mailbox an email lies in, and with
 * which UID, is not the index's business (`mailboxEmails` of mailbox-emails.ts maps them).
 */

/** Where a text is looked for. 'text' is all of an email, 'body' all but its own header (RFC 9051 section 6.4.4). */
export type SearchField = 'text' | 'body' | { readonly header: string };

/**
 * What is looked for. `text` is in the form that texts are compared in (`fold` of mail/search/fold.ts); a header name is
 * in lower case, and an empty text of a header asks whether there is such a field. An empty text elsewhere matches all.
 */
export type SearchQuery =
  | { readonly kind: 'has'; readonly field: SearchField; readonly text: string }
  | { readonly kind: 'and' | 'or'; readonly of: readonly SearchQuery[] }
  | { readonly kind: 'not'; readonly of: SearchQuery };

/** What the index knows. */
export interface SearchAnswer {
  /** Emails that match, ascending. Some may have been deleted since. */
  readonly ids: Float64Array;
  /** Emails up to this id are in the index; those above have to be looked at one by one. */
  readonly upTo: number;
  /** Emails up to `upTo` that the index cannot tell about (their text is too large), ascending: to be looked at too. */
  readonly open: Float64Array;
}

/** One account's index, for people. */
export interface SearchState {
  readonly accountId: number;
  /** Emails in the index, those deleted since included. */
  readonly emails: number;
  /** Of these, emails whose text is too large for the index. */
  readonly open: number;
  readonly segments: number;
  /** Octets of its files. */
  readonly bytes: number;
  /** Emails up to this id are in it. */
  readonly upTo: number;
}

/** All of them. */
export interface SearchTotals {
  readonly accounts: number;
  readonly emails: number;
  readonly bytes: number;
  /** Accounts with emails that wait to be put into the index. */
  readonly waiting: number;
}

export interface SearchIndex {
  /**
   * Emails of an account that match. Takes in what has arrived first, as far as that is quick: what `upTo` and `open`
   * leave out the caller looks at itself. 'scan': the index cannot help at all at present. Never throws.
   */
  find(accountId: number, query: SearchQuery): Promise<SearchAnswer | 'scan'>;
  /** Throw the index of an account away, or of all, and build it anew; resolves when that has begun. */
  rebuild(accountId?: number): Promise<void>;
  /** What there is of these accounts. */
  states(accountIds: readonly number[]): Promise<readonly SearchState[]>;
  totals(): Promise<SearchTotals>;
  close(): Promise<void>;
}
