/**
 * What is handed to the thread that judges: the header, the structure, the text parts and the ends of files. Bounded
 * however large the message is, all octets in one buffer that can be transferred.
 */
import { parameter } from '../../../mail/message/params.ts';
import { scanMessage } from '../../../mail/message/scanner.ts';
import { serializeStructure } from '../../../mail/message/serialize.ts';
import type { MessageStructure, Part } from '../../../mail/message/structure.ts';
import { isReadableText, leavesOf } from './leaves.ts';
import { factLimits } from './limits.ts';

export interface SamplePart {
  /** IMAP section number of the leaf. */
  readonly path: string;
  /** First octets of the body, still encoded. */
  readonly head: Uint8Array;
  /** Last octets, where `head` does not reach there and they may tell something. */
  readonly tail?: Uint8Array;
  /** Octets of the body. */
  readonly size: number;
}

export interface Sample {
  readonly header: Uint8Array;
  /** `serializeStructure`, cut to its first parts when it was very large. */
  readonly structure: string;
  readonly parts: readonly SamplePart[];
  /** Octets of the message. */
  readonly size: number;
}

/** What is read of one part. */
interface Slice {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  head: number;
  tail: number;
}

/** Types and extensions of files whose end tells what the start does not: a zip's directory, a document's streams. */
const DEEP_TYPE =
  /zip|rar|7z|compressed|archive|tar|octet-stream|msword|ms-?excel|ms-?office|powerpoint|officedocument|opendocument|pdf|rtf|iso9660|disk|cab|java|download|binary/;
const DEEP_NAME =
  /\.(?:zip|zipx|rar|r\d\d|7z|jar|apk|war|docx?|docm|dotm?|xlsx?|xlsm|xlsb|xltm|xlam|xla|pptx?|pptm|ppsm|ppam|ppa|odt|ods|pdf|rtf|iso|img|cab|msi|one|tar|tgz|gz|ace|arj)\s*$/i;

function isDeep(part: Part): boolean {
  if (DEEP_TYPE.test(part.subtype)) return true;
  const name = parameter(part.disposition?.params ?? [], 'filename') ?? parameter(part.params, 'name');
  return name !== undefined && DEEP_NAME.test(name.slice(-40));
}

/** How much of which leaf is read: texts first, then the start of each file, then more of those that are worth it. */
function planOf(structure: MessageStructure, room: number): Slice[] {
  const slices: Slice[] = [];
  const deep: Slice[] = [];
  let textRoom: number = factLimits.allText;
  let left = room;
  const files: { slice: Slice; part: Part }[] = [];
  for (const { path, part } of leavesOf(structure.root)) {
    const size = part.bodyEnd - part.bodyStart;
    const slice: Slice = { path, start: part.bodyStart, end: part.bodyEnd, head: 0, tail: 0 };
    slices.push(slice);
    if (isReadableText(part)) {
      slice.head = Math.min(size, factLimits.textPart, textRoom, left);
      textRoom -= slice.head;
      left -= slice.head;
    } else if (files.length < factLimits.files) {
      files.push({ slice, part });
    }
  }
  for (const { slice, part } of files) {
    slice.head = Math.min(slice.end - slice.start, factLimits.plainFileHead, left);
    left -= slice.head;
    if (isDeep(part)) deep.push(slice);
  }
  for (const slice of deep) {
    const size = slice.end - slice.start;
    // Half of what is left for one file, so that a decoy in front does not take it all.
    const share = deep.length === 1 ? left : left >> 1;
    const most = slice.head + share;
    const fits = size <= Math.min(factLimits.fileHead + factLimits.fileTail, most);
    const head = fits ? size : Math.min(factLimits.fileHead, slice.head + Math.floor(share * 0.6));
    // The two may overlap: a directory at the end is then in one piece.
    const tail = fits ? 0 : Math.min(size, factLimits.fileTail, most - head);
    left -= tail + head - slice.head;
    slice.tail = tail;
    slice.head = head;
  }
  return slices.filter((slice) => slice.head > 0);
}

