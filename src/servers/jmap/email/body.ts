import { isUtf8 } from 'node:buffer';
import { decodeCharset, normalCharset } from '../../../mail/charset.ts';
import { fileName, type NumberedPart } from '../../../mail/jmap/body-parts.ts';
import { decodeBody, isKnownEncoding } from '../../../mail/message/decode.ts';
import { parameter } from '../../../mail/message/params.ts';
import type { Part } from '../../../mail/message/structure.ts';
import { type Json, type JsonObject, octetsOf } from '../json.ts';
import { JMAP_LIMITS } from '../limits.ts';
import { allHeaders, headerProperty, headerValue, type HeaderView, headerView } from './headers.ts';
import type { MessageSource } from './source.ts';

export const BODY_PROPERTIES: readonly string[] = [
  'partId',
  'blobId',
  'size',
  'name',
  'type',
  'charset',
  'disposition',
  'cid',
  'language',
  'location',
];

export function isBodyProperty(name: string): boolean {
  return (
    BODY_PROPERTIES.includes(name) ||
    name === 'headers' ||
    name === 'subParts' ||
    headerProperty(name) !== undefined
  );
}

/** Octets of a body that is decoded to know how long it is. */
const DECODED_FOR_SIZE = 64 * 1024;
/** Octets at the end of a longer one that are looked at. */
const TAIL = 200;

/** Octets of a part once decoded. Of long base64 it is worked out by its lines, not by reading them. */
async function decodedSize(source: MessageSource, part: Part): Promise<number> {
  const length = part.bodyEnd - part.bodyStart;
  if (part.encoding === '7bit' || part.encoding === '8bit' || part.encoding === 'binary') return length;
  if (length <= DECODED_FOR_SIZE || part.encoding !== 'base64') {
    return decodeBody(await source.body(part, JMAP_LIMITS.bodyValueBytes), part.encoding).length;
  }
  const tail = (await source.body(part, TAIL, length - TAIL)).toString('latin1');
  const blanks = /\s*$/.exec(tail)?.[0] ?? '';
  const padding = /={0,2}$/.exec(tail.trimEnd())?.[0].length ?? 0;
  const atEnd = (blanks.match(/\n/g) ?? []).length;
  const characters = length - blanks.length - 2 * Math.max(0, part.lines - atEnd);
  return Math.max(0, Math.floor((characters * 3) / 4) - padding);
}

/** RFC 8621 section 4.1.4: what is said, of whatever type; of texts where nothing is said, what MIME has. */
function charsetOf(part: Part): string | null {
  return parameter(part.params, 'charset') ?? (part.type === 'text' ? 'us-ascii' : null);
}

export interface PartWish {
  readonly properties: readonly string[];
  /** Takes so many octets of what the answer may still have; throws when it has too many. */
  readonly spend: (octets: number) => void;
  readonly most: number;
}

/** An EmailBodyPart (RFC 8621 section 4.1.4). `inTree`: with all that is below it, asked for or not. */
export async function bodyPart(
  source: MessageSource,
  numbered: NumberedPart,
  wish: PartWish,
  isRoot = false,
  inTree = isRoot,
): Promise<JsonObject> {
  const { part, partId } = numbered;
  const { properties } = wish;
  const made: Record<string, Json | undefined> = {};
  let view: HeaderView | undefined;
  for (const name of properties) {
    const header = headerProperty(name);
    if (header !== undefined || name === 'headers') {
      view ??= headerView(await (isRoot ? source.header() : source.partHeader(part)));
      made[name] = header === undefined ? allHeaders(view) : headerValue(view, header);
      wish.spend(octetsOf(made[name], wish.most));
    } else if (name !== 'subParts') made[name] = await bodyProperty(source, numbered, name);
  }
  const asked = properties.includes('subParts');
  if (partId === undefined && (asked || inTree)) {
    const below: JsonObject[] = [];
    for (const child of numbered.children) below.push(await bodyPart(source, child, wish, false, true));
    made['subParts'] = below;
  } else if (asked) made['subParts'] = null;
  return made;
}

