import { cacheBytes, KEPT_BUFFER_BYTES, ownMemory } from '../../base/memory.ts';
import type { ContentRef } from './types.ts';
import type { BlobReader } from '../store.ts';
import { parseStructure } from '../../mail/message/serialize.ts';
import { resolveBinary, resolveSection, type Section } from '../../mail/message/section.ts';
import type { MessageStructure } from '../../mail/message/structure.ts';

/** A run of octets of a message as its reader sees it: from what was put before it, or from what is stored. */
export interface Piece {
  readonly source: 'prefix' | 'blob';
  /** In the prefix or the stored octets; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
}

/** The octets of a section, and the header fields to pick from them, if not all. */
export interface SectionPieces {
  readonly pieces: readonly Piece[];
  readonly filter: { readonly names: readonly string[]; readonly not: boolean } | undefined;
}

/** A message as its reader sees it: a prefix, then the stored octets without the hidden ranges. */
export interface ContentReader {
  readonly structure: MessageStructure;
  /** Where a section is; undefined when there is none such. */
  section(section: Section): SectionPieces | undefined;
  /** Where a part is and how it is encoded, for BINARY. */
  binary(
    part: readonly number[],
  ): { readonly pieces: readonly Piece[]; readonly encoding: string } | undefined;
  /** What a range of the stored octets shows. */
  stored(start: number, end: number): readonly Piece[];
  /** The header section of the message, the prefix included, at most `max` octets; read once. */
  header(max: number): Promise<Buffer>;
  /** The whole header section, when it is at hand. */
  readonly keptHeader: Buffer | undefined;
  /** Fields that were picked from the header before, by the name that they were kept by; octets as latin1. */
  keptSelection(name: string): string | undefined;
  keepSelection(name: string, text: string): void;
  /** Octets in pieces of at most 64 KiB. */
  read(pieces: readonly Piece[]): AsyncIterable<Buffer>;
  /** Octets at once, for pieces known to be small. */
  bytes(pieces: readonly Piece[]): Promise<Buffer>;
}

export function sizeOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + piece.end - piece.start, 0);
}

/** `count` octets from `offset` on. */
export function slicePieces(pieces: readonly Piece[], offset: number, count: number): readonly Piece[] {
  const out: Piece[] = [];
  let skip = offset;
  let left = count;
  for (const { source, start, end } of pieces) {
    if (left <= 0) break;
    const length = end - start;
    if (skip >= length) {
      skip -= length;
      continue;
    }
    const from = start + skip;
    const to = Math.min(end, from + left);
    skip = 0;
    left -= to - from;
    out.push({ source, start: from, end: to });
  }
  return out;
}

/** A range of the stored octets without what is hidden in it. */
function visible(hidden: ContentRef['hidden'], start: number, end: number): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = start;
  for (const [from, to] of hidden) {
    if (to <= at) continue;
    if (from >= end) break;
    if (from > at) pieces.push({ source: 'blob', start: at, end: from });
    at = Math.min(to, end);
  }
  if (at < end) pieces.push({ source: 'blob', start: at, end });
  return pieces;
}

async function* stream(
  blobs: BlobReader,
  { blobId, prefix }: ContentRef,
  pieces: readonly Piece[],
): AsyncGenerator<Buffer, void> {
  for (const { source, start, end } of pieces) {
    if (source === 'prefix') yield Buffer.from(prefix.subarray(start, end));
    else yield* blobs.read(blobId, start, end);
  }
}

async function gather(
  blobs: BlobReader,
  { blobId, prefix }: ContentRef,
  pieces: readonly Piece[],
): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (const { source, start, end } of pieces) {
    parts.push(
      source === 'prefix' ? Buffer.from(prefix.subarray(start, end)) : await blobs.bytes(blobId, start, end),
    );
  }
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
}

/** Octets of headers kept, by the reader of bodies they came from: what clients ask of every message of a mailbox. */
const HEADERS_BYTES = cacheBytes(12 * 1024 * 1024);
/** Larger headers are read anew. */
const HEADER_BYTES_MAX = 64 * 1024;

/** Selections of fields kept for a header: a client asks of every message the same, and so does its next device. */
const SELECTIONS_MAX = 3;
/** Octets that a selection takes beside its own. */
const SELECTION_BYTES = 150;

interface KeptHeader {
  readonly octets: Buffer;
  /** By what a client called them, the octets as latin1. */
  readonly selections: Map<string, string>;
}

interface Headers {
  readonly byEmail: Map<number, KeptHeader>;
  bytes: number;
  readonly most: number;
}

const headersOf = new WeakMap<BlobReader, Headers>();

