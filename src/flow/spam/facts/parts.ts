/** The leaves of the MIME tree as facts, and the text of those that are read. */
import { decodeCharset, knownCharset } from '../../../mail/charset.ts';
import { decodeBody, isKnownEncoding } from '../../../mail/message/decode.ts';
import { parameter } from '../../../mail/message/params.ts';
import { eachPart, type MessageStructure, type Part } from '../../../mail/message/structure.ts';
import { bufferOf } from './files.ts';
import { isReadableText, type Leaf, leavesOf } from './leaves.ts';
import { factLimits } from './limits.ts';
import type { Sample, SamplePart } from './sample.ts';
import type { MimeFacts, PartFact } from './types.ts';

export interface ReadPart {
  readonly leaf: Leaf;
  readonly fact: PartFact;
  readonly sample: SamplePart | undefined;
  /** Decoded text of a part that is read; undefined for files. */
  readonly text: string | undefined;
}

/** Reads the leaves of a sample. */
export function readParts(structure: MessageStructure, sample: Sample): ReadPart[] {
  const byPath = new Map(sample.parts.map((part) => [part.path, part]));
  let room: number = factLimits.allText;
  return leavesOf(structure.root)
    .filter(({ part }) => part.type !== 'multipart')
    .map((leaf) => {
      const piece = byPath.get(leaf.path);
      const isText = isReadableText(leaf.part);
      const encoding = effectiveEncoding(leaf.part);
      let text = isText ? '' : undefined;
      let decoded: Buffer | undefined;
      if (isText && piece !== undefined) {
        decoded = decodeBody(bufferOf(piece.head), encoding);
        const charset = parameter(leaf.part.params, 'charset') ?? '';
        text = decodeCharset(decoded, charset).slice(0, Math.min(factLimits.textChars * 2, room));
        // A character that the end of the sample cut in two.
        if (piece.head.length < piece.size) text = text.replace(/\ufffd{1,2}$/, '');
        room -= text.length;
      }
      return { leaf, fact: partFact(leaf, isText, piece, decoded), sample: piece, text };
    });
}

/** RFC 2045 6.4: of a transfer encoding nobody knows nothing can be undone. */
function effectiveEncoding(part: Part): string {
  return isKnownEncoding(part.encoding) ? part.encoding : '7bit';
}

function partFact(
  { path, part, nested }: Leaf,
  isText: boolean,
  sample: SamplePart | undefined,
  decoded: Buffer | undefined,
): PartFact {
  const charset = (parameter(part.params, 'charset') ?? '').slice(0, 60).toLowerCase();
  const base64 = part.encoding === 'base64' && sample !== undefined;
  return {
    path,
    type: `${part.type}/${part.subtype}`.slice(0, 120),
    charset,
    knownCharset: charset === '' || knownCharset(charset),
    encoding: part.encoding.slice(0, 40),
    knownEncoding: isKnownEncoding(part.encoding),
    disposition: part.disposition?.kind.slice(0, 40) ?? '',
    filename: fileNameOf(part),
    size: part.bodyEnd - part.bodyStart,
    id: (part.id ?? '').trim().replace(/^<|>$/g, '').slice(0, 255),
    nested,
    isText,
    brokenBase64: base64 && isBrokenBase64(bufferOf(sample.head)),
    needlessBase64: base64 && decoded !== undefined && decoded.length > 0 && isAscii(decoded),
  };
}

function fileNameOf(part: Part): string {
  const name = parameter(part.disposition?.params ?? [], 'filename') ?? parameter(part.params, 'name') ?? '';
  return name.slice(0, factLimits.filenameChars);
}

/** Octets besides the alphabet, white space and padding, some more than an odd footer would bring. */
function isBrokenBase64(head: Buffer): boolean {
  const wrong = head.toString('latin1', 0, 4096).replace(/[A-Za-z0-9+/=\s]+/g, '');
  return wrong.length > 3;
}

function isAscii(octets: Buffer): boolean {
  for (let i = 0; i < octets.length; i++) if ((octets[i] ?? 0) > 126) return false;
  return true;
}

/** What the tree as a whole looks like. */
export function mimeFacts(structure: MessageStructure, hasVersion: boolean): MimeFacts {
  const multiparts: string[] = [];
  let leaves = 0;
  let nestedMessages = 0;
  let brokenMultipart = false;
  let missingEnd = false;
  let opaque = false;
  for (const part of eachPart(structure.root)) {
    if (part.opaque) opaque = true;
    const last = part.children.at(-1);
    if (part.type === 'multipart') {
      if (multiparts.length < 50) multiparts.push(part.subtype.slice(0, 60));
      if (last === undefined) brokenMultipart ||= !part.opaque;
      // The close delimiter stands between the last part and the end.
      else if (last.bodyEnd >= part.bodyEnd) missingEnd = true;
    } else if (last === undefined) leaves++;
    else nestedMessages++;
  }
  return {
    leaves,
    depth: depthOf(structure.root),
    multiparts,
    nestedMessages,
    brokenMultipart,
    missingEnd,
    opaque,
    hasVersion,
    eightBitHeader: structure.eightBitHeader,
    hasNul: structure.hasNul,
    hasBareCr: structure.hasBareCr,
    hasBareLf: structure.hasBareLf,
    longestLine: structure.longestLine,
  };
}

function depthOf(part: Part): number {
  let deepest = 0;
  for (const child of part.children) deepest = Math.max(deepest, depthOf(child));
  return deepest + 1;
}
