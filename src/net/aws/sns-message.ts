/** What Amazon SNS posts to an endpoint: its JSON, and the text of it that is signed. */

export type SnsType = 'Notification' | 'SubscriptionConfirmation' | 'UnsubscribeConfirmation';

export interface SnsMessage {
  readonly type: SnsType;
  readonly messageId: string;
  readonly topicArn: string;
  readonly message: string;
  /** As written, and in milliseconds since the epoch. */
  readonly timestamp: string;
  readonly sentAt: number;
  readonly subject: string | undefined;
  readonly token: string | undefined;
  readonly subscribeUrl: string | undefined;
  readonly signatureVersion: string;
  /** Base64. */
  readonly signature: string;
  readonly signingCertUrl: string;
}

/** Octets of a request: SNS carries messages of up to 256 KiB, which JSON may escape, and its own fields beside them. */
export const SNS_BODY_BYTES = 2 * 256 * 1024 + 64 * 1024;

const TYPES: ReadonlySet<string> = new Set([
  'Notification',
  'SubscriptionConfirmation',
  'UnsubscribeConfirmation',
]);

/** The message of a request body, or why it is none. */
export function parseSnsMessage(body: string): SnsMessage | { readonly problem: string } {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { problem: 'it is not JSON' };
  }
  return readSnsMessage(json);
}

/** The same of JSON that was parsed already. */
export function readSnsMessage(json: unknown): SnsMessage | { readonly problem: string } {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return { problem: 'it is no JSON object' };
  const fields = new Map(Object.entries(json));
  const text = (name: string): string | undefined => {
    const value: unknown = fields.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  const type = text('Type') ?? '';
  if (!isType(type)) return { problem: 'its Type is none that SNS has' };
  const required = ['MessageId', 'TopicArn', 'Message', 'Timestamp'] as const;
  const missing = required.find((name) => text(name) === undefined);
  if (missing !== undefined) return { problem: `it has no ${missing}` };
  const timestamp = text('Timestamp') ?? '';
  const sentAt = Date.parse(timestamp);
  if (!Number.isFinite(sentAt)) return { problem: 'its Timestamp is no time' };
  return {
    type,
    messageId: text('MessageId') ?? '',
    topicArn: text('TopicArn') ?? '',
    message: text('Message') ?? '',
    timestamp,
    sentAt,
    subject: text('Subject'),
    token: text('Token'),
    subscribeUrl: text('SubscribeURL'),
    signatureVersion: text('SignatureVersion') ?? '',
    signature: text('Signature') ?? '',
    signingCertUrl: text('SigningCertURL') ?? '',
  };
}

function isType(text: string): text is SnsType {
  return TYPES.has(text);
}

/**
 * The text that SNS signs: names and values of some fields, in this order, each on a line of its own. A subject takes
 * part only where there is one.
 */
export function signedText(message: SnsMessage): string {
  const { type, messageId, topicArn, timestamp, subject, token = '', subscribeUrl = '' } = message;
  const pairs =
    type === 'Notification'
      ? [
          ['Message', message.message],
          ['MessageId', messageId],
          ...(subject === undefined ? [] : [['Subject', subject]]),
          ['Timestamp', timestamp],
          ['TopicArn', topicArn],
          ['Type', type],
        ]
      : [
          ['Message', message.message],
          ['MessageId', messageId],
          ['SubscribeURL', subscribeUrl],
          ['Timestamp', timestamp],
          ['Token', token],
          ['TopicArn', topicArn],
          ['Type', type],
        ];
  return pairs.map(([name, value]) => `${name}\n${value}\n`).join('');
}

/** Region of a topic: "arn:aws:sns:eu-west-1:123456789012:name"; undefined for what is no ARN of a topic. */
export function topicRegion(arn: string): string | undefined {
  return /^arn:aws(?:-[a-z]{1,20}){0,2}:sns:([a-z0-9-]{1,40}):\d{12}:[A-Za-z0-9_.-]{1,256}$/.exec(arn)?.[1];
}
