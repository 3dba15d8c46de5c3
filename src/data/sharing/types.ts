import type { Mailbox } from '../mailstore/types.ts';

/** A mailbox as an account that may see it knows it. */
export interface KnownMailbox {
  /** Its `name` is the one this account knows it by, its `accountId` that of its owner. */
  readonly mailbox: Mailbox;
  /** Its name in its owner's account. */
  readonly path: string;
  /** Bits of `Right` (rights.ts). */
  readonly rights: number;
  /** Whether it is the account's own. */
  readonly own: boolean;
}

/** Where a name leads, there or not: for making mailboxes. */
export interface NamedPlace {
  readonly accountId: number;
  readonly path: string;
  readonly own: boolean;
  /** What the account may do with the nearest mailbox above; everything at the top of its own. */
  readonly above: number;
}

/** An entry of an access control list. */
export interface AclEntry {
  /** Address, `anyone`, `@domain`, `group:ALIAS`; with "-" in front when it takes rights away. */
  readonly identifier: string;
  readonly rights: number;
}

/** Who changes an access control list: an account that has to have the right for it, or an administrator. */
export type RightsMode = 'replace' | 'add' | 'remove';
