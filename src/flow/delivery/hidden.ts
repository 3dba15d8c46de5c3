import { claimsAuthservId } from '../../mail/authentication-results/authserv-id.ts';
import type { MessageStructure } from '../../mail/message/structure.ts';

type Ranges = (readonly [number, number])[];

/** Fields that only we may write: a message that arrives with them would speak in our name. */
const OURS = /^x-postern-/;

/** Fields that mail programs take for the word of the receiver's filter: where ours speaks, nobody else's is shown. */
const SPAM = /^x-spam(?:-|$)/;

/**
 * The octet ranges of header fields to hide on reading: those that claim our own verdicts (X-Postern-*, and
 * Authentication-Results that name us as their author, RFC 8601 section 5). The octets themselves stay as they came.
 */
export function claimingFields(
  structure: MessageStructure,
  header: Buffer,
  authservId: string,
  judged = false,
): Ranges {
  return fieldRanges(structure, (name, start, end) => {
    if (OURS.test(name) || (judged && SPAM.test(name))) return true;
    if (name !== 'authentication-results' && name !== 'arc-authentication-results') return false;
    const value = header.toString('latin1', start, Math.min(end, start + 1024));
    return name === 'authentication-results' && claimsAuthservId(value, authservId);
  });
}

/** Bcc, and fields that tell what program on which machine wrote the message: not for recipients. */
const PRIVATE = new Set([
  'bcc',
  'user-agent',
  'x-mailer',
  'x-originating-ip',
  'x-originating-host',
  'return-path',
]);

/** What a submission carries that must not go out (RFC 6409 8, RFC 5322 3.6.3). */
export function privateFields(structure: MessageStructure): Ranges {
  return fieldRanges(structure, (name) => PRIVATE.has(name) || OURS.test(name));
}

function fieldRanges(
  structure: MessageStructure,
  hide: (name: string, valueStart: number, end: number) => boolean,
): Ranges {
  const ranges: Ranges = [];
  for (const field of structure.fields) {
    if (!hide(field.name, field.valueStart, field.end)) continue;
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === field.start) ranges[ranges.length - 1] = [last[0], field.end];
    else ranges.push([field.start, field.end]);
  }
  return ranges;
}

/** The header as readers and recipients will see it: `ranges` left out. */
export function visibleHeader(header: Buffer, ranges: readonly (readonly [number, number])[]): Buffer {
  if (ranges.length === 0) return header;
  const kept: Buffer[] = [];
  let at = 0;
  for (const [start, end] of ranges) {
    kept.push(header.subarray(at, start));
    at = end;
  }
  kept.push(header.subarray(at));
  return Buffer.concat(kept);
}

/** Octets hidden in all. */
export function hiddenOctets(ranges: readonly (readonly [number, number])[]): number {
  return ranges.reduce((sum, [start, end]) => sum + end - start, 0);
}
