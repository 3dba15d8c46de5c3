import { isAscii } from '../address/domain.ts';
import { asciiLine, encodeQuotedPrintable, field, formatDate, LINE_OCTETS, oneLine } from './encode.ts';
import { headerSection, messageIdOf, parseFields } from './header.ts';
import { deliveryStatus } from './report.ts';
import { type Returned, returnedContent } from './returned.ts';
import { humanText } from './text.ts';
import type { Dsn, DsnInput } from './types.ts';

/**
 * Build a delivery status notification: multipart/report (RFC 6522) of a text for a person, a delivery status for
 * programs (RFC 3464) and what is returned of the original. It is all ASCII unless the original's octets or, when its
 * sender used SMTPUTF8, its addresses or header are not (RFC 6533). To be sent with the null reverse-path.
 * Nothing that came from outside can end a line or a field in it.
 */
export function buildDsn(input: DsnInput): Dsn {
  const header = headerSection(input.original.headerBytes);
  const unicode = needsUnicode(input, header);
  const returned = returnedContent(input, unicode);
  const status = deliveryStatus(input, unicode);
  // "=_" cannot occur in quoted-printable; in returned content 120 random bits do not occur.
  const boundary = `=_${input.random(15).toString('hex')}`;
  const statusType = unicode ? 'message/global-delivery-status' : 'message/delivery-status';
  const parts = [
    textPart(humanText(input, header, returned.isFull)),
    partHeader(statusType, isAscii(status) ? '7bit' : '8bit', 'Delivery status') + status,
  ];
  const head = parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('');
  const bytes = Buffer.concat([
    Buffer.from(topHeader(input, header, boundary, unicode)),
    Buffer.from(head),
    Buffer.from(`--${boundary}\r\n${returnedHeader(returned)}`),
    returned.bytes,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  const is7bit = returned.encoding !== '8bit' && !unicode;
  return { bytes, body: is7bit ? '7BIT' : '8BITMIME', smtputf8: unicode };
}

/** The UTF-8 forms are for a sender who used SMTPUTF8, and only when something in the report is not ASCII. */
function needsUnicode(input: DsnInput, header: Buffer): boolean {
  if (!isAscii(input.to)) return true;
  if (!input.smtputf8) return false;
  const addresses = input.recipients.flatMap(({ finalRecipient, originalRecipient }) => [
    finalRecipient,
    originalRecipient?.address ?? '',
  ]);
  return !addresses.every(isAscii) || header.some((octet) => octet > 0x7f);
}

function topHeader(input: DsnInput, header: Buffer, boundary: string, unicode: boolean): string {
  const originalId = messageIdOf(parseFields(header.toString('latin1')).get('message-id'));
  const id = input.random(15).toString('hex');
  const clean = unicode ? oneLine : asciiLine;
  return [
    field('Date', formatDate(input.now)),
    field('From', `Mail delivery <${clean(input.from)}>`),
    field('To', `<${clean(input.to)}>`),
    field('Subject', subject(input)),
    field('Message-ID', `<${id}@${asciiLine(input.reportingMta)}>`),
    originalId === undefined ? '' : field('References', originalId),
    field('Auto-Submitted', 'auto-replied'), // RFC 3834 section 5
    field('MIME-Version', '1.0'),
    `Content-Type: multipart/report; report-type=${unicode ? 'global-delivery-status' : 'delivery-status'};\r\n`,
    ` boundary="${boundary}"\r\n\r\n`,
  ].join('');
}

function subject(input: DsnInput): string {
  const actions = new Set(input.recipients.map((recipient) => recipient.action));
  if (actions.has('failed')) return 'Your message could not be delivered';
  if (actions.has('delayed')) return 'Your message is delayed, we keep trying';
  if (actions.has('delivered')) return 'Your message was delivered';
  return 'Your message was passed on';
}

function textPart(text: string): string {
  const isPlain = isAscii(text) && text.split('\r\n').every((line) => line.length <= LINE_OCTETS);
  const head = partHeader(
    `text/plain; charset=${isPlain ? 'us-ascii' : 'utf-8'}`,
    isPlain ? '7bit' : 'quoted-printable',
    undefined,
  );
  return head + (isPlain ? text : encodeQuotedPrintable(Buffer.from(text)));
}

function returnedHeader({ type, encoding, isFull }: Returned): string {
  return partHeader(type, encoding, isFull ? 'Your message' : 'Header of your message');
}

function partHeader(type: string, encoding: string, description: string | undefined): string {
  const about = description === undefined ? '' : `Content-Description: ${description}\r\n`;
  return `Content-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n${about}\r\n`;
}
