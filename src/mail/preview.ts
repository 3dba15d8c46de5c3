/** The first words of a message, as lists of messages show them (RFC 8970): pure. */
import { decodeCharset } from './charset.ts';
import { decodeBody } from './message/decode.ts';
import { parameter } from './message/params.ts';
import { isMessage, isMultipart, type MessageStructure, type Part } from './message/structure.ts';
import { htmlText } from './sieve/html-text.ts';

/** RFC 8970 section 3.1: 200 characters are enough, 256 the most. */
export const PREVIEW_CHARACTERS = 200;
/** Octets of a text, encoded as it is, that are looked at: pages begin with long style sheets. */
const PLAIN_BYTES = 8 * 1024;
const HTML_BYTES = 64 * 1024;
/** Texts of a message that are tried when the ones before say nothing. */
const TRIED = 3;

/** A text that a preview may be made of, and how much of its body to read for that. */
export interface PreviewText {
  readonly part: Part;
  readonly html: boolean;
  /** Offsets in the message. */
  readonly start: number;
  readonly end: number;
}

function* textsIn(part: Part): Generator<Part, void> {
  if (part.opaque || part.disposition?.kind === 'attachment') return;
  if (isMultipart(part)) {
    // What is encrypted has nothing to show.
    if (part.subtype === 'encrypted') return;
    const children = [...part.children];
    // RFC 2046 section 5.1.4: the same in several forms; the plain one needs no guessing.
    if (part.subtype === 'alternative')
      children.sort((a, b) => Number(b.subtype === 'plain') - Number(a.subtype === 'plain'));
    for (const child of children) yield* textsIn(child);
  } else if (isMessage(part)) {
    for (const child of part.children) yield* textsIn(child);
  } else if (part.type === 'text' && (part.subtype === 'plain' || part.subtype === 'html')) yield part;
}

/** The texts to make a preview of, the best first. */
export function previewTexts(structure: MessageStructure): readonly PreviewText[] {
  const texts: PreviewText[] = [];
  for (const part of textsIn(structure.root)) {
    const html = part.subtype === 'html';
    const { bodyStart: start, bodyEnd } = part;
    texts.push({ part, html, start, end: Math.min(bodyEnd, start + (html ? HTML_BYTES : PLAIN_BYTES)) });
    if (texts.length === TRIED) break;
  }
  return texts;
}

/** What a text begins with, '' when it says nothing. `octets`: its body as far as `previewTexts` wants it. */
export function previewOf({ part, html }: PreviewText, octets: Buffer): string {
  const charset = parameter(part.params, 'charset') ?? '';
  const text = decodeCharset(decodeBody(octets, part.encoding), charset);
  return firstWords(html ? htmlText(text).replace(FILLERS, ' ') : ownWords(text));
}

/** Entities that senders fill the room behind their own preview text with. */
const FILLERS = /&(?:zwnj|zwj|shy|lrm|rlm|thinsp|ensp|emsp|hairsp|nbsp);/gi;
/** Characters without width that stand by themselves, for the same reason. */
const INVISIBLE = /(?<=^|\s)(?:[\u00ad\u061c\u115f\u2007\u200b-\u200f\u2060\ufeff]|\u034f|\u17b4)+(?=\s|$)/g;

/** A plain text without what it quotes and its signature, if there is anything else. */
function ownWords(text: string): string {
  const own: string[] = [];
  for (const line of text.split('\n')) {
    // RFC 3676 section 4.3.
    if (/^-- \r?$/.test(line)) break;
    if (!line.startsWith('>')) own.push(line);
  }
  const words = own.join('\n');
  return words.trim() === '' ? text : words;
}

function firstWords(text: string): string {
  // Rulers of dashes and the like say nothing.
  const plain = text
    .replace(INVISIBLE, '')
    .replace(/[-_=*~#]{4,}/g, ' ')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  let out = '';
  let count = 0;
  for (const character of plain) {
    if (++count > PREVIEW_CHARACTERS) break;
    // The text may have been cut off inside a character.
    out += /[\ud800-\udfff]/.test(character) && character.length === 1 ? '\ufffd' : character;
  }
  return out.replace(/[\s\ufffd]+$/, '');
}
