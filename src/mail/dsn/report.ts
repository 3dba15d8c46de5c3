import { isAscii } from '../address/domain.ts';
import { encodeUtf8AddressXtext } from '../xtext.ts';
import { asciiLine, field, formatDate, oneLine } from './encode.ts';
import { isReply, replyLines } from './diagnostic.ts';
import type { DsnInput, DsnRecipient } from './types.ts';

/**
 * The part for programs: message/delivery-status (RFC 3464), or with `unicode` message/global-delivery-status
 * (RFC 6533 section 4), one group about the message and one for each recipient.
 */
export function deliveryStatus(input: DsnInput, unicode: boolean): string {
  const clean = unicode ? oneLine : asciiLine;
  let message = '';
  if (input.envid !== undefined) message += field('Original-Envelope-Id', clean(input.envid));
  message += field('Reporting-MTA', `dns; ${asciiLine(input.reportingMta)}`);
  if (input.arrived !== undefined) message += field('Arrival-Date', formatDate(input.arrived));
  return [message, ...input.recipients.map((recipient) => recipientGroup(recipient, unicode))].join('\r\n');
}

function recipientGroup(recipient: DsnRecipient, unicode: boolean): string {
  const { originalRecipient, action, diagnostic, remoteMta, lastAttempt, willRetryUntil } = recipient;
  const clean = unicode ? oneLine : asciiLine;
  let group = '';
  if (originalRecipient) {
    group += field(
      'Original-Recipient',
      typedAddress(originalRecipient.type, originalRecipient.address, unicode),
    );
  }
  group += field('Final-Recipient', typedAddress('rfc822', recipient.finalRecipient, unicode));
  group += field('Action', action);
  group += field('Status', asciiLine(recipient.status));
  if (remoteMta !== undefined) group += field('Remote-MTA', `dns; ${asciiLine(remoteMta)}`);
  if (diagnostic !== undefined) {
    const type = isReply(diagnostic) ? 'smtp' : 'x-local';
    group += field('Diagnostic-Code', `${type}; ${clean(replyLines(diagnostic).join(' '))}`);
  }
  if (lastAttempt !== undefined) group += field('Last-Attempt-Date', formatDate(lastAttempt));
  if (action === 'delayed' && willRetryUntil !== undefined) {
    group += field('Will-Retry-Until', formatDate(willRetryUntil)); // RFC 3464 2.3.9: only with delayed
  }
  return group;
}

/** `rfc822; a@b`; beyond ASCII `utf-8;` with UTF-8 or, in a 7-bit report, with utf-8-addr-xtext (RFC 6533 section 3). */
function typedAddress(type: string, address: string, unicode: boolean): string {
  const clean = oneLine(address);
  const label = asciiLine(type, 40).replace(/[^A-Za-z0-9-]/g, '') || 'unknown';
  if (isAscii(clean)) return `${label}; ${clean}`;
  return `utf-8; ${unicode ? clean : encodeUtf8AddressXtext(clean)}`;
}
