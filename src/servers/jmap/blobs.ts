import { contentReader, sizeOf } from '../../data/mailstore/content-reader.ts';
import type { ContentRef } from '../../data/mailstore/types.ts';
import { numberParts, partById } from '../../mail/jmap/body-parts.ts';
import { createDecoder } from '../../mail/message/decode.ts';
import type { JmapOptions } from './context.ts';
import { partOctets } from './email/large.ts';
import { entityAt } from './email/parts.ts';
import { JMAP_LIMITS } from './limits.ts';
import type { View } from './view.ts';

/**
 * Blob ids: "B12" is the message of email M12, "U7" an upload; "-1_2" behind it is part 1.2 of that message, decoded, and so
 * on for messages within messages. "-e1_2" is the same part, or multipart, as it stands there with its header: what a
 * signature covers (RFC 1847 section 2.1). So what may read the email may read the blob, and nothing else has to be kept.
 */
export interface Blob {
  /** Octets, where that is known before it is read. */
  readonly size: number | undefined;
  read(): AsyncIterable<Buffer>;
}

/** Messages within messages that a blob id leads through. */
const MAX_STEPS = 5;

interface BlobPath {
  readonly base: 'B' | 'U';
  readonly id: number;
  readonly parts: readonly string[];
}

function parseBlobId(text: string): BlobPath | undefined {
  const [, base, id = '', steps = ''] =
    /^([BU])([1-9]\d{0,15})((?:-e?\d[\d_]{0,100}){0,5})$/.exec(text) ?? [];
  if (base !== 'B' && base !== 'U') return undefined;
  const parts = steps
    .split('-')
    .slice(1, MAX_STEPS + 1)
    .map((each) => each.replaceAll('_', '.'));
  return { base, id: Number(id), parts };
}

/** Whether all of a blob stands in memory while it is read: what is found within a message that stands in one. */
export function isHeldWhole(text: string): boolean {
  const path = parseBlobId(text);
  return path !== undefined && path.parts.length > (path.base === 'U' ? 0 : 1);
}

/** The blob of that id in an account, when the viewer may read it. */
export async function findBlob(
  store: JmapOptions['store'],
  view: View,
  text: string,
): Promise<Blob | undefined> {
  const path = parseBlobId(text);
  if (path === undefined) return scriptBlob(store, view, text);
  const [first, ...more] = path.parts;
  if (path.base === 'U') {
    const whole = await uploadBlob(store, view, path.id);
    return whole && withinMessages(view, whole, path.parts);
  }
  const ref = await emailContent(store, view, path.id);
  if (ref === undefined) return undefined;
  if (first === undefined) return messageBlob(store, ref);
  const part = partBlobOf(store, ref, first);
  return part && withinMessages(view, part, more);
}

/** A Sieve script as it is at present: "C3-9f86d081884c7d65", its number and what its digest begins with. */
async function scriptBlob(
  { read }: JmapOptions['store'],
  { own, accountId }: View,
  text: string,
): Promise<Blob | undefined> {
  const [, number = '', digest = ''] = /^C([1-9]\d{0,15})-([0-9a-f]{16})$/.exec(text) ?? [];
  if (!own || digest === '') return undefined;
  const script = await read.run('sieve.textOfAccount', { accountId, id: Number(number) });
  return script?.digest.startsWith(digest) === true ? octetBlob(Buffer.from(script.text)) : undefined;
}

/** Emails of a day ago in Trash no more: the owner's own blobs outlast them as long as undelete can bring them back. */
async function emailContent(
  store: JmapOptions['store'],
  { accountId, own, visible }: View,
  emailId: number,
): Promise<ContentRef | undefined> {
  if (own && visible === undefined) return store.read.run('mailstore.content', { accountId, emailId });
  const [found] = await store.read.run('jmap.emails', { accountId, visible, ids: [emailId] });
  return found?.content;
}

function messageBlob({ blobs }: JmapOptions['store'], ref: ContentRef): Blob {
  const content = contentReader(blobs, ref);
  const section = content.section({ part: [] });
  const pieces = section?.pieces ?? [];
  return { size: sizeOf(pieces), read: () => content.read(pieces) };
}

