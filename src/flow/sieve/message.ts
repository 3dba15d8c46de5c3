import { mimeLimits } from '../../mail/message/limits.ts';
import type { MessageStructure, Part } from '../../mail/message/structure.ts';
import { visibleHeader } from '../delivery/hidden.ts';
import type { MessageOctets } from '../octets.ts';
import type { SeenMessage } from './engine-types.ts';
import type { RunMessage } from './run.ts';

export interface StoredOctets {
  readonly structure: MessageStructure;
  /** The stored header section with the empty line that ends it. */
  readonly header: Buffer;
  readonly octets: MessageOctets;
}

/** What stands before the stored octets and what of their header is not shown, for one account. */
export interface Shown {
  readonly prefix: Uint8Array;
  readonly hidden: readonly (readonly [number, number])[];
}

/**
 * A message as its reader will see it: scripts test our own fields too (X-Spam-Status, Authentication-Results). Only the
 * header differs from what is stored, so all else is the stored octets, so many further on.
 */
export function messageFor(stored: StoredOctets, { prefix, hidden }: Shown): RunMessage {
  const { structure, octets } = stored;
  const stands = stored.header.subarray(0, structure.root.bodyStart);
  const header = Buffer.concat([prefix, visibleHeader(stands, hidden)]);
  const shift = header.length - stands.length;
  const size = octets.size + shift;
  const read = async (start: number, end: number): Promise<Buffer> => {
    const head = header.subarray(start, Math.min(end, header.length));
    if (end <= header.length) return head;
    const rest = await octets.bytes(Math.max(start, header.length) - shift, Math.min(end, size) - shift);
    return head.length === 0 ? rest : Buffer.concat([head, rest]);
  };
  const again = size <= SCANNED_AGAIN && countParts(structure.root) > PARTS_SENT;
  const known = again ? undefined : knownOf(structure, header, size, shift);
  return { seen: { size, known }, read, header, body: () => bodyFrom(octets, stands.length) };
}

/**
 * Parts of a structure that crosses to the thread: to copy a thousand takes two milliseconds. A message with more that is
 * not large is scanned again there.
 */
const PARTS_SENT = 100;
const SCANNED_AGAIN = 8 * 1024 * 1024;

function countParts({ children }: Part): number {
  return children.reduce((sum, child) => sum + countParts(child), 1);
}

/** The fields are read from the header, as it is shown. */
function knownOf(
  structure: MessageStructure,
  header: Buffer,
  size: number,
  shift: number,
): NonNullable<SeenMessage['known']> {
  const root = { ...shifted(structure.root, shift), headerStart: 0 };
  return {
    structure: { ...structure, size, fields: [], root },
    header: new Uint8Array(header.subarray(0, mimeLimits.headerBytes)),
  };
}

/** The same part, so many octets further on. */
function shifted(part: Part, by: number): Part {
  return {
    ...part,
    headerStart: part.headerStart + by,
    bodyStart: part.bodyStart + by,
    bodyEnd: part.bodyEnd + by,
    children: part.children.map((child) => shifted(child, by)),
  };
}

async function bodyFrom(octets: MessageOctets, from: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const piece of octets.pieces(from)) parts.push(Buffer.from(piece));
  return Buffer.concat(parts);
}

/** A message that a script has changed: what it holds now is found by who runs the next script. */
export function messageInMemory(octets: Buffer): Pick<RunMessage, 'seen' | 'read'> {
  const read = (start: number, end: number): Promise<Buffer> => Promise.resolve(octets.subarray(start, end));
  return { seen: { size: octets.length, known: undefined }, read };
}
