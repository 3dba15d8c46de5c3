/**
 * The text of a message as SEARCH means it (RFC 9051 section 6.4.4): the one definition that a scan and the search
 * index share. A text is found where it stands within one unit: one field of a header with its name, or one part's
 * text. Nothing else of a message is text.
 */
import { decodeCharset } from '../charset.ts';
import { createDecoder } from '../message/decode.ts';
import { type Header, readHeader } from '../message/headers.ts';
import { parameter } from '../message/params.ts';
import { eachPart, isMessage, isMultipart, type MessageStructure, type Part } from '../message/structure.ts';
import { decodeWords } from '../message/words.ts';
import { HtmlReader } from './html.ts';
import { fold, type FoldedPiece, foldedPieces } from './fold.ts';

/** Octets of a header section that are text; a longer one is not read to its end. */
export const TEXT_HEADER_BYTES = 1024 * 1024;
/** Octets of a body that are decoded at once. */
const DECODED_AT_ONCE = 4 * 1024;
/** Octets of decoded text that are looked at in one go, and at most, to end with a line or at least with a word. */
const WINDOW = 4 * 1024;
const MAX_WINDOW = 16 * 1024;
/** Steps (of a few nanoseconds) for an octet that is decoded from an encoding and a character set, and for a field. */
const STEPS_PER_OCTET = 4;
const STEPS_PER_UU_OCTET = 100;
export const STEPS_PER_FIELD = 100;

/** Where the octets of a message are. Ranges are of the stored octets. */
export interface TextSource {
  readonly structure: MessageStructure;
  /** The header section of the message, at most `max` octets. */
  header(max: number): Promise<Buffer>;
  /** What a range shows, at most `max` octets of it. */
  range(start: number, end: number, max: number): Promise<Buffer>;
  /** What a range shows, piece by piece. */
  read(start: number, end: number): AsyncIterable<Buffer>;
}

/** Told of each step of work; a promise is awaited before the next. */
export type Spend = (steps: number) => Promise<void> | undefined;

/** Units of a message's body, one after the other: a field of a part's header, or a part, whose text follows. */
export type BodyText =
  | { readonly kind: 'field'; readonly name: string; readonly value: string }
  | { readonly kind: 'part' }
  | { readonly kind: 'text'; readonly text: string };

/** The header of the message. */
export async function messageHeader(source: TextSource, spend: Spend): Promise<Header> {
  const octets = await source.header(TEXT_HEADER_BYTES);
  const wait = spend(octets.length * STEPS_PER_OCTET);
  if (wait !== undefined) await wait;
  return readHeader(octets);
}

/** What a field says, in Unicode. */
export function fieldText(header: Header, field: Header['fields'][number]): string {
  return decodeWords(header.value(field));
}

/** What stands before a field's value in its unit. */
export function fieldPrefix(name: string): string {
  return fold(`${name}: `);
}

/** A field as it is compared, with its name: RFC 9051 has TEXT look at the header as a whole. */
export function* fieldPieces(name: string, value: string): Generator<FoldedPiece, void> {
  const prefix = fieldPrefix(name);
  yield { text: prefix, steps: prefix.length };
  yield* foldedPieces(value);
}

/** All text of the body: parts that are text, decoded, and the headers of parts and nested messages. */
export async function* bodyTexts(source: TextSource, spend: Spend): AsyncGenerator<BodyText, void> {
  const { root } = source.structure;
  for (const part of eachPart(root)) {
    if (part !== root && part.bodyStart > part.headerStart) {
      const octets = await source.range(part.headerStart, part.bodyStart, TEXT_HEADER_BYTES);
      const wait = spend(octets.length * STEPS_PER_OCTET);
      if (wait !== undefined) await wait;
      const header = readHeader(octets);
      for (const field of header.fields) {
        yield { kind: 'field', name: field.name, value: fieldText(header, field) };
      }
    }
    if (!isText(part)) continue;
    yield { kind: 'part' };
    const texts = decodedTexts(source, part, spend);
    if (part.type === 'text' && part.subtype === 'html' && !part.opaque) yield* htmlTexts(texts);
    else for await (const text of texts) yield { kind: 'text', text };
  }
}

/** The text of a part, in pieces. */
async function* decodedTexts(source: TextSource, part: Part, spend: Spend): AsyncGenerator<string, void> {
  let charset = parameter(part.params, 'charset') ?? '';
  let first = true;
  for await (const octets of windows(decodedPieces(source, part, spend), charset)) {
    if (first && isWide(charset)) charset = wideCharset(octets, charset);
    first = false;
    yield decodeCharset(octets, charset);
  }
}

/** HTML: what is read of it, and then, as if it were a part of its own, what links and pictures say. */
async function* htmlTexts(texts: AsyncIterable<string>): AsyncGenerator<BodyText, void> {
  const reader = new HtmlReader();
  for await (const text of texts) yield { kind: 'text', text: reader.push(text) };
  yield { kind: 'text', text: reader.end() };
  if (reader.tags === '') return;
  yield { kind: 'part' };
  yield { kind: 'text', text: reader.tags };
}

function isWide(charset: string): boolean {
  return /^["' ]*utf-?16/i.test(charset);
}

/** The order of octets in UTF-16 that does not say it in its name: its mark at the very beginning tells. */
function wideCharset(octets: Buffer, charset: string): string {
  const bigEndian = octets[0] === 0xfe && octets[1] === 0xff;
  return bigEndian ? 'utf-16be' : charset;
}

function isText(part: Part): boolean {
  if (isMultipart(part) || isMessage(part)) return false;
  return part.type === 'text' || part.type === 'message' || part.opaque;
}

/** The decoded body of a part. */
async function* decodedPieces(source: TextSource, part: Part, spend: Spend): AsyncGenerator<Buffer, void> {
  const decoder = createDecoder(part.encoding);
  const steps = part.encoding.includes('uu') ? STEPS_PER_UU_OCTET : STEPS_PER_OCTET;
  for await (const piece of source.read(part.bodyStart, part.bodyEnd)) {
    for (let at = 0; at < piece.length; at += DECODED_AT_ONCE) {
      const some = piece.subarray(at, at + DECODED_AT_ONCE);
      // A copy: a decoder may give back what it got, which is the reader's.
      yield Buffer.from(decoder.push(some));
      const wait = spend(some.length * steps);
      if (wait !== undefined) await wait;
    }
  }
  yield decoder.end();
}

/** Octets in windows that end where no character is cut. */
async function* windows(source: AsyncIterable<Buffer>, charset: string): AsyncGenerator<Buffer, void> {
  const cut = isWide(charset) ? wideEnd : textEnd;
  let held: Buffer[] = [];
  let size = 0;
  for await (const octets of source) {
    held.push(octets);
    size += octets.length;
    if (size < WINDOW) continue;
    const all = Buffer.concat(held);
    const end = cut(all);
    if (end > 0) yield all.subarray(0, end);
    held = [all.subarray(end)];
    size = all.length - end;
  }
  yield Buffer.concat(held);
}

/** After the last line or word, octets that no character set has inside of a character; 0 where it is better to wait. */
function textEnd(octets: Buffer): number {
  const end = octets.lastIndexOf(10) + 1 || octets.lastIndexOf(32) + 1;
  if (end > 0 || octets.length < MAX_WINDOW) return end;
  // At least no character of UTF-8 is cut: its octets but the first are 10xxxxxx.
  let whole = octets.length - 1;
  while (whole > octets.length - 4 && ((octets[whole] ?? 0) & 0xc0) === 0x80) whole--;
  return whole;
}

function wideEnd(octets: Buffer): number {
  return octets.length & ~3;
}
