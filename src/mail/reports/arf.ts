import { messageIds } from '../message/ids.ts';
import { readHeader, type Header } from '../message/headers.ts';
import { displayAddresses } from '../message/addresses.ts';
import { cleanCount, cleanDomain, cleanIp, cleanText, cleanTime } from './text.ts';

/** Octets of the report's fields and of the returned message that are read: header sections. */
export const ARF_PART_BYTES = 64 * 1024;
const RECIPIENTS_MAX = 20;

/** RFC 5965 7.3, RFC 6430 (not-spam), RFC 6591 (auth-failure), RFC 6650; anything else is 'other'. */
export type FeedbackType = 'abuse' | 'fraud' | 'virus' | 'not-spam' | 'auth-failure' | 'dmarc' | 'other';

const TYPES: ReadonlySet<string> = new Set(['abuse', 'fraud', 'virus', 'not-spam', 'auth-failure', 'dmarc']);

/** A complaint (Abuse Reporting Format, RFC 5965). All of it is the reporter's word. */
export interface Complaint {
  readonly type: FeedbackType;
  readonly userAgent: string;
  /** Messages alike that it stands for. */
  readonly incidents: number;
  readonly originalMailFrom: string;
  readonly originalRcptTo: readonly string[];
  readonly reportedDomains: readonly string[];
  readonly sourceIp: string;
  readonly arrivedAt: number | undefined;
  readonly original: {
    /** Without angle brackets; '' where the header was taken out. */
    readonly messageId: string;
    /** Addresses of From. */
    readonly from: readonly string[];
    readonly subject: string;
    readonly listUnsubscribe: boolean;
    readonly listId: string;
    /** Case numbers, subscriber ids and the like that senders put there for this purpose (RFC 6650 5.2). */
    readonly feedbackId: string;
  };
}

/**
 * Reads a complaint from its two machine-readable parts, decoded: message/feedback-report, and the returned message or
 * header (message/rfc822 or text/rfc822-headers). Undefined when there is no Feedback-Type.
 */
export function parseComplaint(report: Buffer, original: Buffer): Complaint | undefined {
  const fields = readHeader(report.subarray(0, ARF_PART_BYTES));
  const type = first(fields, 'feedback-type').toLowerCase();
  if (type === '') return undefined;
  const arrival = first(fields, 'arrival-date') || first(fields, 'received-date');
  return {
    type: TYPES.has(type) ? (type as FeedbackType) : 'other',
    userAgent: first(fields, 'user-agent'),
    incidents: Math.max(1, cleanCount(first(fields, 'incidents')) ?? 1),
    originalMailFrom: addressOf(first(fields, 'original-mail-from')),
    originalRcptTo: all(fields, 'original-rcpt-to')
      .map(addressOf)
      .filter((address) => address !== ''),
    reportedDomains: all(fields, 'reported-domain').map(cleanDomain),
    sourceIp: cleanIp(first(fields, 'source-ip')),
    arrivedAt: mailDate(arrival),
    original: originalOf(readHeader(original.subarray(0, ARF_PART_BYTES))),
  };
}

function originalOf(header: Header): Complaint['original'] {
  return {
    messageId: cleanText(messageIds(header.last('message-id') ?? '')[0] ?? ''),
    from: displayAddresses(header.last('from') ?? '', RECIPIENTS_MAX).map(({ address }) =>
      cleanText(address).toLowerCase(),
    ),
    subject: first(header, 'subject'),
    listUnsubscribe: header.first('list-unsubscribe') !== undefined,
    listId: first(header, 'list-id'),
    feedbackId: first(header, 'feedback-id'),
  };
}

function first(header: Header, name: string): string {
  return cleanText(header.first(name) ?? '');
}

function all(header: Header, name: string): string[] {
  return header
    .all(name)
    .slice(0, RECIPIENTS_MAX)
    .map((value) => cleanText(value));
}

/** "<a@b>" or "rfc822; a@b" or "a@b". */
function addressOf(value: string): string {
  return value
    .replace(/^rfc822\s?;\s?/i, '')
    .replace(/^<|>$/g, '')
    .trim();
}

function mailDate(value: string): number | undefined {
  const ms = Date.parse(value.slice(0, 60));
  return Number.isFinite(ms) ? ms : cleanTime(value);
}
