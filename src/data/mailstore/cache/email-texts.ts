import type { ContentRef, MessageRow } from '../types.ts';

/** What of an email never changes and is costly to read: kept by its id, which is never given again. */
export interface EmailTexts {
  readonly envelope?: Uint8Array;
  readonly bodystructure?: Uint8Array;
  readonly content?: ContentRef;
}

/** Octets that an entry and each of its buffers take beside their own: measured; most is V8's account of a buffer. */
const ENTRY_BYTES = 200;
const BUFFER_BYTES = 600;

/** Emails' texts up to so many octets; the oldest go first. */
export class EmailTextCache {
  readonly #texts = new Map<number, EmailTexts>();
  readonly #max: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#max = maxBytes;
  }

  get(emailId: number): EmailTexts | undefined {
    return this.#texts.get(emailId);
  }

  /** Keep what a row brought, beside what is known already. */
  put({ emailId, envelope, bodystructure, content }: MessageRow): void {
    const before = this.#texts.get(emailId);
    const after: EmailTexts = {
      ...before,
      ...(envelope !== undefined && { envelope: asBuffer(envelope) }),
      ...(bodystructure !== undefined && { bodystructure: asBuffer(bodystructure) }),
      ...(content !== undefined && { content }),
    };
    this.#bytes += bytesOf(after) - (before === undefined ? 0 : bytesOf(before));
    this.#texts.set(emailId, after);
    for (const [id, texts] of this.#texts) {
      if (this.#bytes <= this.#max) break;
      this.#texts.delete(id);
      this.#bytes -= bytesOf(texts);
    }
  }
}

function bytesOf({ envelope, bodystructure, content }: EmailTexts): number {
  let sum = ENTRY_BYTES;
  for (const buffer of [envelope, bodystructure, content?.prefix])
    if (buffer !== undefined) sum += BUFFER_BYTES + buffer.length;
  return content === undefined ? sum : sum + 150 + content.structure.length;
}

function asBuffer(octets: Uint8Array): Buffer {
  return Buffer.isBuffer(octets) ? octets : Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
}
