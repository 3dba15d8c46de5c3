import type { SortKeys } from '../../mail/message/sort-keys.ts';

/** What the mail store keeps and answers. Times are milliseconds since the epoch, sizes octets. */

/** System flags as bits; keywords stand beside them. */
export const Flag = { Seen: 1, Answered: 2, Flagged: 4, Deleted: 8, Draft: 16 } as const;

/** Flags and keywords of one placement. Keywords keep the case they were first given in; compare without case. */
export interface FlagSet {
  readonly flags: number;
  readonly keywords: readonly string[];
}

export type SpecialUse = '\\Archive' | '\\Drafts' | '\\Junk' | '\\Sent' | '\\Trash' | '\\Flagged' | '\\All';

export interface Mailbox {
  readonly id: number;
  readonly accountId: number;
  /** Full path, levels separated by '/', Unicode NFC; the inbox is exactly 'INBOX'. */
  readonly name: string;
  readonly specialUse: string | undefined;
  readonly subscribed: boolean;
  readonly uidvalidity: number;
  readonly uidnext: number;
  /** HIGHESTMODSEQ of RFC 7162. */
  readonly modseq: number;
  readonly messages: number;
  readonly unseen: number;
  /** Messages with \Deleted (STATUS DELETED of RFC 9051). */
  readonly deleted: number;
  readonly size: number;
  /** Lowest UID that no read-write session has been told of (\Recent of RFC 3501). */
  readonly recentUid: number;
}

/** Inclusive UID range; `to` may be Infinity-like (use MAX_UID). */
export interface UidRange {
  readonly from: number;
  readonly to: number;
}

export const MAX_UID = 0xffff_ffff;

/** One row of `mailstore.fetch`; the optional parts are there when they were asked for. */
export interface MessageRow {
  readonly uid: number;
  readonly emailId: number;
  readonly threadId?: number;
  readonly modseq: number;
  readonly flags: number;
  readonly keywords: readonly string[];
  /** RFC822.SIZE. */
  readonly size: number;
  /** INTERNALDATE. */
  readonly receivedAt: number;
  /** SAVEDATE (RFC 8514). */
  readonly savedAt: number;
  /** Rendered IMAP texts, ready for the wire. */
  readonly envelope?: Uint8Array;
  readonly bodystructure?: Uint8Array;
  readonly content?: ContentRef;
}

/** Enough to read any octet range of an email as its reader sees it. */
export interface ContentRef {
  readonly emailId: number;
  readonly blobId: number;
  /** Octets put before the stored ones. */
  readonly prefix: Uint8Array;
  /** Ranges of the stored octets that are not shown, ascending, disjoint. */
  readonly hidden: readonly (readonly [number, number])[];
  /** JSON of the MIME structure, offsets into the stored octets (mail/message parseStructure). */
  readonly structure: string;
  /** Size of the stored octets, before prefix and hiding. */
  readonly blobSize: number;
}

export interface FetchRequest {
  readonly mailboxId: number;
  /** Ascending, disjoint. */
  readonly ranges: readonly UidRange[];
  /** Only rows with a modseq above this (CHANGEDSINCE). */
  readonly changedSince?: number;
  readonly want: readonly ('envelope' | 'bodystructure' | 'content' | 'thread')[];
  /** At most so many rows; ask again from the last UID + 1. */
  readonly limit: number;
}

export type StoreMode = 'add' | 'remove' | 'replace';

/** Which flags somebody may change; the others stay as they are (RFC 4314 section 4). */
export interface Permitted {
  /** Bits of `Flag`. */
  readonly flags: number;
  readonly keywords: boolean;
}

export interface StoreFlagsRequest {
  readonly accountId: number;
  readonly mailboxId: number;
  readonly ranges: readonly UidRange[];
  readonly mode: StoreMode;
  readonly set: FlagSet;
  /** UNCHANGEDSINCE: rows with a higher modseq are left alone and listed in `modified`. */
  readonly unchangedSince?: number;
  /** Undefined: all may be changed. */
  readonly permitted?: Permitted;
  /**
   * A modseq up to which the caller knows all rows: where nothing of the mailbox changed after it, `rows` may be left
   * empty, for they are what the caller can work out.
   */
  readonly knownModseq?: number;
}

