/** A message as scripts see it, made of its structure and a function that reads octets: it is never held as a whole. */
import { decodeCharset, guessText } from '../charset.ts';
import { createDecoder } from '../message/decode.ts';
import { parseFields, unfold } from '../message/headers.ts';
import { mimeLimits } from '../message/limits.ts';
import { rawParameter } from '../message/params.ts';
import type { MessageStructure, Part } from '../message/structure.ts';
import { cut } from './strings.ts';
import type { SieveField, SieveMessage, SievePart } from './types.ts';

/** Octets of the message from `start` up to `end`. */
export type ReadOctets = (start: number, end: number) => Promise<Buffer> | Buffer;

/** Octets read at a time. */
const CHUNK = 64 * 1024;
/** Octets of the headers of all parts that are read, beside the top one. */
const PART_HEADERS = 1024 * 1024;

/** The fields of a header section, unfolded, without outer white space. */
export function sieveFields(header: Buffer): SieveField[] {
  const text = header.toString('latin1');
  const fields: SieveField[] = [];
  for (const { name, start, valueStart, end } of parseFields(text, 0, mimeLimits.fields)) {
    if (name === '') continue;
    // The name as it is written, for those who show it.
    const written = text.slice(start, valueStart - 1).trimEnd();
    fields.push({ name: written, value: unfold(text.slice(valueStart, end)).trim() });
  }
  return fields;
}

async function readDecoded(read: ReadOctets, part: Part, max: number): Promise<Buffer> {
  const decoder = createDecoder(part.encoding);
  const pieces: Buffer[] = [];
  let size = 0;
  for (let at = part.bodyStart; at < part.bodyEnd && size < max; at += CHUNK) {
    const piece = decoder.push(await read(at, Math.min(part.bodyEnd, at + CHUNK)));
    // The decoder may hand out what the reader will use again.
    pieces.push(Buffer.from(piece));
    size += piece.length;
  }
  if (size < max) pieces.push(decoder.end());
  return Buffer.concat(pieces).subarray(0, max);
}

/** UTF-8 takes up to four octets a character, no common character set more. */
const OCTETS_A_CHARACTER = 4;

async function textOf(read: ReadOctets, part: Part, max: number): Promise<string> {
  const octets = await readDecoded(read, part, max * OCTETS_A_CHARACTER);
  const charset = rawParameter(part.params, 'charset');
  return cut(charset === undefined ? guessText(octets) : decodeCharset(octets, charset), max);
}

/** A part with children; the body of such a one is told by its parts. */
function isContainer(part: Part): boolean {
  return part.children.length > 0 || (part.type === 'multipart' && !part.opaque);
}

function sievePart(read: ReadOctets, part: Part, total: number, room: { octets: number }): SievePart {
  let fields: readonly SieveField[] | undefined;
  return {
    get fields() {
      return fields ?? [];
    },
    type: part.type,
    subtype: part.subtype,
    children: part.children.map((child) => sievePart(read, child, total, room)),
    range: { start: part.headerStart, end: part.bodyEnd, total },
    async load() {
      if (fields !== undefined) return;
      const length = Math.min(part.bodyStart - part.headerStart, Math.max(1024, room.octets));
      room.octets -= length;
      fields = length > 0 ? sieveFields(await read(part.headerStart, part.headerStart + length)) : [];
    },
    text: async (max) => (isContainer(part) ? '' : textOf(read, part, max)),
    octets: async (max) => (isContainer(part) ? Buffer.alloc(0) : readDecoded(read, part, max)),
    raw: async (max) => Buffer.from(await read(part.bodyStart, Math.min(part.bodyEnd, part.bodyStart + max))),
  };
}

/**
 * A message for scripts. `structure` is what a `MessageScanner` found in it, or what was stored of that. Its header is
 * read at once (unless `header` has it: the first octets of the message, up to the body at least); bodies and the
 * headers of parts are read when a test asks for them.
 */
export async function sieveMessage(
  structure: MessageStructure,
  read: ReadOctets,
  header?: Buffer,
): Promise<SieveMessage> {
  const { root, size } = structure;
  const length = Math.min(root.bodyStart, mimeLimits.headerBytes);
  const fields = sieveFields((header ?? (await read(0, length))).subarray(0, length));
  const top = sievePart(read, root, size, { octets: PART_HEADERS });
  const { type, subtype, children, range, text, octets, raw } = top;
  return {
    size,
    root: { fields, type, subtype, children, ...(range && { range }), text, octets, raw },
    whole: async () => Buffer.from(await read(0, size)),
  };
}
