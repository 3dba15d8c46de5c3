import type { MessageRow } from '../../../data/mailstore/types.ts';
import type { BlobReader } from '../../../data/store.ts';
import { decodeCharset } from '../../../mail/charset.ts';
import { createDecoder } from '../../../mail/message/decode.ts';
import { type Header, readHeader } from '../../../mail/message/headers.ts';
import { parameter } from '../../../mail/message/params.ts';
import { eachPart, isMessage, isMultipart, type Part } from '../../../mail/message/structure.ts';
import { decodeWords } from '../../../mail/message/words.ts';
import { type ContentReader, contentReader, slicePieces } from '../../../data/mailstore/content-reader.ts';
import { SESSION_LIMITS } from '../limits.ts';
import { yieldTurn } from '../session.ts';
import type { Turns } from '../turns.ts';
import { finderOf, foldedPieces, type Needle } from './fold.ts';

/** Octets of a body that are decoded at once. */
const DECODED_AT_ONCE = 4 * 1024;
/** Octets of decoded text that are looked at in one go, and at most, to end with a line or at least with a word. */
const WINDOW = 4 * 1024;
const MAX_WINDOW = 16 * 1024;
/** Steps (see turns.ts) for an octet that is decoded from an encoding and a character set, and for a header field. */
const STEPS_PER_OCTET = 4;
const STEPS_PER_UU_OCTET = 100;
const STEPS_PER_FIELD = 100;

/** The texts of one message, read when a search asks for them. */
export interface MessageText {
  header(): Promise<Header>;
  /** Whether a folded text stands in the header. */
  inHeader(needle: Needle): Promise<boolean>;
  /** Whether a folded text stands in a field of the header of this name (lower case). */
  inField(name: string, needle: Needle): Promise<boolean>;
  /** Whether a folded text stands in the body: in texts, decoded, and in the headers of parts and nested messages. */
  inBody(needle: Needle): Promise<boolean>;
}

/** `turns` says when others get a turn while a text is searched. */
export function messageText(blobs: BlobReader, row: MessageRow, turns: Turns): MessageText {
  if (row.content === undefined) throw new Error('a row came without its content');
  const content = contentReader(blobs, row.content);
  let header: Promise<Header> | undefined;
  const text: MessageText = {
    header() {
      header ??= content.header(SESSION_LIMITS.headerBytes).then(async (octets) => {
        if (turns.spend(octets.length * STEPS_PER_OCTET)) await yieldTurn();
        return readHeader(octets);
      });
      return header;
    },
    async inHeader(needle) {
      return headerHas(await text.header(), needle, turns);
    },
    async inField(name, needle) {
      const whole = await text.header();
      for (const field of whole.fields) {
        if (turns.spend(STEPS_PER_FIELD)) await yieldTurn();
        if (field.name === name && (await valueHas(whole.value(field), needle, turns))) return true;
      }
      return false;
    },
    async inBody(needle) {
      const { root } = content.structure;
      for (const part of eachPart(root)) {
        if (part !== root && (await partHeaderHas(content, part, needle, turns))) return true;
        if (isText(part) && (await partHas(content, part, needle, turns))) return true;
      }
      return false;
    },
  };
  return text;
}

function isText(part: Part): boolean {
  if (isMultipart(part) || isMessage(part)) return false;
  return part.type === 'text' || part.type === 'message' || part.opaque;
}

async function headerHas(header: Header, needle: Needle, turns: Turns): Promise<boolean> {
  for (const field of header.fields) {
    if (turns.spend(STEPS_PER_FIELD)) await yieldTurn();
    const value = decodeWords(header.value(field));
    if (await textHas(`${field.name}: ${value}`, finderOf(needle), turns)) return true;
  }
  return false;
}

async function valueHas(value: string, needle: Needle, turns: Turns): Promise<boolean> {
  return needle.text === '' || textHas(decodeWords(value), finderOf(needle), turns);
}

/** Whether what `find` looks for ends in this text. */
async function textHas(text: string, find: (piece: string) => boolean, turns: Turns): Promise<boolean> {
  for (const piece of foldedPieces(text)) {
    if (find(piece.text)) return true;
    if (turns.spend(piece.steps)) await yieldTurn();
  }
  return false;
}

async function partHeaderHas(
  content: ContentReader,
  part: Part,
  needle: Needle,
  turns: Turns,
): Promise<boolean> {
  const pieces = content.stored(part.headerStart, part.bodyStart);
  if (pieces.length === 0) return false;
  const octets = await content.bytes(slicePieces(pieces, 0, SESSION_LIMITS.headerBytes));
  if (turns.spend(octets.length * STEPS_PER_OCTET)) await yieldTurn();
  return headerHas(readHeader(octets), needle, turns);
}

async function partHas(content: ContentReader, part: Part, needle: Needle, turns: Turns): Promise<boolean> {
  const charset = parameter(part.params, 'charset') ?? '';
  const find = finderOf(needle);
  for await (const octets of windows(decodedPieces(content, part, turns), charset)) {
    if (await textHas(decodeCharset(octets, charset), find, turns)) return true;
  }
  return false;
}

/** The decoded body of a part. */
async function* decodedPieces(
  content: ContentReader,
  part: Part,
  turns: Turns,
): AsyncGenerator<Buffer, void> {
  const decoder = createDecoder(part.encoding);
  const steps = part.encoding.includes('uu') ? STEPS_PER_UU_OCTET : STEPS_PER_OCTET;
  for await (const piece of content.read(content.stored(part.bodyStart, part.bodyEnd))) {
    for (let at = 0; at < piece.length; at += DECODED_AT_ONCE) {
      const some = piece.subarray(at, at + DECODED_AT_ONCE);
      // A copy: a decoder may give back what it got, which is the reader's.
      yield Buffer.from(decoder.push(some));
      if (turns.spend(some.length * steps)) await yieldTurn();
    }
  }
  yield decoder.end();
}

/** Octets in windows that end where no character is cut. */
async function* windows(source: AsyncIterable<Buffer>, charset: string): AsyncGenerator<Buffer, void> {
  const cut = /^["' ]*utf-?16/i.test(charset) ? wideEnd : textEnd;
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