export interface StoreFlagsResult {
  /** Modseq given to all rows that changed; the mailbox's when none did. */
  readonly modseq: number;
  /** The mailbox's before. Modseqs are counted for an account, so it may be more than one less. */
  readonly modseqBefore: number;
  /** How many rows of the request there are, those of `modified` left out. */
  readonly count: number;
  /** These rows after the change (also those that were so already); empty where `knownModseq` allows that. */
  readonly rows: readonly {
    readonly uid: number;
    readonly modseq: number;
    readonly flags: number;
    readonly keywords: readonly string[];
  }[];
  /** UIDs that failed UNCHANGEDSINCE. */
  readonly modified: readonly number[];
  /** How many of the rows were not so already. */
  readonly changed: number;
}

export interface CopyResult {
  readonly uidvalidity: number;
  /** Pairs in ascending source order. */
  readonly pairs: readonly (readonly [source: number, target: number])[];
}

export interface ExpungeResult {
  readonly uids: readonly number[];
  readonly modseq: number;
}

/** What changed in a mailbox after a modseq: the feed behind IDLE, NOOP, CONDSTORE and push. */
export interface MailboxChanges {
  readonly exists: boolean;
  readonly modseq: number;
  readonly uidnext: number;
  readonly uidvalidity: number;
  /** Ascending UIDs expunged since. */
  readonly expunged: readonly number[];
  /** Rows that are new or whose flags changed since, ascending by UID. */
  readonly changed: readonly {
    readonly uid: number;
    readonly modseq: number;
    readonly flags: number;
    readonly keywords: readonly string[];
  }[];
  /** False when the modseq lies so far back that some expunges are forgotten: then what is not there is gone. */
  readonly complete: boolean;
}

/** The stored octets of a message, as a write takes them: inline octets or a file already durable in the blob store. */
export interface NewBlob {
  /** Octets of the message. */
  readonly size: number;
  readonly encoding: 'raw' | 'zstd';
  readonly data: Uint8Array | undefined;
  readonly file: string | undefined;
}

/** What parsing a message gives the store: the same for each who holds it. */
export interface ParsedContent {
  readonly envelope: Uint8Array;
  readonly bodystructure: Uint8Array;
  readonly structure: string;
  /** Date field, if it has one that can be read. */
  readonly sentAt: number | undefined;
  /** Message-ID, without angle brackets. */
  readonly messageId: string | undefined;
  /** In-Reply-To and References, without angle brackets, newest last, at most 20. */
  readonly references: readonly string[];
  /** What it is sorted and threaded by; without them they are made when somebody asks. */
  readonly keys?: SortKeys;
}

/** Put one message into one account. */
export interface Deposit {
  readonly accountId: number;
  /** By special use or by name; a missing one falls back to INBOX, unless `create` has it made. */
  readonly mailbox:
    | { readonly specialUse: SpecialUse }
    | { readonly name: string; readonly create?: { readonly specialUse: SpecialUse | undefined } }
    | { readonly id: number };
  readonly prefix: Uint8Array;
  readonly hidden: readonly (readonly [number, number])[];
  readonly set: FlagSet;
  readonly receivedAt: number;
  readonly trace: string | undefined;
  /** Deliver although the quota is met (a copy that goes to Junk after others were told 250 is still counted). */
  readonly ignoreQuota: boolean;
}

export type DepositResult =
  | {
      readonly status: 'stored';
      readonly emailId: number;
      readonly mailboxId: number;
      readonly mailbox: string;
      readonly uidvalidity: number;
      readonly uid: number;
    }
  | { readonly status: 'over-quota' }
  | { readonly status: 'no-account' };