function partBlobOf({ blobs }: JmapOptions['store'], ref: ContentRef, partId: string): Blob | undefined {
  const content = contentReader(blobs, ref);
  if (partId.startsWith('e')) {
    const entity = entityAt(content.structure.root, partId);
    if (entity === undefined) return undefined;
    const whole = content.stored(entity.headerStart, entity.bodyEnd);
    return { size: sizeOf(whole), read: () => content.read(whole) };
  }
  const found = partById(numberParts(content.structure.root), partId);
  if (found === undefined) return undefined;
  const { part } = found;
  const pieces = content.stored(part.bodyStart, part.bodyEnd);
  const plain = part.encoding === '7bit' || part.encoding === '8bit' || part.encoding === 'binary';
  return {
    size: plain ? sizeOf(pieces) : undefined,
    async *read() {
      const decoder = createDecoder(part.encoding);
      for await (const piece of content.read(pieces)) {
        const out = Buffer.from(decoder.push(piece));
        if (out.length > 0) yield out;
      }
      const rest = decoder.end();
      if (rest.length > 0) yield rest;
    },
  };
}

/** Octets of an upload that one row holds, and of which something is made in one go. */
const PIECE_BYTES = 256 * 1024;
/** Octets of an upload that are read before others get their turn. */
const TURN_BYTES = 1024 * 1024;

async function uploadBlob({ read }: JmapOptions['store'], view: View, id: number): Promise<Blob | undefined> {
  const found = await read.run('jmap.upload', { accountId: view.viewer, id });
  if (found === undefined) return undefined;
  return {
    size: found.size,
    async *read() {
      for (let start = 0; start < found.size; ) {
        const piece = await read.run('jmap.uploadPiece', { id, start });
        if (piece === undefined) throw new Error(`upload ${id} ends at ${start}`);
        start += piece.data.length;
        // These reads are done at once: others get their turn in between.
        if (start % TURN_BYTES < piece.data.length) await new Promise((resolve) => setImmediate(resolve));
        yield Buffer.from(piece.data.buffer, piece.data.byteOffset, piece.data.length);
      }
    },
  };
}

/** All octets of a blob, in memory of their own; undefined when there are more than `max`. */
export async function blobOctets(blob: Blob, max: number): Promise<Buffer | undefined> {
  if (blob.size !== undefined && blob.size > max) return undefined;
  // Where it is known how many there are, each is put where it belongs as it comes: to copy all at once takes a while.
  const whole = blob.size === undefined ? undefined : Buffer.allocUnsafeSlow(blob.size);
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of blob.read()) {
    if (whole === undefined) pieces.push(piece);
    else piece.copy(whole, size);
    size += piece.length;
    if (size > max) return undefined;
  }
  return whole?.subarray(0, size) ?? Buffer.concat(pieces);
}

async function withinMessages(
  { viewer }: View,
  whole: Blob,
  parts: readonly string[],
): Promise<Blob | undefined> {
  let blob = whole;
  for (const partId of parts) {
    const octets = await blobOctets(blob, JMAP_LIMITS.parseBytes);
    if (octets === undefined) return undefined;
    const part = await partOctets(viewer, octets, partId);
    if (part === undefined) return undefined;
    blob = octetBlob(part);
  }
  return blob;
}

export function octetBlob(octets: Buffer): Blob {
  return {
    size: octets.length,
    async *read() {
      // In pieces, with turns for others in between: whoever reads makes something of each at once.
      for (let start = 0; start < octets.length; start += PIECE_BYTES) {
        if (start > 0) await new Promise((resolve) => setImmediate(resolve));
        yield octets.subarray(start, start + PIECE_BYTES);
      }
    },
  };
}

/**
 * Keep octets as an upload of whoever brings them, whatever account they are for. Undefined when there are more than fit.
 * @throws Refusal 'storage-full', 'unavailable'
 */
export async function keepUpload(
  { write }: JmapOptions['store'],
  accountId: number,
  octets: AsyncIterable<Uint8Array>,
  max: number,
): Promise<{ readonly blobId: string; readonly size: number } | undefined> {
  const { id } = await write.run('jmap.beginUpload', { accountId });
  let complete = false;
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let start = 0;
  const flush = async (last: boolean): Promise<void> => {
    const data = Buffer.concat(held);
    held = [];
    heldBytes = 0;
    await write.run('jmap.addPiece', { accountId, id, start, data, last });
    start += data.length;
  };
  try {
    for await (const piece of octets) {
      if (start + heldBytes + piece.length > max) return undefined;
      held.push(piece);
      heldBytes += piece.length;
      if (heldBytes >= PIECE_BYTES) await flush(false);
    }
    await flush(true);
    complete = true;
    return { blobId: `U${id}`, size: start };
  } finally {
    if (!complete) void write.run('jmap.removeUpload', { id }).catch(() => undefined);
  }
}
