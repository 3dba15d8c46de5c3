import type { Sent } from '../data/spam/types.ts';
import { displayAddresses } from '../mail/message/addresses.ts';
import { type Header, readHeader } from '../mail/message/headers.ts';

/** Whom a message of an account is for, as its header has it. */

/** Addresses of a field that are read. */
const ADDRESSES_MAX = 200;

function readers(header: Header, fields: readonly string[]): NonNullable<Sent['names']> {
  return fields.flatMap((name) => displayAddresses(header.first(name) ?? '', ADDRESSES_MAX));
}

/** How the sender calls those it is for. */
export function namesIn(octets: Buffer): NonNullable<Sent['names']> {
  return readers(readHeader(octets), ['to', 'cc']).filter(({ name }) => name !== '');
}

/** What a message that was sent elsewhere tells of whom its author is in touch with. */
export function writtenBefore(octets: Buffer): Pick<Sent, 'addresses' | 'names'> {
  const people = readers(readHeader(octets), ['to', 'cc', 'bcc']).filter(({ address }) =>
    address.includes('@'),
  );
  return { addresses: people.map(({ address }) => address), names: people.filter(({ name }) => name !== '') };
}
