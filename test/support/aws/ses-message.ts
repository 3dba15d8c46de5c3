import { randomBytes } from 'node:crypto';

/** As much of a message's header as SES looks at. */
export interface Field {
  readonly name: string;
  /** Unfolded, without the blank after the colon. */
  readonly value: string;
  /** As it stands in the message, with its line ends. */
  readonly octets: string;
}

export interface ParsedMessage {
  readonly fields: readonly Field[];
  /** From the empty line on. */
  readonly rest: Buffer;
}

/** Split header and body; lines may end in CRLF or LF. */
export function parseMessage(raw: Buffer): ParsedMessage {
  const end = headerEnd(raw);
  const fields: Field[] = [];
  const lines = raw.toString('latin1', 0, end).match(/[^\n]*\n|[^\n]+$/g) ?? [];
  let octets = '';
  const flush = (): void => {
    const colon = octets.indexOf(':');
    if (colon > 0) {
      const value = octets
        .slice(colon + 1)
        .replaceAll(/\r?\n(?=[ \t])/g, '')
        .trim();
      fields.push({ name: octets.slice(0, colon).trim(), value, octets });
    }
    octets = '';
  };
  for (const line of lines) {
    if (!/^[ \t]/.test(line)) flush();
    octets += line;
  }
  flush();
  return { fields, rest: raw.subarray(end) };
}

function headerEnd(raw: Buffer): number {
  const ends = ['\r\n\r\n', '\n\n'].flatMap((text) => {
    const at = raw.indexOf(text);
    return at === -1 ? [] : [at + text.length / 2];
  });
  return Math.min(raw.length, ...ends);
}

export function fieldOf({ fields }: ParsedMessage, name: string): string | undefined {
  return fields.find((field) => field.name.toLowerCase() === name.toLowerCase())?.value;
}

/** The addresses of a field of addresses, without names and comments. */
export function addressesIn(value: string): string[] {
  const plain = value.replaceAll(/"(?:[^"\\]|\\.)*"(?=[^@])/g, '').replaceAll(/\([^()]*\)/g, '');
  return plain.split(',').flatMap((part) => {
    const angle = /<([^<>]*)>/.exec(part)?.[1];
    const address = (angle ?? part.slice(part.lastIndexOf(':') + 1).replace(';', '')).trim();
    return address.includes('@') ? [address] : [];
  });
}

/** "0102018f2f5c…-<uuid>-000000": the time in milliseconds as hex, then randomness. */
export function outboundMessageId(now: number): string {
  return `0102${now.toString(16).padStart(12, '0')}-${crypto.randomUUID().slice(0, 8)}-${crypto.randomUUID().slice(9)}-000000`;
}

/** 40 characters, as the objects of receipt rules are named. */
export function inboundMessageId(): string {
  return randomBytes(40).toString('base64url').toLowerCase().replaceAll(/[-_]/g, 'a').slice(0, 40);
}

/** What recipients get: Message-ID and Date are SES's own; Return-Path, Bcc and SES's control fields are gone. */
export function rewritten(message: ParsedMessage, messageId: string, region: string, now: number): Buffer {
  const dropped = new Set(['message-id', 'date', 'return-path', 'bcc']);
  const kept = message.fields.filter(({ name }) => {
    const lower = name.toLowerCase();
    return !dropped.has(lower) && !CONTROL.has(lower);
  });
  const domain = region === 'us-east-1' ? 'email.amazonses.com' : `${region}.amazonses.com`;
  const own = [
    `Message-ID: <${messageId}@${domain}>\r\n`,
    `Date: ${mailDate(now)}\r\n`,
    `Feedback-ID: ::1.${region}.emulator:AmazonSES\r\n`,
    `X-SES-Outgoing: ${new Date(now).toISOString().slice(0, 10).replaceAll('-', '.')}-192.0.2.240\r\n`,
  ];
  const header = [...kept.map(({ octets }) => octets), ...own].join('');
  return Buffer.concat([Buffer.from(header, 'latin1'), message.rest]);
}

const CONTROL = new Set([
  'x-ses-configuration-set',
  'x-ses-message-tags',
  'x-ses-source-arn',
  'x-ses-from-arn',
  'x-ses-return-path-arn',
]);

/** RFC 5322 date-time in UTC. */
export function mailDate(ms: number): string {
  return new Date(ms).toUTCString().replace('GMT', '+0000');
}

/** Name and value of every field, as notifications list them: at most so many octets. */
export function listedHeaders({ fields }: ParsedMessage): {
  headersTruncated: boolean;
  headers: { name: string; value: string }[];
} {
  let octets = 0;
  const headers: { name: string; value: string }[] = [];
  for (const { name, value } of fields) {
    octets += name.length + value.length;
    if (octets > MAX_HEADERS) return { headersTruncated: true, headers };
    headers.push({ name, value });
  }
  return { headersTruncated: false, headers };
}

/** Notifications carry 10 KB of header. */
const MAX_HEADERS = 10_240;

export function commonHeaders(message: ParsedMessage, messageId: string): Record<string, unknown> {
  const list = (name: string): Record<string, string[]> => {
    const value = fieldOf(message, name);
    if (value === undefined) return {};
    const key = name === 'Reply-To' ? 'replyTo' : name.toLowerCase();
    return { [key]: value.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/).map((part) => part.trim()) };
  };
  const date = fieldOf(message, 'Date');
  const subject = fieldOf(message, 'Subject');
  const returnPath = fieldOf(message, 'Return-Path');
  return {
    ...(returnPath === undefined ? {} : { returnPath: addressesIn(returnPath)[0] ?? '' }),
    ...list('From'),
    ...(date === undefined ? {} : { date }),
    ...list('To'),
    ...list('Cc'),
    ...list('Reply-To'),
    messageId: fieldOf(message, 'Message-ID') ?? messageId,
    ...(subject === undefined ? {} : { subject }),
  };
}
