/** Sections of a message, as FETCH BODY[...] and BINARY[...] name them (RFC 9051 6.4.5 and 7.5.2), as ranges of octets. */
import { forEachField } from './headers.ts';
import { isMessage, isMultipart, type MessageStructure, type Part } from './structure.ts';

/** Offsets in the message; `end` is exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What stands between the brackets. No part numbers: the message itself. */
export interface Section {
  readonly part: readonly number[];
  readonly text?: 'HEADER' | 'HEADER.FIELDS' | 'HEADER.FIELDS.NOT' | 'TEXT' | 'MIME' | undefined;
  /** Names for HEADER.FIELDS and HEADER.FIELDS.NOT. */
  readonly fields?: readonly string[] | undefined;
}

/** A range to send as it is, or, with `filter`, the header section that `selectFields` has to go through first. */
export interface ResolvedSection extends ByteRange {
  readonly filter?: { readonly names: readonly string[]; readonly not: boolean } | undefined;
}

/** Part numbers of a path that are followed. A longer one names nothing: structures are not that deep. */
const MAX_PATH = 200;

/** The part that part 1 of a message without parts is, or the n-th one of a multipart. */
function partOf(message: Part, number: number): Part | undefined {
  if (isMultipart(message)) return message.children[number - 1];
  return number === 1 ? message : undefined;
}

/** The part with these numbers, or undefined. Numbers continue through message/rfc822 (RFC 9051 6.4.5.1). */
export function findPart(structure: MessageStructure, path: readonly number[]): Part | undefined {
  if (path.length > MAX_PATH) return undefined;
  const [first, ...rest] = path;
  if (first === undefined) return structure.root;
  let part = partOf(structure.root, first);
  for (const number of rest) {
    if (part === undefined) return undefined;
    if (isMultipart(part)) part = part.children[number - 1];
    else if (isMessage(part) && part.children[0]) part = partOf(part.children[0], number);
    else return undefined;
  }
  return part;
}

function headerRange(part: Part): ByteRange {
  return { start: part.headerStart, end: part.bodyStart };
}

function bodyRange(part: Part): ByteRange {
  return { start: part.bodyStart, end: part.bodyEnd };
}

/** The empty part that BODYSTRUCTURE shows in a multipart that has none. */
function placeholder(structure: MessageStructure, path: readonly number[]): ByteRange | undefined {
  if (path.at(-1) !== 1) return undefined;
  const parent = findPart(structure, path.slice(0, -1));
  const holder = parent && isMessage(parent) ? parent.children[0] : parent;
  if (holder === undefined || !isMultipart(holder) || holder.children.length > 0) return undefined;
  return { start: holder.bodyEnd, end: holder.bodyEnd };
}

/** The message whose HEADER and TEXT a section means: the whole, or the one inside a message/rfc822 part. */
function messageAt(structure: MessageStructure, path: readonly number[]): Part | undefined {
  if (path.length === 0) return structure.root;
  const part = findPart(structure, path);
  return part && isMessage(part) ? part.children[0] : undefined;
}

/** Where a section stands, or undefined when there is no such thing (answer NIL or an empty string). */
export function resolveSection(structure: MessageStructure, section: Section): ResolvedSection | undefined {
  const { part: path, text } = section;
  if (text === undefined) {
    if (path.length === 0) return { start: 0, end: structure.size };
    const part = findPart(structure, path);
    return part ? bodyRange(part) : placeholder(structure, path);
  }
  if (text === 'MIME') {
    const part = path.length === 0 ? undefined : findPart(structure, path);
    return part && headerRange(part);
  }
  const message = messageAt(structure, path);
  if (message === undefined) return undefined;
  if (text === 'TEXT') return bodyRange(message);
  if (text === 'HEADER') return headerRange(message);
  return {
    ...headerRange(message),
    filter: { names: section.fields ?? [], not: text === 'HEADER.FIELDS.NOT' },
  };
}

/** A part to be sent decoded (RFC 3516): its body's range and transfer encoding. */
export interface BinarySection extends ByteRange {
  /** Content-Transfer-Encoding in lower case; "7bit" for multiparts and messages, which have none of their own. */
  readonly encoding: string;
}

/** BINARY[path]: undefined where nothing is. No numbers: the message as it is. */
export function resolveBinary(
  structure: MessageStructure,
  path: readonly number[],
): BinarySection | undefined {
  if (path.length === 0) return { start: 0, end: structure.size, encoding: '7bit' };
  const part = findPart(structure, path);
  if (part === undefined) {
    const empty = placeholder(structure, path);
    return empty && { ...empty, encoding: '7bit' };
  }
  const whole = isMultipart(part) || isMessage(part);
  return { ...bodyRange(part), encoding: whole ? '7bit' : part.encoding };
}

/**
 * The fields of a header section with (or, with `not`, without) these names, in their order and untouched, then a
 * blank line (RFC 9051 6.4.5.1: always present).
 */
export function selectFields(header: Buffer, names: readonly string[], not: boolean): Buffer {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const pieces: Buffer[] = [];
  forEachField(header.toString('latin1'), 0, (field) => {
    if (wanted.has(field.name) !== not && field.name !== '')
      pieces.push(header.subarray(field.start, field.end));
    return true;
  });
  const last = pieces.at(-1);
  // A header cut off inside its last field: the blank line must still be one.
  if (last !== undefined && last.at(-1) !== 10) pieces.push(Buffer.from('\r\n'));
  pieces.push(Buffer.from('\r\n'));
  return Buffer.concat(pieces);
}

/** Something that can give octets of the message. */
export interface ByteSource {
  read(start: number, end: number): Buffer | Promise<Buffer>;
}

/** The octets of a section, or undefined. For large bodies resolve the section and stream its range instead. */
export async function readSection(
  structure: MessageStructure,
  section: Section,
  source: ByteSource,
): Promise<Buffer | undefined> {
  const found = resolveSection(structure, section);
  if (found === undefined) return undefined;
  const bytes = await source.read(found.start, found.end);
  return found.filter ? selectFields(bytes, found.filter.names, found.filter.not) : bytes;
}

/**
 * Reads a section as it stands between the brackets, without the list of field names: "", "1.2.MIME", "HEADER.FIELDS".
 * Undefined when it breaks RFC 9051 9 `section-spec`.
 */
export function parseSectionSpec(spec: string): Section | undefined {
  const match =
    /^((?:[1-9]\d{0,9})(?:\.[1-9]\d{0,9}){0,400})?(?:(^|\.)(HEADER(?:\.FIELDS(?:\.NOT)?)?|TEXT|MIME))?$/i.exec(
      spec,
    );
  if (match === null || spec.length > 4096) return undefined;
  const [, numbers, dot, name] = match;
  const part = numbers === undefined ? [] : numbers.split('.').map(Number);
  const text = name?.toUpperCase() as Section['text'];
  if (text !== undefined && (dot === '') !== (part.length === 0)) return undefined;
  if (text === 'MIME' && part.length === 0) return undefined;
  return { part, text };
}
