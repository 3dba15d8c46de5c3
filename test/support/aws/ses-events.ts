import type { Core } from './internal.ts';
import { commonHeaders, listedHeaders, type ParsedMessage, parseMessage } from './ses-message.ts';
import { bounceMail, complaintMail } from './ses-feedback.ts';
import type { Sns } from './sns.ts';
import type { Sqs } from './sqs.ts';
import type { BounceOptions, EventDestination, SesControl, SesEventType, SesSent } from './types.ts';

export interface SesEvents {
  /** A message was accepted: Send, and whatever the mailbox simulator and the suppression list make of it. */
  sent(record: SesSent, message: ParsedMessage): void;
  readonly control: Pick<
    SesControl,
    | 'suppressed'
    | 'bounceMail'
    | 'complaintMail'
    | 'bounce'
    | 'complaint'
    | 'delivery'
    | 'delay'
    | 'reject'
    | 'events'
  >;
}

type Sections = Readonly<Record<string, unknown>>;

/** Name of the part of the event that tells of it. */
const SECTION: Readonly<Record<SesEventType, string>> = {
  Send: 'send',
  Delivery: 'delivery',
  Bounce: 'bounce',
  Complaint: 'complaint',
  Reject: 'reject',
  DeliveryDelay: 'deliveryDelay',
  'Rendering Failure': 'failure',
  Subscription: 'subscription',
};

/** Older notifications of an identity know no more than these. */
const NOTIFICATIONS: readonly SesEventType[] = ['Bounce', 'Complaint', 'Delivery'];

/** Local parts at simulator.amazonses.com. */
const SIMULATOR = /^([a-z]+)(?:\+[^@]*)?@simulator\.amazonses\.com$/i;

export function createEvents(
  core: Core,
  parts: {
    sqs: Sqs;
    sns: Sns;
    configurationSets: ReadonlyMap<string, EventDestination[]>;
    sent: readonly SesSent[];
    latencyMs(): number;
  },
): SesEvents {
  const events: { type: SesEventType; json: string }[] = [];
  const suppressed = new Set<string>();
  const headers = new Map<string, ParsedMessage>();

  const publish = (record: SesSent, type: SesEventType, section: Sections): void => {
    const destinations = parts.configurationSets.get(record.configurationSet ?? '') ?? [];
    // A bench that keeps no octets wants no events of messages that nobody listens to either.
    if (destinations.length === 0 && core.options.keepRaw === false) return;
    const message = headers.get(record.messageId) ?? parseMessage(record.raw);
    const mail = mailSection(core, record, message);
    const json = JSON.stringify({ eventType: type, mail, [SECTION[type]]: section });
    events.push({ type, json });
    for (const destination of destinations) {
      if (destination.events !== undefined && !destination.events.includes(type)) continue;
      const legacy = destination.form === 'notification';
      if (legacy && !NOTIFICATIONS.includes(type)) continue;
      const { tags: _, ...plain } = mail;
      const text = legacy
        ? JSON.stringify({ notificationType: type, mail: plain, [SECTION[type]]: section })
        : json;
      if (destination.topicArn !== undefined) {
        parts.sns.publish(destination.topicArn, text, 'Amazon SES Email Event Notification');
      }
      if (destination.queue !== undefined) parts.sqs.send(parts.sqs.find(destination.queue), text);
    }
  };
  const find = (messageId: string): SesSent => {
    const record = parts.sent.find((each) => each.messageId === messageId);
    if (record === undefined) throw new Error(`No message ${messageId} was sent`);
    return record;
  };
  const control: SesEvents['control'] = {
    suppressed,
    events,
    bounce: (messageId, options = {}) => publish(find(messageId), 'Bounce', bounce(find(messageId), options)),
    complaint(messageId, { recipients, feedbackType = 'abuse' } = {}) {
      const record = find(messageId);
      publish(record, 'Complaint', {
        feedbackId: feedbackId(),
        complaintSubType: null,
        complainedRecipients: (recipients ?? record.recipients).map((emailAddress) => ({ emailAddress })),
        timestamp: now(),
        userAgent: 'Amazon SES Mailbox Simulator',
        complaintFeedbackType: feedbackType,
        arrivalDate: new Date(record.at).toISOString(),
      });
    },
    delivery(messageId, { recipients, smtpResponse = '250 2.6.0 Message received' } = {}) {
      const record = find(messageId);
      publish(record, 'Delivery', {
        timestamp: now(),
        processingTimeMillis: Math.max(1, Date.now() - record.at),
        recipients: recipients ?? record.recipients,
        smtpResponse,
        remoteMtaIp: '192.0.2.10',
        reportingMTA: reportingMta(core),
      });
    },
    delay(messageId, { recipients, delayType = 'TransientCommunicationFailure' } = {}) {
      const record = find(messageId);
      publish(record, 'DeliveryDelay', {
        timestamp: now(),
        delayType,
        expirationTime: new Date(record.at + 14 * 3_600_000).toISOString(),
        delayedRecipients: (recipients ?? record.recipients).map((emailAddress) => ({
          emailAddress,
          status: '4.4.1',
          diagnosticCode: 'smtp; 421 4.4.1 Unable to connect to remote host',
        })),
      });
    },
    bounceMail: (messageId, options = {}) => bounceMail(core, find(messageId), options),
    complaintMail: (messageId, options = {}) => complaintMail(core, find(messageId), options),
    reject: (messageId, reason = 'Bad content') => publish(find(messageId), 'Reject', { reason }),
  };
  return {
    control,
    sent(record, message) {
      if (core.options.keepRaw === false && record.configurationSet !== undefined) {
        headers.set(record.messageId, { ...message, rest: Buffer.alloc(0) });
      }
      publish(record, 'Send', {});
      // The rest comes later, after the answer to the call.
      core.later(parts.latencyMs() + 1, true, () => simulate(control, record));
    },
  };
}

