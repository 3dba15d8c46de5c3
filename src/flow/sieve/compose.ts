import { readHeader } from '../../mail/message/headers.ts';
import { messageIds } from '../../mail/message/ids.ts';
import { decodeWords } from '../../mail/message/words.ts';
import { type MailtoMethod, parseMethod } from '../../mail/sieve/index.ts';
import type { SieveAction } from '../../mail/sieve/types.ts';
import { composeMail } from './own-mail.ts';

/** Message-IDs named in the References of a reply. */
const REFERENCES_MAX = 20;

export type Vacation = SieveAction & { readonly kind: 'vacation' };
export type Notify = SieveAction & { readonly kind: 'notify' };

/** What is written in answer to, and by whom. */
export interface Answering {
  /** Header section of the message. */
  readonly header: Buffer;
  readonly reversePath: string;
  /** Primary address of the account. */
  readonly owner: string;
  /** As it stands in From. */
  readonly from: string;
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

/** The octets of a vacation response (RFC 5230 5). */
export function vacationOctets(now: number, about: Answering, action: Vacation): Buffer {
  return composeMail(now, {
    from: about.from,
    to: action.to,
    subject: action.subject,
    domain: domainOf(about.owner),
    // RFC 5230 5.6, RFC 3834 5.
    fields: [['Auto-Submitted', 'auto-replied (vacation)'], ...threading(about.header)],
    text: action.reason,
    mime: action.mime,
  });
}

/** In-Reply-To and References of an answer (RFC 5322 3.6.4). */
function threading(octets: Buffer): [string, string][] {
  const header = readHeader(octets);
  const [messageId] = messageIds(header.last('message-id') ?? '');
  if (messageId === undefined || !isMessageId(messageId)) return [];
  const before =
    (header.last('references') ?? header.last('in-reply-to') ?? '').match(/<[^<>\s]{1,250}>/g) ?? [];
  const references = [...before.slice(-REFERENCES_MAX).filter(isPrintable), `<${messageId}>`];
  return [
    ['In-Reply-To', `<${messageId}>`],
    ['References', references.join(' ')],
  ];
}

function isMessageId(text: string): boolean {
  return text.length <= 250 && isPrintable(text) && !/[<>\s]/.test(text);
}

function isPrintable(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/** Whom a notification goes to. Undefined when the method is none that we know. */
export function notifyTarget({ method }: Notify): MailtoMethod | undefined {
  return parseMethod(method);
}

/** The octets of a notification by mail (RFC 5436 2.7), the same for all whom it goes to. */
export function notifyOctets(
  now: number,
  { header, reversePath, owner, from }: Answering,
  action: Notify,
  target: MailtoMethod,
): Buffer {
  const { recipients, copies } = target;
  const fields = new Map(target.fields);
  const about = decodeWords(readHeader(header).last('subject') ?? '');
  const fallback = `A message has come from <${reversePath}>.\n\nSubject: ${about}`;
  return composeMail(now, {
    from,
    to: recipients.slice(0, recipients.length - copies.length).join(', '),
    subject: action.message ?? fields.get('subject') ?? (about === '' ? 'New mail' : about),
    domain: domainOf(owner),
    fields: [
      ['Auto-Submitted', `auto-notified; owner-email="${owner.replace(/["\\]/g, '')}"`],
      ...(copies.length === 0 ? [] : [['Cc', copies.join(', ')] as const]),
      ...importance(action.importance),
    ],
    text: fields.get('body') ?? action.message ?? fallback,
    mime: false,
  });
}

/** RFC 5436 2.3: 1 is the most important. */
function importance(level: 1 | 2 | 3): [string, string][] {
  if (level === 2) return [];
  return [['Importance', level === 1 ? 'high' : 'low']];
}
