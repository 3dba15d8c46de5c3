/** A way that a destination refuses; '*' is every destination. Times in milliseconds since the epoch. */
export interface WayRefusal {
  readonly way: string;
  readonly destination: string;
  readonly cause: string;
  /** The words that said so. */
  readonly reply: string;
  readonly since: number;
  /** When it is tried again. */
  readonly until: number;
  /** Refusals in a row. */
  readonly failures: number;
}

export interface Usage {
  readonly messages: number;
  readonly recipients: number;
  readonly octets: number;
}

export interface WayUsage extends Usage {
  readonly way: string;
  /** "2026-11-21" or "2026-11", UTC. */
  readonly period: string;
}

/** `sent`: taken; `unsure`: it may have been; `failed`: it was not. */
export type SendState = 'started' | 'sent' | 'unsure' | 'failed';

/** A call to a service that reports later what it did. */
export interface Send {
  /** Ours; the service repeats it in its reports. */
  readonly tag: string;
  readonly way: string;
  readonly state: SendState;
  /** The service's own id of the message. */
  readonly remoteId: string | undefined;
  readonly queueId: string;
  readonly trace: string;
  readonly accountId: number | undefined;
  readonly reversePath: string;
  readonly recipients: readonly SentTo[];
  readonly startedAt: number;
  /** Milliseconds to wait for its report before a call whose end is unknown is made again; 0: none will come. */
  readonly graceMs: number;
}

export interface SentTo {
  /** Of the queue's recipient. */
  readonly id: number;
  readonly address: string;
}
