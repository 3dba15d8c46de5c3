import { long, point, single } from '../catalogue.ts';
import { columns, packed } from './cache/packed.ts';
import { fewChangesSince, packedChangesSince } from './cache/packed-changes.ts';
import { content, fetch } from './fetch.ts';
import {
  changesSince,
  deletedSize,
  orphans,
  quota,
  snapshot,
  uidsByFlags,
  vanishedSince,
} from './listing.ts';
import { findMailbox, findMailboxById, listMailboxes } from './mailboxes.ts';
import { previews } from './previews.ts';
import { withoutKeys } from './sort-keys.ts';
import { sort } from './sorting.ts';
import { thread } from './threading.ts';
import { urlKey } from './url-keys.ts';

export const reads = {
  /** All mailboxes of an account, by name; deleted ones that are still subscribed come with id 0. */
  'mailstore.mailboxes': point(listMailboxes),
  'mailstore.mailbox': single(findMailbox),
  'mailstore.mailboxById': single(findMailboxById),
  /** Snapshot for SELECT: all UIDs, ascending, and the mailbox as of the same instant; first unseen UID. */
  'mailstore.snapshot': long(snapshot),
  /** Rows in UID order, at most `limit`; UIDs that are gone are left out. */
  'mailstore.fetch': point(fetch),
  /** The same between two UIDs, in columns and without anything of emails. */
  'mailstore.columns': single(columns),
  /** A mailbox and all its rows in columns, as of one instant; the cache (`cache/`) holds them. */
  'mailstore.packed': long(packed),
  /** However much it is, in place: the cache asks for it by the two below. */
  'mailstore.changesSince': point(changesSince),
  'mailstore.fewChangesSince': point(fewChangesSince),
  'mailstore.packedChangesSince': long(packedChangesSince),
  /** What QRESYNC asks for: UIDs that went after a modseq, without what changed. */
  'mailstore.vanishedSince': long(vanishedSince),
  'mailstore.content': single(content),
  /** UIDs by flag bits, for SEARCH without reading every row into the session: all of `all` set, none of `none`. */
  'mailstore.uidsByFlags': long(uidsByFlags),
  /** UIDs above `after` whose emails have no sort keys yet, ascending, at most `limit`. */
  'mailstore.withoutKeys': long(withoutKeys),
  /** SORT (RFC 5256) of ascending UIDs. `cache` names the store, for keys that are kept between calls. */
  'mailstore.sort': long(sort),
  /** THREAD (RFC 5256) of ascending UIDs: UIDs with 0 for "(" and 2^32-1 for ")". */
  'mailstore.thread': long(thread),
  /** Previews that are known of emails. */
  'mailstore.previews': point(previews),
  /** The URLAUTH key of an account for a mailbox. */
  'mailstore.urlKey': single(urlKey),
  'mailstore.quota': point(quota),
  'mailstore.deletedSize': point(deletedSize),
  /** Orphaned emails that can be brought back, newest first. */
  'mailstore.orphans': long(orphans),
} as const;
