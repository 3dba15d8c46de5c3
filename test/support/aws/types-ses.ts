/** The emulator's SES: sending, events and receiving. */

/** State of the SES account; tests write it. */
export interface SesSettings {
  /** False: sandbox. Default true. */
  production: boolean;
  sendingEnabled: boolean;
  /** 'SHUTDOWN' refuses too. */
  enforcement: 'HEALTHY' | 'PROBATION' | 'SHUTDOWN';
  /** Recipients a second; Infinity (default here): no limit. */
  maxSendRate: number;
  /** Recipients in 24 hours; -1: none. Default 50000. */
  max24HourSend: number;
  sentLast24Hours: number;
  /** Every send's answer takes so long, milliseconds; default 0. */
  latencyMs: number;
  /** Verified identities at the start. */
  identities: readonly string[];
}

export interface SesSent {
  /** As answered: "0102018f…-000000", without domain. */
  readonly messageId: string;
  readonly api: 1 | 2;
  /** Envelope sender as given. */
  readonly from: string;
  /** To, Cc and Bcc of the call, in this order. */
  readonly recipients: readonly string[];
  /** As the call had it (empty with `keepRaw: false`). */
  readonly raw: Buffer;
  /** Octets of it. */
  readonly size: number;
  /** As recipients get it: Message-ID and Date replaced, Return-Path and Bcc dropped. */
  readonly delivered: Buffer;
  readonly configurationSet: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly sourceArn: string | undefined;
  readonly fromArn: string | undefined;
  readonly returnPathArn: string | undefined;
  readonly at: number;
}

export type SesEventType =
  | 'Send'
  | 'Delivery'
  | 'Bounce'
  | 'Complaint'
  | 'Reject'
  | 'DeliveryDelay'
  | 'Rendering Failure'
  | 'Subscription';

export interface EventDestination {
  readonly name?: string;
  readonly topicArn?: string;
  /** Straight into a queue (name, URL or ARN), as over SNS with raw delivery. */
  readonly queue?: string;
  /** Default: all. */
  readonly events?: readonly SesEventType[];
  /**
   * 'event' (default): eventType, as configuration sets publish. 'notification': notificationType, as an identity's
   * feedback notifications (Bounce, Complaint, Delivery only).
   */
  readonly form?: 'event' | 'notification';
}

export interface BounceOptions {
  /** Default: all of the message's. */
  readonly recipients?: readonly string[];
  /** Default 'Permanent' / 'General'. */
  readonly type?: 'Permanent' | 'Transient' | 'Undetermined';
  readonly subType?: string;
  readonly diagnosticCode?: string;
  /** "5.1.1". */
  readonly status?: string;
}

export interface ReceiptRule {
  readonly name: string;
  /** Addresses, domains, ".domain" (its subdomains); empty: all. */
  readonly recipients?: readonly string[];
  readonly bucket: string;
  /** "new/". */
  readonly prefix?: string;
  readonly topicArn?: string;
  /** Spam and virus scan. Default true; false gives DISABLED verdicts. */
  readonly scan?: boolean;
  readonly enabled?: boolean;
  readonly ruleSet?: string;
}

export type SesVerdict = 'PASS' | 'FAIL' | 'GRAY' | 'PROCESSING_FAILED' | 'DISABLED';

export interface SesInbound {
  /** The message as its sender sent it. */
  readonly raw: Buffer | string;
  readonly recipients: readonly string[];
  /** Envelope sender, "" for bounces; default: the address of From. */
  readonly mailFrom?: string;
  /** Default "192.0.2.25". */
  readonly clientAddress?: string;
  /** Reverse name; default "mail.example.net". */
  readonly clientName?: string;
  /** Default: the reverse name. */
  readonly helo?: string;
  /** Verdicts: default PASS. */
  readonly spamVerdict?: SesVerdict;
  readonly virusVerdict?: SesVerdict;
  readonly spfVerdict?: SesVerdict;
  readonly dkimVerdict?: SesVerdict;
  readonly dmarcVerdict?: SesVerdict;
  /** Told when DMARC failed. */
  readonly dmarcPolicy?: 'none' | 'quarantine' | 'reject';
  /** Name of the rule; default: the first that matches a recipient. */
  readonly rule?: string;
  /** False: the object is put, and nobody is told. */
  readonly notify?: boolean;
  /** False: only the notification, no object (it was deleted meanwhile). */
  readonly store?: boolean;
}

export interface SesReceived {
  readonly messageId: string;
  readonly bucket: string;
  /** Prefix and message id. */
  readonly key: string;
  /** What was put there: SES's header fields and the message. */
  readonly object: Buffer;
  /** The JSON that is the SNS message's `Message`. */
  readonly notification: string;
  /** MessageId of the SNS message, where one was published. */
  readonly snsMessageId: string | undefined;
}

export interface SesControl extends Omit<SesSettings, 'identities'> {
  readonly sent: SesSent[];
  /** Domain or address. */
  verify(identity: string): void;
  /** Known, but not verified. */
  unverify(identity: string): void;
  createConfigurationSet(name: string, destinations?: readonly EventDestination[]): void;
  /** Addresses on the account's suppression list: accepted, then bounced. */
  readonly suppressed: Set<string>;
  /** Publish an event of a sent message (all its recipients, or those given). */
  bounce(messageId: string, options?: BounceOptions): void;
  complaint(messageId: string, options?: { recipients?: readonly string[]; feedbackType?: string }): void;
  delivery(messageId: string, options?: { recipients?: readonly string[]; smtpResponse?: string }): void;
  delay(messageId: string, options?: { recipients?: readonly string[]; delayType?: string }): void;
  reject(messageId: string, reason?: string): void;
  /** The mail that SES sends to the envelope sender instead of an event (RFC 3464, RFC 5965); give it to `receive` or SMTP. */
  bounceMail(messageId: string, options?: BounceOptions): Buffer;
  complaintMail(
    messageId: string,
    options?: { recipients?: readonly string[]; feedbackType?: string },
  ): Buffer;
  /** JSON of every event, published or not. */
  readonly events: { readonly type: SesEventType; readonly json: string }[];
  createReceiptRule(rule: ReceiptRule): void;
  /** A rule set of this name is the active one; the first rule's by default. */
  activeRuleSet: string | undefined;
  /** A message comes in from the Internet. Throws when no rule matches a recipient (SES would answer 550). */
  receive(inbound: SesInbound): SesReceived;
  /** Put the object AMAZON_SES_SETUP_NOTIFICATION that SES leaves when a rule is made. */
  setupNotification(ruleName?: string): void;
}
