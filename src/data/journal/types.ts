/**
 * The journal: every decision about a message or a connection is one typed event with its input, rule and reason.
 * `postern trace`, the web timeline and metrics are views of it. Passwords, bodies and tokens never enter it.
 */
export interface JournalEvent {
  /** Ties the events of one message, or of one session that carried none, together. */
  readonly trace: string;
  readonly at: number;
  readonly kind: JournalKind;
  /** Facts of the kind; small, JSON. Strings that come from outside are cut to 500 characters before they get here. */
  readonly data: JournalData;
  /** Terms this trace can be found by (see `terms`). */
  readonly terms: readonly string[];
}

export type JournalKind =
  | 'connection.refused' // before any transaction: limits, PROXY, TLS, DNSBL, ...
  | 'session.refused' // the server refused a command (sequence, framing, AUTH)
  | 'login.succeeded'
  | 'login.failed'
  | 'mail.refused' // MAIL was refused
  | 'recipient.refused' // RCPT was refused
  | 'message.refused' // after DATA
  | 'message.accepted' // from whom, how, how large, for whom
  | 'message.judged' // who sent it as far as can be proven, what the filter makes of it, and why
  | 'message.deposited' // into which mailbox, why there
  | 'message.queued' // for whom, by which way
  | 'message.signed'
  | 'message.snoozed' // put away by its reader, until when
  | 'message.woken' // it is back where it was
  | 'message.unsubscribed' // its reader has left the mailing list, by which way
  | 'script.acted' // a Sieve script did something other than filing: which line, what
  | 'script.failed' // a Sieve script failed, the message is in the inbox
  | 'delivery.attempt' // to which host, transcript in short, outcome per recipient
  | 'delivery.deferred'
  | 'delivery.delivered'
  | 'delivery.failed'
  | 'delivery.interrupted' // found leased at start: the process died mid-attempt, outcome unknown
  | 'delivery.bounced' // taken by the next hop, and came back later
  | 'delivery.complained' // reported as spam by its recipient
  | 'delivery.confirmed' // the service that took it says it has arrived, or is late
  | 'bounce.sent'
  | 'bounce.suppressed' // no DSN, and why
  | 'queue.changed' // by an administrator: hold, release, retry, drop, bounce
  | 'message.expunged'
  | 'ban.set' // a network may not log in, or an account is closed to strangers
  | 'ban.lifted' // by an administrator, before its time
  | 'account.held' // what the account sends is kept back
  | 'account.released' // by an administrator
  | 'intake.received' // mail that another host took for us, from a bucket: which object, who told of it, how late
  | 'intake.waiting' // it could not be taken yet, and why
  | 'intake.ended' // without a delivery: it was gone, is stuck, or was for nobody
  | 'intake.notice' // a notice that was refused or could not be understood, a subscription, an alarm
  | 'certificate.issued' // by an ACME authority: for which names, until when
  | 'certificate.failed' // none could be got: why, when it is tried again
  | 'certificate.expiring' // one that is in use ends soon, or has ended
  | 'disk.low' // new mail is put off: the disk's reserve is reached
  | 'disk.enough' // it is taken again
  | 'admin.changed';

export type JournalData = { readonly [key: string]: JournalValue };
export type JournalValue =
  | string
  | number
  | boolean
  | null
  | readonly JournalValue[]
  | { readonly [key: string]: JournalValue };

export const terms = {
  messageId: (id: string): string => `m:${id}`,
  queueId: (id: string): string => `q:${id}`,
  address: (address: string): string => `a:${address.toLowerCase()}`,
  network: (ip: string): string => `i:${ip}`,
  /** As told to the sender of a message that was refused or held back. */
  caseNumber: (number: string): string => `c:${number}`,
  /** A host name that a certificate is for. */
  host: (name: string): string => `h:${name.toLowerCase()}`,
  /** Key of an object in a bucket, without its prefix. */
  object: (key: string): string => `o:${key.slice(key.lastIndexOf('/') + 1)}`,
  /** Of an event that was folded into the row of another trace. */
  trace: (id: string): string => `t:${id}`,
};

/** The newest event that was folded into a row of an earlier one. */
export interface LastEvent {
  readonly trace: string;
  readonly at: number;
  readonly data: JournalData;
  /** Terms of all that were folded in, their traces among them, the newest last. */
  readonly terms: readonly string[];
}

export interface JournalRow extends JournalEvent {
  readonly id: number;
  /** How many alike this row stands for. `data` is the first one's; its `last` has `trace`, `at` and data of the newest. */
  readonly count: number;
  readonly lastAt: number;
}
