import { parseDate } from '../../mail/message/dates.ts';
import { forEachField, unfold } from '../../mail/message/headers.ts';
import { Flag } from '../../data/mailstore/types.ts';

/** What the header of a message in a file tells of how it was kept. */

/** Octets from the start of a message that are looked at. */
export const HEADER_BYTES = 256 * 1024;

/** Values of fields by lower-case name: the first of each. */
export function firstFields(header: Buffer): ReadonlyMap<string, string> {
  const text = header.toString('latin1');
  const fields = new Map<string, string>();
  forEachField(text, 0, ({ name, valueStart, end }) => {
    if (name !== '' && !fields.has(name)) fields.set(name, unfold(text.slice(valueStart, end)).trim());
    return true;
  });
  return fields;
}

/** When a message arrived: what the newest Received field says, else its Date; undefined when neither can be read. */
export function arrivalOf(fields: ReadonlyMap<string, string>): number | undefined {
  const received = fields.get('received');
  const stamp = received?.slice(received.lastIndexOf(';') + 1);
  return (stamp === undefined ? undefined : parseDate(stamp)?.ms) ?? parseDate(fields.get('date') ?? '')?.ms;
}

/** Fields that programs write into the messages of an mbox to remember things: they are no part of them. */
export const KEPT_FIELDS: ReadonlySet<string> = new Set([
  'status',
  'x-status',
  'x-keywords',
  'x-uid',
  'x-imap',
  'x-imapbase',
  'content-length',
  'x-mozilla-status',
  'x-mozilla-status2',
  'x-mozilla-keys',
]);

const MOZILLA_EXPUNGED = 0x8;

/** Flags as mbox fields have them: Status and X-Status of mutt, pine and Dovecot, X-Mozilla-Status of Thunderbird. */
export function flagsOf(fields: ReadonlyMap<string, string>): {
  flags: number;
  keywords: string[];
  expunged: boolean;
} {
  const letters = `${fields.get('status') ?? ''}${fields.get('x-status') ?? ''}`;
  let flags = 0;
  const keywords = [
    ...(fields.get('x-keywords') ?? '').split(/\s+/),
    ...(fields.get('x-mozilla-keys') ?? '').split(/\s+/),
  ];
  if (letters.includes('R')) flags |= Flag.Seen;
  if (letters.includes('A')) flags |= Flag.Answered;
  if (letters.includes('F')) flags |= Flag.Flagged;
  if (letters.includes('D')) flags |= Flag.Deleted;
  if (letters.includes('T')) flags |= Flag.Draft;
  const mozilla = Number.parseInt(fields.get('x-mozilla-status') ?? '0', 16) || 0;
  if (mozilla & 0x1) flags |= Flag.Seen;
  if (mozilla & 0x2) flags |= Flag.Answered;
  if (mozilla & 0x4) flags |= Flag.Flagged;
  if (mozilla & 0x1000) keywords.push('$Forwarded');
  return {
    flags,
    keywords: keywords.filter((word) => word !== ''),
    expunged: (mozilla & MOZILLA_EXPUNGED) !== 0,
  };
}
