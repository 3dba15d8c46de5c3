import type { MessageRow } from '../../../data/mailstore/types.ts';
import type { BlobReader } from '../../../data/store.ts';
import { decodeCharset } from '../../../mail/charset.ts';
import { createDecoder } from '../../../mail/message/decode.ts';
import { type Header, readHeader } from '../../../mail/message/headers.ts';
import { parameter } from '../../../mail/message/params.ts';
import { eachPart, isMessage, isMultipart, type Part } from '../../../mail/message/structure.ts';
import { decodeWords } from '../../../mail/message/words.ts';
import { type ContentReader, contentReader, slicePieces } from '../content-reader.ts';
import { SESSION_LIMITS } from '../limits.ts';
import { yieldTurn } from '../session.ts';

/** Octets of decoded text that are looked at in one go. */
const WINDOW = 64 * 1024;
/** Characters of one window that are looked at again with the next, per character of what is searched for. */
const OVERLAP = 4;

/** Text as it is compared: without case, and with composed and compatibility forms alike. */
export function fold(text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 127) return text.normalize('NFKD').toLowerCase();
  }
  return text.toLowerCase();
}

/** The texts of one message, read when a search asks for them. */
export interface MessageText {
  header(): Promise<Header>;
  /** Whether a folded text stands in the header. */
  inHeader(needle: string): Promise<boolean>;
  /** Whether a folded text stands in the body: in texts, decoded, and in the headers of parts and nested messages. */
  inBody(needle: string): Promise<boolean>;
}

export function messageText(blobs: BlobReader, row: MessageRow): MessageText {
  if (row.content === undefined) throw new Error('a row came without its content');
  const content = contentReader(blobs, row.content);
  let header: Promise<Header> | undefined;
  const text: MessageText = {
    header() {
      header ??= content.header(SESSION_LIMITS.headerBytes).then(readHeader);
      return header;
    },
    async inHeader(needle) {
      return headerHas(await text.header(), needle);
    },
    async inBody(needle) {
      const { root } = content.structure;
      for (const part of eachPart(root)) {
        if (part !== root && (await partHeaderHas(content, part, needle))) return true;
        if (isText(part) && (await partHas(content, part, needle))) return true;
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

function headerHas(header: Header, needle: string): boolean {
  return header.fields.some((field) =>
    fold(`${field.name}: ${decodeWords(header.value(field))}`).includes(needle),
  );
}

async function partHeaderHas(content: ContentReader, part: Part, needle: string): Promise<boolean> {
  const pieces = content.stored(part.headerStart, part.bodyStart);
  if (pieces.length === 0) return false;
  const octets = await content.bytes(slicePieces(pieces, 0, SESSION_LIMITS.headerBytes));
  return headerHas(readHeader(octets), needle);
}

async function partHas(content: ContentReader, part: Part, needle: string): Promise<boolean> {
  const charset = parameter(part.params, 'charset') ?? '';
  let carry = '';
  for await (const octets of lines(content, part)) {
    const text = carry + decodeCharset(octets, charset);
    if (fold(text).includes(needle)) return true;
    carry = text.slice(-OVERLAP * needle.length);
    await yieldTurn();
  }
  return false;
}

/** The decoded body of a part in windows that end with a line where they can, so that no character is cut. */
async function* lines(content: ContentReader, part: Part): AsyncGenerator<Buffer, void> {
  const decoder = createDecoder(part.encoding);
  let held: Buffer[] = [];
  let size = 0;
  for await (const piece of content.read(content.stored(part.bodyStart, part.bodyEnd))) {
    const octets = Buffer.from(decoder.push(piece));
    held.push(octets);
    size += octets.length;
    if (size < WINDOW) continue;
    const all = Buffer.concat(held);
    const newline = all.lastIndexOf(10);
    const end = newline === -1 ? all.length : newline + 1;
    yield all.subarray(0, end);
    held = [all.subarray(end)];
    size = all.length - end;
  }
  yield Buffer.concat([...held, decoder.end()]);
}