/** For who reads each message once: headers read through this reader of bodies are not kept. */
export function keepNoHeaders(blobs: BlobReader): void {
  headersOf.set(blobs, { byEmail: new Map(), bytes: 0, most: 0 });
}

function keepHeader(blobs: BlobReader, emailId: number, octets: Buffer): void {
  if (octets.length > HEADER_BYTES_MAX) return;
  const headers: Headers = headersOf.get(blobs) ?? { byEmail: new Map(), bytes: 0, most: HEADERS_BYTES };
  headersOf.set(blobs, headers);
  if (headers.most === 0 || headers.byEmail.has(emailId)) return;
  // What was read may be a view of the whole body.
  headers.byEmail.set(emailId, { octets: ownMemory(octets), selections: new Map() });
  headers.bytes += octets.length + KEPT_BUFFER_BYTES;
  makeRoom(headers);
}

function makeRoom(headers: Headers): void {
  for (const [old, { octets, selections }] of headers.byEmail) {
    if (headers.bytes <= headers.most) break;
    headers.byEmail.delete(old);
    headers.bytes -= octets.length + KEPT_BUFFER_BYTES;
    for (const text of selections.values()) headers.bytes -= text.length + SELECTION_BYTES;
  }
}

/** The whole header section of an email, when it is at hand. */
export function keptHeader(blobs: BlobReader, emailId: number): Buffer | undefined {
  return headersOf.get(blobs)?.byEmail.get(emailId)?.octets;
}

/** Fields that were picked from an email's header before (see `ContentReader.keptSelection`). */
export function keptSelection(blobs: BlobReader, emailId: number, name: string): string | undefined {
  return headersOf.get(blobs)?.byEmail.get(emailId)?.selections.get(name);
}

function keepSelection(blobs: BlobReader, emailId: number, name: string, text: string): void {
  const headers = headersOf.get(blobs);
  const kept = headers?.byEmail.get(emailId);
  if (headers === undefined || kept === undefined) return;
  if (kept.selections.size >= SELECTIONS_MAX || kept.selections.has(name)) return;
  kept.selections.set(name, text);
  headers.bytes += text.length + SELECTION_BYTES;
  makeRoom(headers);
}

async function readHeader(
  blobs: BlobReader,
  ref: ContentRef,
  pieces: readonly Piece[],
  max: number,
): Promise<Buffer> {
  const octets = await gather(blobs, ref, slicePieces(pieces, 0, max));
  if (octets.length === sizeOf(pieces)) keepHeader(blobs, ref.emailId, octets);
  return octets;
}

export function contentReader(blobs: BlobReader, ref: ContentRef): ContentReader {
  let structure: MessageStructure | undefined;
  let header: Promise<Buffer> | undefined;
  const prefix: readonly Piece[] =
    ref.prefix.length > 0 ? [{ source: 'prefix', start: 0, end: ref.prefix.length }] : [];
  const parsed = (): MessageStructure => (structure ??= parseStructure(ref.structure));
  const stored = (start: number, end: number): readonly Piece[] => visible(ref.hidden, start, end);

  return {
    get structure() {
      return parsed();
    },
    section(wanted) {
      if (wanted.part.length === 0 && wanted.text === undefined)
        return { pieces: [...prefix, ...stored(0, ref.blobSize)], filter: undefined };
      const found = resolveSection(parsed(), wanted);
      if (found === undefined) return undefined;
      const own = stored(found.start, found.end);
      // The prefix belongs to the header of the message, not to any part of it.
      const ofMessage = wanted.part.length === 0 && wanted.text !== 'TEXT';
      return { pieces: ofMessage ? [...prefix, ...own] : own, filter: found.filter };
    },
    binary(part) {
      const found = resolveBinary(parsed(), part);
      if (found === undefined) return undefined;
      const own = stored(found.start, found.end);
      return { pieces: part.length === 0 ? [...prefix, ...own] : own, encoding: found.encoding };
    },
    stored,
    header(max) {
      if (header !== undefined) return header;
      const kept = headersOf.get(blobs)?.byEmail.get(ref.emailId);
      header =
        kept === undefined
          ? readHeader(blobs, ref, [...prefix, ...stored(0, parsed().root.bodyStart)], max)
          : Promise.resolve(kept.octets.subarray(0, max));
      return header;
    },
    get keptHeader() {
      return keptHeader(blobs, ref.emailId);
    },
    keptSelection: (name) => keptSelection(blobs, ref.emailId, name),
    keepSelection: (name, text) => keepSelection(blobs, ref.emailId, name, text),
    read: (pieces) => stream(blobs, ref, pieces),
    bytes: (pieces) => gather(blobs, ref, pieces),
  };
}