/** What the mailbox simulator answers, by address; all others receive their mail without an event of it. */
function simulate(control: SesEvents['control'], record: SesSent): void {
  for (const address of record.recipients) {
    const recipients = [address];
    if (control.suppressed.has(address.toLowerCase())) {
      control.bounce(record.messageId, { recipients, subType: 'OnAccountSuppressionList' });
      continue;
    }
    switch (SIMULATOR.exec(address)?.[1]?.toLowerCase()) {
      case 'success':
        control.delivery(record.messageId, { recipients });
        break;
      case 'bounce':
        control.bounce(record.messageId, { recipients });
        break;
      case 'ooto':
        control.delivery(record.messageId, { recipients });
        break;
      case 'complaint':
        control.delivery(record.messageId, { recipients });
        control.complaint(record.messageId, { recipients });
        break;
      case 'suppressionlist':
        control.bounce(record.messageId, { recipients, subType: 'Suppressed' });
        break;
      default:
    }
  }
}

function bounce(record: SesSent, options: BounceOptions): Sections {
  const type = options.type ?? 'Permanent';
  const suppressed = options.subType === 'Suppressed' || options.subType === 'OnAccountSuppressionList';
  const status = options.status ?? (type === 'Permanent' ? '5.1.1' : '4.4.7');
  const diagnosticCode =
    options.diagnosticCode ??
    (suppressed
      ? 'Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address.'
      : type === 'Permanent'
        ? 'smtp; 550 5.1.1 user unknown'
        : 'smtp; 452 4.2.2 mailbox full');
  return {
    feedbackId: feedbackId(),
    bounceType: type,
    bounceSubType: options.subType ?? 'General',
    bouncedRecipients: (options.recipients ?? record.recipients).map((emailAddress) => ({
      emailAddress,
      action: 'failed',
      status,
      diagnosticCode,
    })),
    timestamp: now(),
    reportingMTA: 'dns; a3-26.smtp-out.eu-west-1.amazonses.com',
  };
}

function mailSection(core: Core, record: SesSent, message: ParsedMessage): Record<string, unknown> {
  const domain = record.from.slice(record.from.lastIndexOf('@') + 1);
  return {
    timestamp: new Date(record.at).toISOString(),
    source: record.from,
    sourceArn: record.sourceArn ?? `arn:aws:ses:${core.region}:${core.accountId}:identity/${domain}`,
    sendingAccountId: core.accountId,
    messageId: record.messageId,
    destination: record.recipients,
    ...listedHeaders(message),
    commonHeaders: commonHeaders(message, record.messageId),
    tags: {
      'ses:source-tls-version': ['TLSv1.3'],
      'ses:operation': [record.api === 1 ? 'SendRawEmail' : 'SendEmail'],
      ...(record.configurationSet === undefined
        ? {}
        : { 'ses:configuration-set': [record.configurationSet] }),
      'ses:source-ip': ['127.0.0.1'],
      'ses:from-domain': [domain],
      'ses:caller-identity': ['postern'],
      ...Object.fromEntries(Object.entries(record.tags).map(([name, value]) => [name, [value]])),
    },
  };
}

function now(): string {
  return new Date(Date.now()).toISOString();
}

function feedbackId(): string {
  return `0102${Date.now().toString(16).padStart(12, '0')}-${crypto.randomUUID()}-000000`;
}

function reportingMta(core: Core): string {
  return `a7-10.smtp-out.${core.region}.amazonses.com`;
}
