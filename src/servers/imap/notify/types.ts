import type { AnnotationMarks } from '../../../data/sharing/annotations.ts';
import type { KnownMailbox } from '../../../data/sharing/types.ts';
import type { MailboxView } from '../mailbox-view.ts';
import type { FetchAtt } from '../wire/fetch-att.ts';

/** Events of RFC 5465 section 5, AnnotationChange apart: there are no annotations of messages here. */
export const EVENTS = [
  'MessageNew',
  'MessageExpunge',
  'FlagChange',
  'MailboxName',
  'SubscriptionChange',
  'MailboxMetadataChange',
  'ServerMetadataChange',
] as const;
export type NotifyEvent = (typeof EVENTS)[number];

/** Which mailboxes, other than the selected one (RFC 5465 section 6). */
export type NotifyFilter =
  | { readonly kind: 'personal' | 'subscribed' }
  | { readonly kind: 'subtree' | 'mailboxes'; readonly names: readonly string[] };

export interface NotifyGroup {
  readonly filter: NotifyFilter;
  readonly events: ReadonlySet<NotifyEvent>;
}

/** What is wanted of the selected mailbox, whichever it is. */
export interface NotifySelected {
  /** Expunges wait for a command that allows them (RFC 5465 section 6.1.2). */
  readonly delayed: boolean;
  readonly events: ReadonlySet<NotifyEvent>;
  /** What to fetch of new messages. */
  readonly atts: readonly FetchAtt[];
}

/** What a client has asked for by NOTIFY SET, and what it was told. */
export interface Notify {
  readonly selected: NotifySelected | undefined;
  readonly groups: readonly NotifyGroup[];
  /** Something may have changed. */
  dirty: boolean;
  /** The mailboxes as the client knows them, by id. */
  known: ReadonlyMap<number, KnownMailbox>;
  marks: AnnotationMarks;
  /** Accounts that are listened to, and how to stop. */
  readonly watched: Map<number, () => void>;
  /** Messages up to this UID have been fetched in this view. */
  fetched: { readonly view: MailboxView; readonly uid: number } | undefined;
  /** Messages of it that the session has put there itself, not told yet. */
  made: readonly number[];
}
