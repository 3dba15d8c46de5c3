import type { LeasedWork, QueueMessage } from '../../data/queue/types.ts';

/**
 * Why a recipient was not taken, as far as the ways to send differ in it (routing/classify.ts tells it from a reply):
 * - reputation: our address is listed or unknown there; content: this message is spam to them
 * - greylisted: come back later, as strangers are told; rate: too much at once; quota: the way's allowance is used up; recipient: there is no such mailbox, or it is full
 * - sender: the way may not carry this sender (an SES identity that is not verified); auth: our login there failed
 * - tls: no TLS as it is asked for; network: no connection; size: too large for the way; policy: refused, no reason given
 * - message: the message itself cannot be sent; ours: a fault of ours
 */
export type Cause =
  | 'reputation'
  | 'content'
  | 'greylisted'
  | 'rate'
  | 'quota'
  | 'recipient'
  | 'sender'
  | 'auth'
  | 'tls'
  | 'network'
  | 'size'
  | 'policy'
  | 'message'
  | 'ours';

/** How one attempt went for one recipient. `reply` is the remote's words, or one sentence of ours when none spoke. */
export type Outcome = {
  readonly reply: string;
  /** What an administrator of several ways could do besides; the engine puts it behind `reply`. */
  readonly advice?: string | undefined;
  /** What the way itself knows of the cause; undefined: it is told from the reply. */
  readonly cause?: Cause | undefined;
  /** The destination asked to be left alone so long: no attempt before, milliseconds from now. */
  readonly pauseMs?: number | undefined;
  /** Which way was taken and why, set by the engine. */
  readonly via?: Via | undefined;
  /** Whom we spoke with or tried to: "mx.example.net [192.0.2.1]"; undefined when the decision was ours. */
  readonly host: string | undefined;
  /** Whether `reply` is the remote's own words; undefined when it is of an earlier attempt and nobody knows. */
  readonly answered: boolean | undefined;
} & (
  | {
      readonly outcome: 'delivered';
      /**
       * The success notice that is ours to send if one was asked for: 'relayed' when the next hop does not speak DSN
       * (RFC 3461 5.2.2), 'delivered' for a mailbox of ours; undefined when those after us see to it.
       */
      readonly success: 'relayed' | 'delivered' | 'expanded' | undefined;
      /** "TLSv1.3 verified", "plain": for the journal. */
      readonly tls: string;
      /** The next hop's own id of the message where it tells one that later reports name (SES). */
      readonly remoteId?: string | undefined;
    }
  | {
      readonly outcome: 'deferred';
      /** The connection broke after the data was sent: the message may have arrived (counted, retried). */
      readonly lostReply: boolean;
    }
  | { readonly outcome: 'failed'; readonly status: string }
);

/** How a recipient's outcome came about. */
export interface Via {
  readonly route: string;
  readonly transport: string;
  /** Ways that were passed over or failed before, a sentence each; in order. */
  readonly before: readonly string[];
}

/** What kind of way it is: what one kind cannot do another may. */
export type TransportKind = 'direct' | 'relay' | 'lmtp' | 'ses-smtp' | 'ses-api';

/**
 * A way to hand over a message. One attempt; remote failures are outcomes, never exceptions. An outcome with
 * `lostReply` may have been a delivery: it is never tried another way at once.
 */
export interface Transport {
  readonly name: string;
  readonly kind: TransportKind;
  /** Largest message it takes, octets; undefined: unknown. */
  readonly maxBytes?: number | undefined;
  /** Most recipients of one attempt; undefined: as many as there are. */
  readonly maxRecipients?: number | undefined;
  /**
   * Why this way cannot carry the message at all, whatever the recipient, in one sentence ("SES has no verified
   * identity for news@example.com"); undefined: it can. Asked before an attempt.
   */
  objection?(message: MessageFacts): Promise<Objection | undefined>;
  /**
   * Milliseconds within which the service behind it reports (by events that name `Attempt.tag`) that it took a message;
   * undefined: it never does. An attempt whose end is unknown waits so long for that report before it is made again.
   */
  readonly reportsWithinMs?: number | undefined;
  /** Outcomes by recipient id; a recipient that is missing was not tried (`stopping` came first). */
  attempt(
    work: LeasedWork,
    content: MessageContent,
    stopping: AbortSignal,
    attempt?: Attempt,
  ): Promise<ReadonlyMap<number, Outcome>>;
  /** Close idle connections. */
  close(): Promise<void>;
}

/** Why a way cannot carry a message. */
export interface Objection {
  readonly cause: Cause;
  readonly reason: string;
  /** See `Outcome`. */
  readonly advice?: string | undefined;
}

/** One attempt, as the engine knows it. */
export interface Attempt {
  /** Unique; services repeat it in their reports. */
  readonly tag: string;
}

/** What routes and transports may ask of a message. */
export interface MessageFacts {
  readonly message: QueueMessage;
  /** Address of the account that sent it, where one did. */
  readonly account: string | undefined;
  /** Header fields as they will be sent, in order: name in lower case, value unfolded, latin1. */
  readonly fields: readonly { readonly name: string; readonly value: string }[];
  /** Addresses of the From field, domains as A-labels in lower case. */
  readonly from: readonly string[];
}

/** The octets of a queued message as they are to be sent: prefix in, hidden fields out. */
export interface MessageContent {
  readonly size: number;
  /** From the first octet each time it is called. */
  open(): AsyncIterable<Buffer>;
}

/** What is wrong and what to do about it, in one sentence. */
export function withAdvice(text: string, advice: string | undefined): string {
  return advice === undefined ? text : `${text}; ${advice}`;
}

/** The same outcome for every recipient of the work. */
export function forAll(work: LeasedWork, outcome: Outcome): Map<number, Outcome> {
  return new Map(work.recipients.map(({ id }) => [id, outcome]));
}

export function failed(status: string, reply: string): Outcome {
  return {
    outcome: 'failed',
    status,
    reply: `${status.startsWith('5') ? '550' : '450'} ${status} ${reply}`,
    host: undefined,
    answered: false,
  };
}

/** Deferred for a reason of ours. */
export function deferred(reply: string): Outcome {
  return { outcome: 'deferred', reply, host: undefined, answered: false, lostReply: false };
}
