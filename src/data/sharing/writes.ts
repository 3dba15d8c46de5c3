import { setRights, setRightsAs } from './acl.ts';
import { annotate } from './annotations.ts';
import { subscribeShared } from './subscriptions.ts';

export const writes = {
  /** SETACL and DELETEACL by an account. */
  'sharing.setRightsAs': setRightsAs,
  /** The same by an administrator; returns the list as it is now. */
  'sharing.setRights': setRights,
  'sharing.annotate': annotate,
  'sharing.subscribe': subscribeShared,
} as const;
