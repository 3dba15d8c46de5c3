import { long, point } from '../catalogue.ts';
import { content, fetch } from './fetch.ts';
import { changesSince, orphans, quota, snapshot, uidsByFlags } from './listing.ts';
import { findMailbox, findMailboxById, listMailboxes } from './mailboxes.ts';

export const reads = {
  /** All mailboxes of an account, by name; deleted ones that are still subscribed come with id 0. */
  'mailstore.mailboxes': point(listMailboxes),
  'mailstore.mailbox': point(findMailbox),
  'mailstore.mailboxById': point(findMailboxById),
  /** Snapshot for SELECT: all UIDs, ascending, and the mailbox as of the same instant; first unseen UID. */
  'mailstore.snapshot': long(snapshot),
  /** Rows in UID order, at most `limit`; UIDs that are gone are left out. */
  'mailstore.fetch': point(fetch),
  'mailstore.changesSince': point(changesSince),
  'mailstore.content': point(content),
  /** UIDs by flag bits, for SEARCH without reading every row into the session: all of `all` set, none of `none`. */
  'mailstore.uidsByFlags': long(uidsByFlags),
  'mailstore.quota': point(quota),
  /** Orphaned emails that can be brought back, newest first. */
  'mailstore.orphans': long(orphans),
} as const;
