/** Messages as editheader, replace and enclose leave them (RFC 5293, RFC 5703). */
import { encodeWords, foldField } from '../message/build.ts';
import { parseFields } from '../message/headers.ts';
import type { HeaderEdit, MessageEdits } from './types.ts';

const MAX_FIELDS = 10_000;

interface Piece {
  readonly name: string;
  readonly octets: Buffer;
}

/** The length of a header section: up to the blank line, which may be missing. */
export function headerLength(octets: Buffer): number {
  return parseFields(octets, 0, MAX_FIELDS).at(-1)?.end ?? 0;
}

/** Applies header edits to the octets of a header section without its blank line. */
export function editHeaderOctets(header: Buffer, edits: readonly HeaderEdit[]): Buffer {
  let pieces: Piece[] = parseFields(header, 0, MAX_FIELDS).map(({ name, start, end }) => ({
    name,
    octets: header.subarray(start, end),
  }));
  for (const edit of edits) pieces = editPieces(pieces, edit);
  const out: Buffer[] = [];
  for (const { octets } of pieces) {
    out.push(octets);
    // A header that was cut off inside its last field.
    if (octets.at(-1) !== 10) out.push(Buffer.from('\r\n'));
  }
  return Buffer.concat(out);
}

function editPieces(pieces: Piece[], edit: HeaderEdit): Piece[] {
  const name = edit.name.toLowerCase();
  if (edit.edit === 'add') {
    const added = { name, octets: Buffer.from(foldField(edit.name, encodeWords(edit.value))) };
    return edit.last ? [...pieces, added] : [added, ...pieces];
  }
  const gone = new Set(edit.indexes);
  let index = -1;
  return pieces.filter((piece) => {
    if (piece.name !== name) return true;
    index++;
    return !gone.has(index);
  });
}

/**
 * The new octets of a message, or of its header section alone. `edits.content` stands for the whole message; header
 * edits are made in it.
 */
export function applyEdits(octets: Buffer, edits: MessageEdits): Buffer {
  const message = edits.content ?? octets;
  if (edits.header.length === 0) return message;
  const end = headerLength(message);
  const header = editHeaderOctets(message.subarray(0, end), edits.header);
  const rest = message.subarray(end);
  // A body that begins without a blank line would run into the last field.
  const parted = rest.length === 0 || rest[0] === 10 || (rest[0] === 13 && rest[1] === 10);
  return Buffer.concat(parted ? [header, rest] : [header, Buffer.from('\r\n'), rest]);
}