async function bodyProperty(
  source: MessageSource,
  { part, partId }: NumberedPart,
  name: string,
): Promise<Json | undefined> {
  switch (name) {
    case 'partId':
      return partId ?? null;
    case 'blobId':
      return partId === undefined ? null : source.partBlobId(partId);
    case 'size':
      return partId === undefined ? 0 : decodedSize(source, part);
    case 'name':
      return fileName(part) ?? null;
    case 'type':
      return `${part.type}/${part.subtype}`;
    case 'charset':
      return charsetOf(part);
    case 'disposition':
      return part.disposition?.kind ?? null;
    case 'cid':
      return part.id === undefined ? null : part.id.trim().replace(/^<|>$/g, '');
    case 'language':
      return part.language ?? null;
    case 'location':
      return part.location ?? null;
    default:
      return undefined;
  }
}

/** An EmailBodyValue: text in Unicode with LF, at most `max` octets of it (0: all). `read` says how much was read. */
export async function bodyValue(
  source: MessageSource,
  part: Part,
  max: number,
): Promise<{ readonly json: JsonObject; readonly read: number }> {
  const most = JMAP_LIMITS.bodyValueBytes;
  // Base64 takes 4 characters for 3 octets, a line end for 57 of them; quoted-printable 3 for one.
  const wanted = max === 0 ? most : Math.min(most, max * 4 + 1024);
  const octets = await source.body(part, wanted);
  const length = part.bodyEnd - part.bodyStart;
  const charset = parameter(part.params, 'charset') ?? '';
  const whole = octets.length >= length;
  const decoded = whole ? decodeBody(octets, part.encoding) : toCharacter(decodeBody(octets, part.encoding));
  const text = decodeCharset(decoded, charset).replaceAll('\r\n', '\n');
  const cut = cutText(text, max === 0 ? most : max, part.subtype === 'html');
  return {
    read: octets.length,
    json: {
      value: cut,
      isEncodingProblem:
        !isKnownEncoding(part.encoding) || !isKnownCharset(charset) || isDamaged(text, decoded, charset),
      isTruncated: cut.length < text.length || !whole,
    },
  };
}

/** Without the begin of a character of UTF-8 at the end: it is not damaged, only not read to its end. */
function toCharacter(octets: Buffer): Buffer {
  for (let back = 1; back <= 3 && back <= octets.length; back++) {
    const octet = octets[octets.length - back] ?? 0;
    if ((octet & 0xc0) === 0x80) continue;
    const needed = octet >= 0xf0 ? 4 : octet >= 0xe0 ? 3 : octet >= 0xc0 ? 2 : 1;
    return needed > back ? octets.subarray(0, octets.length - back) : octets;
  }
  return octets;
}

/** A replacement character may stand in the text itself. */
function isDamaged(text: string, decoded: Buffer, charset: string): boolean {
  if (!text.includes('\ufffd')) return false;
  return charset === '' || normalCharset(charset) !== 'utf-8' || !isUtf8(decoded);
}

function isKnownCharset(charset: string): boolean {
  if (charset === '') return true;
  const name = normalCharset(charset);
  if (name === 'utf-7') return true;
  try {
    return new TextDecoder(name).encoding !== '';
  } catch {
    return false;
  }
}

/** At most so many octets of UTF-8; no character is cut, and of HTML no tag. */
export function cutText(text: string, max: number, html: boolean): string {
  if (text.length * 3 <= max || Buffer.byteLength(text) <= max) return text;
  const octets = Buffer.from(text).subarray(0, max + 1);
  let end = max;
  while (end > 0 && ((octets[end] ?? 0) & 0xc0) === 0x80) end--;
  const cut = octets.subarray(0, end).toString('utf8');
  if (!html) return cut;
  const open = cut.lastIndexOf('<');
  return open > cut.lastIndexOf('>') ? cut.slice(0, open) : cut;
}
