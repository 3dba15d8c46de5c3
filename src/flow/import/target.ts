import type { FlagSet, SpecialUse } from '../../data/mailstore/types.ts';
import type { ImportStatus } from '../../data/importing/types.ts';
import type { Spooled } from './spool.ts';

/** The account that mail is brought into, wherever the server is. */
export interface ImportTarget {
  /** The mailbox of that use or name; made when there is none. */
  mailbox(wanted: {
    readonly name: string;
    readonly specialUse: SpecialUse | undefined;
    readonly subscribed: boolean;
  }): Promise<TargetMailbox>;
  /** Mailboxes there are. */
  mailboxes(): Promise<readonly TargetMailbox[]>;
  /** What was brought from a source before, by key and mailbox. */
  known(source: string): Promise<readonly KnownRow[]>;
  add(source: string, messages: readonly NewMessage[]): Promise<readonly AddResult[]>;
  setFlags(source: string, changes: readonly ({ readonly key: string } & FlagSet)[]): Promise<number>;
  place(source: string, key: string, mailboxIds: readonly number[]): Promise<number>;
  remove(
    source: string,
    items: readonly { readonly key: string; readonly mailboxId: number }[],
  ): Promise<number>;
  /** SHA-256 of each message of a mailbox as it lies there now, in hex, by UID. */
  digests(mailboxId: number): Promise<ReadonlyMap<number, string>>;
}

export interface TargetMailbox {
  readonly id: number;
  readonly name: string;
  readonly specialUse?: string | undefined;
  readonly messages: number;
}

export interface KnownRow extends FlagSet {
  readonly key: string;
  readonly mailboxId: number;
  readonly uid: number;
  readonly size: number;
  /** SHA-256 in hex. */
  readonly digest: string;
  /** As it is marked here now; undefined when it was moved or removed since. */
  readonly now: FlagSet | undefined;
}

export interface NewMessage extends FlagSet {
  readonly key: string;
  readonly mailboxIds: readonly number[];
  readonly receivedAt: number;
  readonly octets: Spooled;
}

export interface AddResult {
  readonly key: string;
  readonly status: ImportStatus | 'failed';
  /** Why it failed. */
  readonly why?: string | undefined;
}
