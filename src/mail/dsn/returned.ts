import { isAscii as bytesAreAscii, isUtf8 } from 'node:buffer';
import { encodeQuotedPrintable, LINE_OCTETS } from './encode.ts';
import { headerSection } from './header.ts';
import type { DsnInput } from './types.ts';

/** Octets up to which a whole message is returned; of a larger one only the header, as large providers do. */
export const RETURNED_OCTETS = 256 * 1024;

/** The third part of the report. */
export interface Returned {
  readonly type: string;
  readonly encoding: '7bit' | '8bit' | 'quoted-printable';
  readonly bytes: Buffer;
  readonly isFull: boolean;
}

/**
 * What is returned of the original: all of it when that was asked for, is about a failure, is small enough and can
 * stand in a message as it is; otherwise its header. `unicode`: the notification goes out under SMTPUTF8.
 */
export function returnedContent(input: DsnInput, unicode: boolean): Returned {
  const header = headerSection(input.original.headerBytes);
  return fullMessage(input, header, unicode) ?? headersOnly(header, unicode);
}

function fullMessage(input: DsnInput, header: Buffer, unicode: boolean): Returned | undefined {
  const { full } = input.original;
  const isFailure = input.recipients.some((recipient) => recipient.action === 'failed');
  if (!full || input.ret !== 'FULL' || !isFailure || full.length > RETURNED_OCTETS) return undefined;
  if (!hasMailLines(full)) return undefined;
  if (bytesAreAscii(full)) return { type: 'message/rfc822', encoding: '7bit', bytes: full, isFull: true };
  if (input.allow8bit === false) return undefined;
  if (bytesAreAscii(header)) return { type: 'message/rfc822', encoding: '8bit', bytes: full, isFull: true };
  // A header in UTF-8 makes it a message/global (RFC 6532 3.7), which only an SMTPUTF8 transaction may carry.
  if (!unicode || !isUtf8(header)) return undefined;
  return { type: 'message/global', encoding: '8bit', bytes: full, isFull: true };
}

function headersOnly(header: Buffer, unicode: boolean): Returned {
  if (bytesAreAscii(header) && hasMailLines(header)) {
    return { type: 'text/rfc822-headers', encoding: '7bit', bytes: header, isFull: false };
  }
  if (unicode && isUtf8(header) && hasMailLines(header)) {
    return { type: 'message/global-headers', encoding: '8bit', bytes: header, isFull: false };
  }
  const charset = isUtf8(header) ? 'utf-8' : 'unknown-8bit'; // RFC 1428 section 3
  return {
    type: `text/rfc822-headers; charset=${charset}`,
    encoding: 'quoted-printable',
    bytes: Buffer.from(encodeQuotedPrintable(header)),
    isFull: false,
  };
}

/** Whether every line is ended by CRLF and within RFC 5322's limit, and there is no NUL: what 7bit and 8bit promise. */
function hasMailLines(bytes: Buffer): boolean {
  if (bytes.includes(0)) return false;
  const text = bytes.toString('latin1');
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\r\n', start);
    const line = text.slice(start, end < 0 ? undefined : end);
    if (line.length > LINE_OCTETS || line.includes('\r') || line.includes('\n')) return false;
    if (end < 0) return false;
    start = end + 2;
  }
  return true;
}
