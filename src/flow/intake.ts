import { zstdCompressSync } from 'node:zlib';
import { errnoCode, Refusal, smtpReply } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { BlobStore, BlobWriter } from '../data/blobs/file.ts';
import type { NewBlob, ParsedContent } from '../data/mailstore/types.ts';
import { parseDate } from '../mail/message/dates.ts';
import { readHeader } from '../mail/message/headers.ts';
import { messageIds, newestMessageIds } from '../mail/message/ids.ts';
import { sortKeys } from '../mail/message/sort-keys.ts';
import { mimeLimits } from '../mail/message/limits.ts';
import { renderBody, renderEnvelope } from '../mail/message/imap-text.ts';
import { MessageScanner } from '../mail/message/scanner.ts';
import { serializeStructure } from '../mail/message/serialize.ts';
import type { MessageStructure } from '../mail/message/structure.ts';
import { type MessageOctets, octetsInFile, octetsInMemory } from './octets.ts';

/** References kept for threading: the newest say most. */
const REFERENCES_MAX = 20;
/**
 * Bodies from this size on are compressed when that makes them smaller by an eighth. Smaller ones are not: for a message
 * of 4 KiB it took a third of all the work of receiving it (2,800 a second without, 1,900 with) to save 30 % of its rows.
 */
const COMPRESS_FROM_BYTES = 16 * 1024;
/** A compression of this many octets takes under a millisecond; larger inline bodies are stored as they are. */
const COMPRESS_UP_TO_BYTES = 64 * 1024;

/** A message that has arrived whole: its octets safe in memory or in a durable file, its structure known. */
export interface TakenMessage {
  readonly blob: NewBlob;
  readonly size: number;
  readonly structure: MessageStructure;
  /** The header section with the empty line that ends it. */
  readonly header: Buffer;
  readonly content: ParsedContent;
  /** To be read until the message is stored. */
  readonly octets: MessageOctets;
}

export interface IntakeOptions {
  readonly bodies: BlobStore;
  readonly maxBytes: number;
  /** Sees every chunk too, e.g. to hash a body for DKIM. */
  readonly tap?: (chunk: Buffer) => void;
}

