import { point } from '../catalogue.ts';
import { acl } from './acl.ts';
import { annotationMarks, annotations } from './annotations.ts';
import { knownMailboxes, placeOf, resolveName, rightsOf } from './known.ts';

export const reads = {
  /** The mailbox a name means for an account, in all namespaces, with its rights. */
  'sharing.resolve': point(resolveName),
  /** Where a mailbox of that name would be made. */
  'sharing.place': point(placeOf),
  /** All an account may see, by name. */
  'sharing.mailboxes': point(knownMailboxes),
  /** Bits of `Right` of an account to a mailbox. */
  'sharing.rights': point(rightsOf),
  /** Annotations of a mailbox, or of the server, as an account sees them. */
  'sharing.annotations': point(annotations),
  /** When they were set, for whoever watches them. */
  'sharing.annotationMarks': point(annotationMarks),
  /** The access control list of a mailbox, its owner first. */
  'sharing.acl': point(acl),
} as const;
