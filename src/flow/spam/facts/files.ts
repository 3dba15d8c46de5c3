/** Parts that are files: name, kind, what is in them. */
import { decodeBody } from '../../../mail/message/decode.ts';
import { archiveFact } from './archives.ts';
import { documentFact } from './documents.ts';
import type { FileEnds } from './file-ends.ts';
import { readFileName } from './filenames.ts';
import type { SamplePart } from './sample.ts';
import type { AttachmentFact, FileKind, PartFact } from './types.ts';
import { fileKind } from './magic.ts';

const EMPTY = Buffer.alloc(0);

export function bufferOf(octets: Uint8Array): Buffer {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length);
}

/** The ends of a file without its transfer encoding. */
function decodeEnds(encoding: string, sample: SamplePart | undefined, unpack: boolean): FileEnds {
  if (sample === undefined) return { head: EMPTY, tail: EMPTY, whole: false, size: 0, unpack: false };
  const head = decodeBody(bufferOf(sample.head), encoding);
  const whole = sample.head.length >= sample.size;
  const size = whole ? head.length : decodedSize(encoding, sample.size);
  if (sample.tail === undefined || encoding !== 'base64')
    return { head, tail: sample.tail === undefined ? EMPTY : bufferOf(sample.tail), whole, size, unpack };
  return { head, tail: decodeTail(bufferOf(sample.tail)), whole, size, unpack };
}

/** Base64 from its end: groups of four count from there, so what is left over at the front is dropped. */
function decodeTail(tail: Buffer): Buffer {
  const clean = tail.toString('latin1').replace(/[^A-Za-z0-9+/=]+/g, '');
  return Buffer.from(clean.slice(clean.length % 4), 'base64');
}

function decodedSize(encoding: string, size: number): number {
  return encoding === 'base64' ? Math.floor((size * 3 * 76) / (4 * 78)) : size;
}

/** Facts of the leaf `part`, number `index` of the list; `unpack` allows to look into what is packed. */
export function attachmentFact(
  part: PartFact,
  index: number,
  sample: SamplePart | undefined,
  unpack: boolean,
): AttachmentFact {
  return factOf(part.filename, part.type, index, decodeEnds(part.encoding, sample, unpack), part.size);
}

/** The same for a file that is at hand decoded. */
export function factOf(
  filename: string,
  claimedType: string,
  part: number,
  file: FileEnds,
  sent: number,
): AttachmentFact {
  const { name, extension, doubleExtension, bidi, odd } = readFileName(filename);
  const kind = fileKind(file.head);
  const archive = archiveFact(kind, file, name);
  const document = documentFact(kind, file, archive);
  return {
    part,
    name,
    extension,
    claimedType,
    kind,
    size: file.size === 0 ? sent : file.size,
    doubleExtension,
    bidiName: bidi,
    oddName: odd,
    disguised: isDisguised(kind, extension, claimedType),
    archive,
    macros: document.macros,
    encrypted: document.encrypted || archive?.encrypted === true,
    activeContent: document.activeContent,
    remoteTemplate: document.remoteTemplate,
  };
}

const RUNNABLE = new Set<FileKind>([
  'pe',
  'elf',
  'macho',
  'dex',
  'java-class',
  'msi',
  'lnk',
  'chm',
  'script',
  'url-shortcut',
]);
const PACKED = new Set<FileKind>(['zip', 'rar', '7z', 'cab', 'ace', 'iso', 'jar', 'apk', 'vhd', 'vhdx']);
/** Extensions and types of what people take for harmless. */
const LOOKS_HARMLESS =
  /^(?:pdf|docx?|xlsx?|pptx?|rtf|txt|csv|jpe?g|png|gif|bmp|tiff?|webp|mp[34]|wav|avi|mov|ics|vcf)$/;
const HARMLESS_TYPE = /^(?:image|audio|video)\/|^application\/pdf$|^text\/(?:plain|csv|calendar|rtf)$/;
const PICTURE_OR_PDF = /^(?:pdf|jpe?g|png|gif|bmp|tiff?|webp|mp[34]|txt|csv)$/;

/** Only mix-ups that no mailer makes: a program called a picture, an archive or a page called a PDF. */
function isDisguised(kind: FileKind | undefined, extension: string, type: string): boolean {
  if (kind === undefined) return false;
  if (RUNNABLE.has(kind) && kind !== 'script')
    return (
      LOOKS_HARMLESS.test(extension) ||
      (HARMLESS_TYPE.test(type) && !/^(?:exe|com|dll|scr|lnk|msi|url)$/.test(extension))
    );
  if (PACKED.has(kind)) return PICTURE_OR_PDF.test(extension);
  if (kind === 'html')
    return LOOKS_HARMLESS.test(extension) && !/^(?:txt|docx?|xlsx?|rtf|csv)$/.test(extension);
  return kind === 'onenote' && LOOKS_HARMLESS.test(extension);
}

/** Files in uuencode inside a plain text (first 3), and the text without them. */
export function inlineFiles(text: string): { text: string; files: { name: string; octets: Buffer }[] } {
  const files: { name: string; octets: Buffer }[] = [];
  let rest = text;
  for (let i = 0; i < 3; i++) {
    const begin = /(?:^|\n)begin [0-7]{3,4} ([^\r\n]{1,200})\r?\n[!-`]/.exec(rest);
    if (begin === null) break;
    const close = /\r?\nend\r?(?:\n|$)/.exec(rest.slice(begin.index + 1));
    const end = close === null ? rest.length : begin.index + 1 + close.index + close[0].length;
    const block = rest.slice(begin.index, end).trimStart();
    files.push({ name: begin[1] ?? '', octets: decodeBody(Buffer.from(block, 'latin1'), 'uuencode') });
    rest = `${rest.slice(0, begin.index)}\n${rest.slice(end)}`;
  }
  return { text: rest, files };
}
