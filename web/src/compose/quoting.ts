import type { EmailAddress } from '../jmap/types.ts';
import { addressText } from './addresses.ts';

/** Subjects, references and the lines around what is quoted. */

/** What programs of many languages put before the subject of an answer, and of a forwarded message. */
const REPLY_MARKS =
  /^(?:re|aw|antw|antwort|sv|vs|res|rif|ré|rv|odp|ynt|回复|答复|回覆)\s{0,9}(?:\[\d{1,3}\])?\s{0,9}[:：]\s*/i;
const FORWARD_MARKS = /^(?:fwd?|wg|tr|rv|enc|i|vb|doorst|转发|轉寄)\s{0,9}(?:\[\d{1,3}\])?\s{0,9}[:：]\s*/i;
const MOST_MARKS = 20;

function bare(subject: string, marks: readonly RegExp[]): string {
  let left = subject.trim();
  for (let round = 0; round < MOST_MARKS; round++) {
    const mark = marks.find((each) => each.test(left));
    if (mark === undefined) break;
    left = left.replace(mark, '');
  }
  return left;
}

/** "Re: " once, whatever stood there; that it was forwarded stays. */
export function replySubject(subject: string): string {
  const left = bare(subject, [REPLY_MARKS]);
  return `Re: ${left}`.trimEnd();
}

export function forwardSubject(subject: string): string {
  const left = bare(subject, [FORWARD_MARKS]);
  return `Fwd: ${left}`.trimEnd();
}

/** Message ids kept in References: the first and the last ones tell programs what belongs together (RFC 5537 section 3.4.4 does so). */
const MOST_REFERENCES = 30;

/** References of an answer (RFC 5322 section 3.6.4): those of the message, then itself. */
export function referencesFor(message: {
  readonly messageId: readonly string[] | null;
  readonly references: readonly string[] | null;
  readonly inReplyTo: readonly string[] | null;
}): string[] {
  const before = message.references ?? (message.inReplyTo?.length === 1 ? message.inReplyTo : null) ?? [];
  const all = [...new Set([...before, ...(message.messageId ?? [])])];
  if (all.length <= MOST_REFERENCES) return all;
  return [...all.slice(0, 1), ...all.slice(1 - MOST_REFERENCES)];
}

/** A fresh Message-ID without its angle brackets; the domain is that of the sender. */
export function newMessageId(from: string, random: string = crypto.randomUUID()): string {
  const domain = from.slice(from.lastIndexOf('@') + 1).toLowerCase();
  return `${random}@${/^[a-z0-9.-]+$/.test(domain) && domain !== '' ? domain : 'mail.invalid'}`;
}

/** Lines of text with "> " before each, and none after marks that are there already (RFC 3676 section 4.5). */
export function quoteText(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (line.startsWith('>') ? `>${line}` : line === '' ? '>' : `> ${line}`))
    .join('\n');
}

export interface ForwardLabels {
  readonly title: string;
  readonly from: string;
  readonly date: string;
  readonly subject: string;
  readonly to: string;
  readonly cc: string;
}

export interface ForwardedFields {
  readonly from: readonly EmailAddress[] | null;
  readonly to: readonly EmailAddress[] | null;
  readonly cc: readonly EmailAddress[] | null;
  readonly subject: string | null;
}

/** The lines above a forwarded message. */
export function forwardHead(
  message: ForwardedFields,
  date: string,
  labels: ForwardLabels,
): readonly (readonly [label: string, value: string])[] {
  const list = (addresses: readonly EmailAddress[] | null): string =>
    (addresses ?? []).map(addressText).join(', ');
  const rows: (readonly [string, string])[] = [
    [labels.from, list(message.from)],
    [labels.date, date],
    [labels.subject, message.subject ?? ''],
    [labels.to, list(message.to)],
    [labels.cc, list(message.cc)],
  ];
  return rows.filter(([, value]) => value !== '');
}
