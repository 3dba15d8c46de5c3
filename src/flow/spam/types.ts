/** One thing that speaks for or against a message. */
export interface Reason {
  /** UPPER_CASE name of the rule, list or partner; 'CONTENT' for the classifier. */
  readonly name: string;
  /** Nats of log-odds: above zero towards spam, below towards good mail. */
  readonly score: number;
  /** One plain line for a person who never met SPF. */
  readonly text: string;
  /** What would change it, in plain words. */
  readonly lever?: string;
}

/** What the judgement of one message for one account came to. */
export interface Verdict {
  readonly action: 'inbox' | 'junk' | 'refuse';
  /** Calibrated probability that it is spam, 0 to 1. */
  readonly probability: number;
  /** Sum of all reasons, nats. */
  readonly score: number;
  /** From this probability on mail goes to Junk. */
  readonly threshold: number;
  /** The strongest first. */
  readonly reasons: readonly Reason[];
  /** What decided, when it was no sum: a policy (DMARC, attachment, list, block list), an allow list. */
  readonly decidedBy?: Reason;
  /** The nearest thing that would have changed the action: "would be Inbox if ...". */
  readonly nearest?: string;
}
