import { readSnsMessage } from '../../net/aws/sns-message.ts';

/** What SES tells of a message that it has put into a bucket. */

export type SesVerdict = 'PASS' | 'FAIL' | 'GRAY' | 'PROCESSING_FAILED' | 'DISABLED';

export interface SesVerdicts {
  readonly spam?: SesVerdict;
  readonly virus?: SesVerdict;
  readonly spf?: SesVerdict;
  readonly dkim?: SesVerdict;
  readonly dmarc?: SesVerdict;
}

export interface SesNotice {
  readonly bucket: string;
  readonly key: string;
  readonly sesMessageId: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  /** Envelope sender; '' for the null one. */
  readonly sender: string;
  /** Of the envelope, as the receipt rule matched them; undefined when SES named none. */
  readonly recipients: readonly string[] | undefined;
  readonly verdicts: SesVerdicts;
}

/** The part of a notice that is kept with its object while that waits. */
export type KeptNotice = Pick<SesNotice, 'sesMessageId' | 'receivedAt' | 'sender' | 'verdicts'>;

export interface Unusable {
  readonly problem: string;
}

/** SES takes at most 500 recipients for one message. */
const RECIPIENTS_MAX = 1000;
/** Octets of a key (S3's own limit), and UTF-16 units of an address. */
const KEY_LENGTH = 1024;
const ADDRESS_LENGTH = 998;

type Json = Readonly<Record<string, unknown>>;

function record(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

const VERDICTS: ReadonlySet<string> = new Set(['PASS', 'FAIL', 'GRAY', 'PROCESSING_FAILED', 'DISABLED']);

export function verdictOf(word: string): SesVerdict | undefined {
  const upper = word.trim().toUpperCase();
  return VERDICTS.has(upper) ? (upper as SesVerdict) : undefined;
}

function verdictsOf(receipt: Json): SesVerdicts {
  const found: { -readonly [K in keyof SesVerdicts]: SesVerdict } = {};
  for (const name of ['spam', 'virus', 'spf', 'dkim', 'dmarc'] as const) {
    const verdict = verdictOf(text(record(receipt[`${name}Verdict`])['status']));
    if (verdict !== undefined) found[name] = verdict;
  }
  return found;
}

/** The notice of a `Message` of SNS, or what is wrong with it. */
export function parseNotice(message: string): SesNotice | Unusable {
  let json: unknown;
  try {
    json = JSON.parse(message);
  } catch {
    return { problem: 'it is not JSON' };
  }
  return readNotice(record(json));
}

function readNotice(json: Json): SesNotice | Unusable {
  const [mail, receipt] = [record(json['mail']), record(json['receipt'])];
  const action = record(receipt['action']);
  const kind = text(json['notificationType']) || text(json['eventType']);
  if (kind !== 'Received')
    return { problem: `it tells of "${kind.slice(0, 40)}", not of a message that SES received` };
  if (text(action['type']) !== 'S3')
    return { problem: `its action is "${text(action['type']).slice(0, 40)}", not S3: no object is named` };
  const [bucket, key] = [text(action['bucketName']), text(action['objectKey'])];
  if (bucket === '' || key === '' || Buffer.byteLength(key) > KEY_LENGTH)
    return { problem: 'it names no bucket and object' };
  const receivedAt = Date.parse(text(mail['timestamp']) || text(receipt['timestamp']));
  if (!Number.isFinite(receivedAt)) return { problem: 'it has no time' };
  return {
    bucket,
    key,
    sesMessageId: text(mail['messageId']).slice(0, 200),
    receivedAt,
    sender: bare(text(mail['source'])),
    recipients: addresses(receipt['recipients']),
    verdicts: verdictsOf(receipt),
  };
}

function addresses(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const found = value.map((each) => bare(text(each))).filter((each) => each !== '');
  return found.length === 0 ? undefined : [...new Set(found)].slice(0, RECIPIENTS_MAX);
}

function bare(address: string): string {
  return address.trim().replace(/^<|>$/g, '').slice(0, ADDRESS_LENGTH);
}

/**
 * The body of a message in a queue: SES's JSON itself (raw delivery), or that in the envelope of SNS. `topicArn`: of the
 * envelope. A queue was asked with our credentials, so no signature is looked at.
 */
export function unwrap(
  body: string,
): { readonly message: string; readonly topicArn: string | undefined } | Unusable {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { problem: 'it is not JSON' };
  }
  if (text(record(json)['Type']) === '') return { message: body, topicArn: undefined };
  const sns = readSnsMessage(json);
  if ('problem' in sns) return sns;
  if (sns.type !== 'Notification') return { problem: `it is a ${sns.type} of SNS` };
  return { message: sns.message, topicArn: sns.topicArn };
}

/** SES leaves this object when a rule is made; it is no mail. */
const SETUP = 'AMAZON_SES_SETUP_NOTIFICATION';

export function isSetupNotification(key: string): boolean {
  return key.slice(key.lastIndexOf('/') + 1) === SETUP;
}
