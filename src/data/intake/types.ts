import type { JournalEvent } from '../journal/types.ts';
import type { NewOutgoing } from '../queue/types.ts';

/** Mail that another host took for us and put into a bucket. Times are milliseconds since the epoch. */

export type ToldBy = 'sns' | 'sqs' | 'dead-letter' | 'sweep' | 'retry' | 'admin';

/**
 * - waiting: known of, not settled for everybody named
 * - guessed: given to those that could be told from its header; it stays in the bucket in case more are named
 * - done: settled for everybody; gone: it was not in the bucket; stuck: it will never do as it is
 */
export type IntakeState = 'waiting' | 'guessed' | 'done' | 'gone' | 'stuck';

/** `taken`: in a mailbox or on its way; `vault`: kept as unwanted; `bounced`: the sender was told; `failed`: and was not. */
export type RecipientOutcome = 'taken' | 'vault' | 'bounced' | 'dropped' | 'failed';

export interface IntakeName {
  readonly bucket: string;
  readonly key: string;
}

export interface IntakeObject extends IntakeName {
  readonly source: string;
  readonly state: IntakeState;
  /** Of all its events, whatever number of attempts it takes. */
  readonly trace: string;
  readonly toldBy: ToldBy;
  readonly firstAt: number;
  /** When SES took it, or when it appeared in the bucket. */
  readonly receivedAt: number;
  readonly size: number | undefined;
  readonly attempts: number;
  /** When it is tried again, or removed from the bucket. */
  readonly nextAt: number | undefined;
  /** Why it waits, or is stuck. */
  readonly reason: string;
  /** As SES named them; undefined when it did not. */
  readonly recipients: readonly string[] | undefined;
  /** JSON of what else it said. */
  readonly notice: string | undefined;
  readonly settledAt: number | undefined;
  readonly removedAt: number | undefined;
}

export interface SettledRecipient {
  /** Lower case. */
  readonly recipient: string;
  readonly outcome: RecipientOutcome;
}

/** What is written of an object, in the commit that made it so. */
export interface IntakePart
  extends Pick<
    IntakeObject,
    | 'bucket'
    | 'key'
    | 'source'
    | 'state'
    | 'trace'
    | 'toldBy'
    | 'receivedAt'
    | 'size'
    | 'nextAt'
    | 'reason'
    | 'recipients'
    | 'notice'
  > {
  /** Counts as a try that did not end it. */
  readonly attempt: boolean;
  /**
   * Recipients that are settled by this commit. `deposits`: places in the accept of which at least one must have been
   * stored; undefined: settled whatever the deposits came to.
   */
  readonly settled: readonly (SettledRecipient & { readonly deposits?: readonly number[] | undefined })[];
}

/** An end without an accept: nobody here gets the message. */
export interface IntakeSettle {
  readonly part: IntakePart;
  readonly notices: readonly NewOutgoing[];
  readonly events: readonly JournalEvent[];
}

export interface IntakeProblem {
  readonly id: number;
  readonly source: string;
  readonly toldBy: ToldBy;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly count: number;
  readonly reason: string;
  readonly body: string;
}

export interface IntakeCounts {
  readonly state: IntakeState;
  readonly count: number;
  /** The earliest `receivedAt`. */
  readonly oldest: number | undefined;
}