/**
 * Takes a message in pieces: scans its structure as it passes, keeps up to `limits.inlineBodyBytes` in memory and
 * writes what is larger to the blob store, so that a message of any size costs a session the same.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #scanner = new MessageScanner();
  #chunks: Buffer[] = [];
  #head: Buffer | undefined;
  #size = 0;
  #file: BlobWriter | undefined;
  #aborted = false;
  /** The file of a message that has come whole. */
  #finished: string | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /**
   * Throws Refusal 'too-large' or 'storage-full'. Await a returned promise before the next call; once it resolves nothing
   * of the chunk is kept. Without a promise it is.
   */
  write(chunk: Buffer): void | Promise<void> {
    this.#size += chunk.length;
    if (this.#size > this.#options.maxBytes) throw tooLarge(this.#options.maxBytes);
    this.#scanner.push(chunk);
    this.#options.tap?.(chunk);
    if (this.#file !== undefined) return this.#toFile(this.#file, chunk);
    this.#chunks.push(chunk);
    if (this.#size > limits.inlineBodyBytes) return this.#spill();
    return undefined;
  }

  async #spill(): Promise<void> {
    const head = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#head = head;
    let file: BlobWriter;
    try {
      file = await this.#options.bodies.create();
    } catch (error) {
      throw asStorageFull(error);
    }
    // The session may have ended while the file was opened.
    if (this.#aborted) return file.abort();
    this.#file = file;
    await this.#toFile(file, head);
  }

  async #toFile(file: BlobWriter, chunk: Buffer): Promise<void> {
    try {
      await file.write(chunk);
    } catch (error) {
      throw asStorageFull(error);
    }
  }

  /**
   * Everything durable that is not in memory; from then on a file is the caller's to remove (`dropBody`) should the
   * message not be stored. Throws Refusal 'too-large' (header), 'storage-full', with nothing left behind.
   */
  async finish(): Promise<TakenMessage> {
    const file = this.#file;
    this.#file = undefined;
    try {
      const structure = this.#scanner.end();
      refuseOddHeader(structure);
      const head = this.#head ?? Buffer.concat(this.#chunks);
      this.#chunks = [];
      // A copy: the octets are given away to the store (data/blobs/given.ts).
      const header = Buffer.from(head.subarray(0, structure.root.bodyStart));
      const content = parsedContent(structure, header);
      const name = await file?.finish();
      this.#finished = name;
      const blob: NewBlob =
        name === undefined
          ? inlineBlob(head)
          : { size: this.#size, encoding: 'raw', data: undefined, file: name };
      const octets =
        name === undefined
          ? octetsInMemory(head)
          : octetsInFile(this.#options.bodies, name, this.#size, head);
      return { blob, size: this.#size, structure, header, content, octets };
    } catch (error) {
      await file?.abort();
      throw asStorageFull(error);
    }
  }

  /** Drop everything. Never throws; a file it leaves behind on failure is swept at the next start. */
  abort(): void {
    this.#aborted = true;
    this.#chunks = [];
    void this.#file?.abort();
    this.#file = undefined;
  }

  /** Remove what `finish` made durable: the message is not stored. As `dropBody`, for callers that have no blob store. */
  drop(): void {
    const name = this.#finished;
    this.#finished = undefined;
    if (name !== undefined) void this.#options.bodies.remove(name).catch(() => undefined);
  }
}

/** What a server that takes a message for one mailbox (IMAP APPEND) gets to write into. */
export function appendIntake(store: { readonly bodies: BlobStore }, maxBytes: number): Intake {
  return new Intake({ bodies: store.bodies, maxBytes });
}

/**
 * Remove the file of a message that nobody took. Not to be called when the outcome of the commit is unknown: what no
 * row refers to is swept later. Never throws, for the same reason.
 */
export async function dropBody(bodies: BlobStore, blob: NewBlob): Promise<void> {
  if (blob.file !== undefined) await bodies.remove(blob.file).catch(() => undefined);
}

/**
 * Store a message by `write`, and drop its file when it turns out that it was not: refused by the store, or by anything
 * before. 'unavailable' and what is no Refusal leave it open whether the commit happened.
 */
export async function storeOrDrop<T>(bodies: BlobStore, blob: NewBlob, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof Refusal && error.kind !== 'unavailable') await dropBody(bodies, blob);
    throw error;
  }
}

/** Octets that stand beside their row, compressed where that helps. */
export function inlineBlob(octets: Buffer): NewBlob {
  if (octets.length >= COMPRESS_FROM_BYTES && octets.length <= COMPRESS_UP_TO_BYTES) {
    const packed = zstdCompressSync(octets);
    if (packed.length < octets.length * 0.875) {
      return { size: octets.length, encoding: 'zstd', data: packed, file: undefined };
    }
  }
  return { size: octets.length, encoding: 'raw', data: octets, file: undefined };
}

/** What the store keeps of a message's meaning. */
export function parsedContent(structure: MessageStructure, headerBytes: Buffer): ParsedContent {
  const header = readHeader(headerBytes);
  // Of repeated fields the last one counts, as in the ENVELOPE.
  const date = header.last('date');
  const references = [
    ...messageIds(header.last('in-reply-to') ?? ''),
    ...newestMessageIds(header.last('references') ?? ''),
  ];
  return {
    envelope: renderEnvelope(structure, headerBytes),
    bodystructure: renderBody(structure, true),
    structure: serializeStructure(structure),
    sentAt: date === undefined ? undefined : parseDate(date)?.ms,
    messageId: messageIds(header.last('message-id') ?? '')[0],
    references: references.slice(-REFERENCES_MAX),
    keys: sortKeys(header),
  };
}

function tooLarge(maxBytes: number): Refusal {
  const text = `Message is larger than the ${maxBytes} octets accepted here`;
  return new Refusal('too-large', text, { smtp: smtpReply(552, '5.3.4', text), imapCode: 'TOOBIG' });
}

/** Beyond these limits fields are not told apart, and one that claims our name, or Bcc, would slip through. */
function refuseOddHeader(structure: MessageStructure): void {
  const what = structure.headerTruncated
    ? `larger than ${limits.headerBytes} octets`
    : structure.fields.length >= mimeLimits.fields
      ? `longer than ${mimeLimits.fields - 1} fields`
      : undefined;
  if (what === undefined) return;
  const text = `The header section is ${what}`;
  throw new Refusal('too-large', text, { smtp: smtpReply(552, '5.3.4', text), imapCode: 'LIMIT' });
}

/** A full disk while a body is written means 452, as it does in the database; anything else stays what it is. */
function asStorageFull(error: unknown): unknown {
  const code = errnoCode(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  const text = 'Not enough disk space, try again later';
  return new Refusal('storage-full', text, { smtp: smtpReply(452, '4.3.1', text) });
}