/** A copy of the tree with less in it, for structures that a stranger made very large. */
function pruned(structure: MessageStructure): MessageStructure {
  let parts = 120;
  const prune = (part: Part, depth: number): Part => {
    parts--;
    const children = depth > 20 ? [] : part.children.slice(0, 50).filter(() => parts > 0);
    const { disposition } = part;
    return {
      ...part,
      type: part.type.slice(0, 60),
      subtype: part.subtype.slice(0, 60),
      typeAsSent: undefined,
      params: pruneParams(part.params),
      encoding: part.encoding.slice(0, 40),
      encodingAsSent: undefined,
      disposition: disposition && {
        kind: disposition.kind.slice(0, 40),
        asSent: undefined,
        params: pruneParams(disposition.params),
      },
      id: part.id?.slice(0, 60),
      description: undefined,
      language: undefined,
      location: undefined,
      md5: undefined,
      envelope: undefined,
      children: children.filter(() => parts > 0).map((child) => prune(child, depth + 1)),
    };
  };
  return { ...structure, root: prune(structure.root, 0) };
}

const KEPT_PARAMS = new Set(['charset', 'name', 'name*', 'filename', 'filename*']);

function pruneParams(params: Part['params']): Part['params'] {
  return params
    .filter(([name]) => KEPT_PARAMS.has(name.toLowerCase()))
    .slice(0, 3)
    .map(([name, value]) => [name, value.slice(0, 200)]);
}

interface Plan {
  readonly structure: string;
  readonly header: Buffer;
  readonly slices: readonly Slice[];
  readonly octets: Uint8Array;
}

function plan(structure: MessageStructure, header: Buffer, text = serializeStructure(structure)): Plan {
  let serialized = text;
  let tree = structure;
  if (serialized.length > factLimits.sampleStructure) {
    tree = pruned(structure);
    serialized = serializeStructure(tree);
  }
  const top = header.subarray(0, Math.min(structure.root.bodyStart, factLimits.sampleHeader));
  const slices = planOf(tree, factLimits.sampleBytes - serialized.length - top.length);
  const bytes = slices.reduce((sum, { head, tail }) => sum + head + tail, top.length);
  return { structure: serialized, header: top, slices, octets: new Uint8Array(bytes) };
}

/** Lays the pieces into the plan's one buffer; `pieces` has head and tail of each slice in order. */
function assemble({ structure, header, slices, octets }: Plan, size: number, pieces: Buffer[]): Sample {
  let at = 0;
  const put = (piece: Uint8Array): Uint8Array => {
    octets.set(piece, at);
    at += piece.length;
    return octets.subarray(at - piece.length, at);
  };
  const top = put(header);
  let next = 0;
  const parts = slices.map((slice): SamplePart => {
    const { path } = slice;
    const bodySize = slice.end - slice.start;
    const head = put((pieces[next++] ?? Buffer.alloc(0)).subarray(0, slice.head));
    if (slice.tail === 0) return { path, head, size: bodySize };
    return {
      path,
      head,
      tail: put((pieces[next++] ?? Buffer.alloc(0)).subarray(0, slice.tail)),
      size: bodySize,
    };
  });
  return { header: top, structure, parts, size };
}

/**
 * The sample of a message whose structure is known. `header` begins with the message's first octet and reaches at least
 * to the end of the header section; `read` gives the octets from `start` up to `end` of the message and is never asked for
 * more than 512 KiB in all. `serialized` is what `serializeStructure` made of the structure, where that is at hand. Rejects
 * with what `read` throws.
 */
export async function sampleOf(
  structure: MessageStructure,
  header: Buffer,
  read: (start: number, end: number) => Buffer | Promise<Buffer>,
  serialized?: string,
): Promise<Sample> {
  const planned = plan(structure, header, serialized);
  const pieces: Buffer[] = [];
  for (const { start, end, head, tail } of planned.slices) {
    pieces.push(await read(start, start + head));
    if (tail > 0) pieces.push(await read(end - tail, end));
  }
  return assemble(planned, structure.size, pieces);
}

/** The sample of a message that is at hand as a whole. The octets are copied. */
export function sampleOfBuffer(octets: Buffer, structure: MessageStructure = scanMessage(octets)): Sample {
  const planned = plan(structure, octets);
  const pieces: Buffer[] = [];
  for (const { start, end, head, tail } of planned.slices) {
    pieces.push(octets.subarray(start, start + head));
    if (tail > 0) pieces.push(octets.subarray(end - tail, end));
  }
  return assemble(planned, structure.size, pieces);
}
