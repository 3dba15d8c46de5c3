import type { Sent } from '../spam/types.ts';
import type { FlagSet, NewBlob, ParsedContent } from '../mailstore/types.ts';

/** Mail that comes from another mail system. Times are milliseconds since the epoch, sizes octets. */

/** UTF-16 units of a source's name and of a key within it. */
export const SOURCE_LENGTH = 1000;
export const KEY_LENGTH = 500;

export interface NewImport {
  readonly accountId: number;
  readonly sourceId: number;
  readonly key: string;
  /** Mailboxes of the account it goes into: one, or several for a message with labels. */
  readonly mailboxIds: readonly number[];
  readonly blob: NewBlob;
  readonly content: ParsedContent;
  /** SHA-256 of the octets. */
  readonly digest: Uint8Array;
  readonly set: FlagSet;
  readonly receivedAt: number;
  /** Of mail the account sent: whom it wrote to, who are no strangers to it then. */
  readonly wrote?: Pick<Sent, 'addresses' | 'names'>;
}

/** 'linked': another source brought the same octets into the same mailbox before; nothing was stored. */
export type ImportStatus = 'stored' | 'linked' | 'known' | 'over-quota' | 'no-account';

export interface KnownMessage {
  readonly key: string;
  readonly mailboxId: number;
  readonly uid: number;
  /** As the source had them when they were taken over last. */
  readonly flags: number;
  readonly keywords: readonly string[];
  readonly size: number;
  readonly digest: Uint8Array;
  /** As they are here now; undefined when the message was moved or removed since. */
  readonly now: FlagSet | undefined;
}
