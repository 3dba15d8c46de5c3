import type { NewBlob } from '../mailstore/types.ts';

/** The queue's states; docs/queue.md shows who moves a recipient from which to which, and tests assert it. */
export type RecipientState = 'queued' | 'leased' | 'held' | 'delivered' | 'failed' | 'dropped';

export type QueueOrigin = 'submission' | 'forward' | 'dsn' | 'report';

/** A message to put into the queue with all its recipients, in the commit that answers for it. */
export interface Enqueue {
  readonly queueId: string;
  readonly trace: string;
  readonly origin: QueueOrigin;
  /** Account that sent it, or whose alias forwards it. */
  readonly accountId: number | undefined;
  /** '' is the null reverse-path. */
  readonly reversePath: string;
  /** False: never tell the reverse-path of a failure (it did not pass SPF or aligned DKIM, or is null). */
  readonly mayBounce: boolean;
  /** Octets before the stored ones (Received, DKIM-Signature). */
  readonly prefix: Uint8Array;
  readonly hidden: readonly (readonly [number, number])[];
  readonly ret: 'FULL' | 'HDRS' | undefined;
  readonly envid: string | undefined;
  readonly body: '7BIT' | '8BITMIME' | 'BINARYMIME';
  readonly smtputf8: boolean;
  readonly requireTls: boolean;
  /** We made or first signed this message, so we may re-encode it for a poorer next hop. */
  readonly originated: boolean;
  readonly messageId: string | undefined;
  /** Size as sent, prefix in, hidden out. */
  readonly size: number;
  /** When to warn and when to give up; undefined: never (the try-out holds mail for ever). */
  readonly warnAt: number | undefined;
  readonly expiresAt: number | undefined;
  /** Set: recipients start held, for this reason. */
  readonly holdReason: string | undefined;
  /** Not before this time (RFC 4865); until the first attempt the message may be taken back. */
  readonly releaseAt?: number | undefined;
  readonly recipients: readonly {
    readonly address: string;
    /** The domain deliveries are grouped by, normalised. */
    readonly destination: string;
    readonly orcpt: string | undefined;
    /** Comma-separated NOTIFY values, '' for none given. */
    readonly notify: string;
    /** Goes into a mailbox here: not held with its message. */
    readonly unheld?: boolean;
  }[];
}

export interface QueueMessage {
  readonly id: number;
  readonly queueId: string;
  readonly trace: string;
  readonly blobId: number;
  readonly blobSize: number;
  readonly prefix: Uint8Array;
  readonly hidden: readonly (readonly [number, number])[];
  readonly size: number;
  readonly accountId: number | undefined;
  readonly origin: QueueOrigin;
  readonly reversePath: string;
  readonly mayBounce: boolean;
  readonly ret: 'FULL' | 'HDRS' | undefined;
  readonly envid: string | undefined;
  readonly body: '7BIT' | '8BITMIME' | 'BINARYMIME';
  readonly smtputf8: boolean;
  readonly requireTls: boolean;
  readonly originated: boolean;
  readonly messageId: string | undefined;
  readonly createdAt: number;
  readonly warnAt: number | undefined;
  readonly expiresAt: number | undefined;
  readonly holdReason: string | undefined;
  /** Until when it waits to be sent; undefined once an attempt has begun. */
  readonly releaseAt?: number | undefined;
}

export interface QueueRecipient {
  readonly id: number;
  readonly messageId: number;
  readonly address: string;
  readonly destination: string;
  readonly orcpt: string | undefined;
  readonly notify: string;
  readonly state: RecipientState;
  /** Attempts made, failed ones included. */
  readonly attempts: number;
  readonly nextAt: number;
  readonly lastAt: number | undefined;
  readonly lastReply: string | undefined;
  readonly lastHost: string | undefined;
  readonly warned: boolean;
}

/** Recipients of one message going to one destination, leased together. */
export interface LeasedWork {
  readonly message: QueueMessage;
  readonly destination: string;
  readonly recipients: readonly QueueRecipient[];
}

/** How one attempt ended for one recipient. */
export type Settlement = {
  readonly recipientId: number;
  readonly reply: string;
  readonly host: string | undefined;
} & (
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'deferred'; readonly nextAt: number }
  | { readonly outcome: 'failed' }
  /** Lease given back untouched: no attempt was made (shutdown, concurrency). */
  | { readonly outcome: 'released'; readonly nextAt: number }
);

/** A message made by us that goes out or into a mailbox with the settlement (a DSN). */
export interface NewOutgoing {
  readonly blob: NewBlob;
  readonly enqueue: Enqueue;
}
