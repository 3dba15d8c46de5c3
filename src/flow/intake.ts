import { zstdCompressSync } from 'node:zlib';
import { errnoCode, Refusal, smtpReply } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { BlobStore, BlobWriter } from '../data/blobs/file.ts';
import type { NewBlob, ParsedContent } from '../data/mailstore/types.ts';
import { parseDate } from '../mail/message/dates.ts';
import { readHeader } from '../mail/message/headers.ts';
import { messageIds } from '../mail/message/ids.ts';
import { renderBody, renderEnvelope } from '../mail/message/imap-text.ts';
import { MessageScanner } from '../mail/message/scanner.ts';
import { serializeStructure } from '../mail/message/serialize.ts';
import type { MessageStructure } from '../mail/message/structure.ts';

/** References kept for threading: the newest say most. */
const REFERENCES_MAX = 20;
/** Bodies from this size on are compressed when that makes them smaller by an eighth; below it is not worth a call. */
const COMPRESS_FROM_BYTES = 1024;
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

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Throws Refusal 'too-large' or 'storage-full'. Await a returned promise before the next call. */
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
    this.#head = Buffer.concat(this.#chunks);
    this.#chunks = [];
    try {
      this.#file = await this.#options.bodies.create();
    } catch (error) {
      throw asStorageFull(error);
    }
    await this.#toFile(this.#file, this.#head);
  }

  async #toFile(file: BlobWriter, chunk: Buffer): Promise<void> {
    try {
      await file.write(chunk);
    } catch (error) {
      throw asStorageFull(error);
    }
  }

  /** Everything durable that is not in memory. Throws Refusal 'too-large' (header), 'storage-full'. */
  async finish(): Promise<TakenMessage> {
    const structure = this.#scanner.end();
    if (structure.headerTruncated) throw headerTooLarge();
    const head = this.#head ?? Buffer.concat(this.#chunks);
    this.#chunks = [];
    const header = head.subarray(0, structure.root.bodyStart);
    const content = parsedContent(structure, header);
    let blob: NewBlob;
    if (this.#file === undefined) blob = inlineBlob(head);
    else {
      const file = this.#file;
      this.#file = undefined;
      try {
        blob = { size: this.#size, encoding: 'raw', data: undefined, file: await file.finish() };
      } catch (error) {
        await file.abort();
        throw asStorageFull(error);
      }
    }
    return { blob, size: this.#size, structure, header: Buffer.from(header), content };
  }

  /** Drop everything. Never throws; a file it leaves behind on failure is swept at the next start. */
  abort(): void {
    this.#chunks = [];
    void this.#file?.abort();
    this.#file = undefined;
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
  const date = header.first('date');
  const references = [
    ...messageIds(header.first('in-reply-to') ?? ''),
    ...messageIds(header.first('references') ?? ''),
  ];
  return {
    envelope: renderEnvelope(structure, headerBytes),
    bodystructure: renderBody(structure, true),
    structure: serializeStructure(structure),
    sentAt: date === undefined ? undefined : parseDate(date)?.ms,
    messageId: messageIds(header.first('message-id') ?? '')[0],
    references: references.slice(-REFERENCES_MAX),
  };
}

/** A whole message in memory (one we made) as an intake would have given it. */
export async function takeWhole(message: Buffer, bodies: BlobStore): Promise<TakenMessage> {
  const intake = new Intake({ bodies, maxBytes: Number.MAX_SAFE_INTEGER });
  await intake.write(message);
  return intake.finish();
}

function tooLarge(maxBytes: number): Refusal {
  const text = `Message is larger than the ${maxBytes} octets accepted here`;
  return new Refusal('too-large', text, { smtp: smtpReply(552, '5.3.4', text), imapCode: 'TOOBIG' });
}

function headerTooLarge(): Refusal {
  const text = `The header section is larger than ${limits.headerBytes} octets`;
  return new Refusal('too-large', text, { smtp: smtpReply(552, '5.3.4', text) });
}

/** A full disk while a body is written means 452, as it does in the database; anything else stays what it is. */
function asStorageFull(error: unknown): unknown {
  const code = errnoCode(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  const text = 'Not enough disk space, try again later';
  return new Refusal('storage-full', text, { smtp: smtpReply(452, '4.3.1', text) });
}
