import type { LeasedWork } from '../../data/queue/types.ts';

/** How one attempt went for one recipient. `reply` is the remote's words, or one sentence of ours when none spoke. */
export type Outcome = {
  readonly reply: string;
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
    }
  | {
      readonly outcome: 'deferred';
      /** The connection broke after the data was sent: the message may have arrived (counted, retried). */
      readonly lostReply: boolean;
    }
  | { readonly outcome: 'failed'; readonly status: string }
);

/** A way to hand over a message. One attempt; remote failures are outcomes, never exceptions. */
export interface Transport {
  readonly name: string;
  /** Outcomes by recipient id; a recipient that is missing was not tried (`stopping` came first). */
  attempt(
    work: LeasedWork,
    content: MessageContent,
    stopping: AbortSignal,
  ): Promise<ReadonlyMap<number, Outcome>>;
  /** Close idle connections. */
  close(): Promise<void>;
}

/** The octets of a queued message as they are to be sent: prefix in, hidden fields out. */
export interface MessageContent {
  readonly size: number;
  /** From the first octet each time it is called. */
  open(): AsyncIterable<Buffer>;
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
