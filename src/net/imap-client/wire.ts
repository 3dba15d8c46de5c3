import type { Clock } from '../../base/clock.ts';
import { ReadTimeout } from '../connection.ts';
import type { SocketConnection } from '../socket-connection.ts';
import { ImapFailure } from './failure.ts';
import { IMAP_CLIENT_LIMITS } from './limits.ts';
import type { RawResponse } from './response.ts';

const CR = 13;
const LF = 10;

/**
 * Given each literal before it is read, with what stands before it: the octets are read by it, and what it does not read
 * is passed over. Undefined: it is kept in memory.
 */
export type LiteralSink = (before: string, size: number, octets: AsyncIterable<Buffer>) => Promise<void>;

/** Both directions of an IMAP session. Throws `ImapFailure` when the connection is of no use any more. */
export class ImapWire {
  readonly connection: SocketConnection;
  readonly #clock: Clock;
  #pending: Buffer = Buffer.alloc(0);

  constructor(connection: SocketConnection, clock: Clock) {
    this.connection = connection;
    this.#clock = clock;
  }

  /** Whether the server sent something that is not read yet: before TLS that must not be. */
  get unasked(): boolean {
    return this.#pending.length > 0 || this.connection.unreadBytes > 0;
  }

  async send(data: string | Buffer): Promise<void> {
    await this.connection.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
    if (this.connection.closed) throw this.#lost();
  }

  /** One response with its literals. `sink` takes those that are bodies, and makes them read as empty. */
  async response(sink?: LiteralSink, silenceMs: number = IMAP_CLIENT_LIMITS.silenceMs): Promise<RawResponse> {
    const texts: string[] = [];
    const literals: (Buffer | undefined)[] = [];
    let room: number = IMAP_CLIENT_LIMITS.lineBytes;
    for (;;) {
      const line = await this.#line(room, silenceMs);
      room -= line.length;
      const found = /~?\{(\d{1,10})\}$/.exec(line);
      if (found === null) {
        texts.push(line);
        return { texts, literals };
      }
      if (literals.length >= IMAP_CLIENT_LIMITS.literals) throw this.#broken('too many literals');
      const before = line.slice(0, found.index);
      texts.push(before);
      literals.push(await this.#literal(before, Number(found[1]), sink, silenceMs));
    }
  }

  async #literal(
    before: string,
    size: number,
    sink: LiteralSink | undefined,
    silenceMs: number,
  ): Promise<Buffer | undefined> {
    if (sink !== undefined && /BODY\[[^\]]*\]\s*$/i.test(before)) {
      if (size > IMAP_CLIENT_LIMITS.bodyBytes) throw this.#broken(`a message of ${size} octets`);
      const octets = this.#octets(size, silenceMs);
      await sink(before, size, octets);
      for await (const piece of octets) void piece;
      return undefined;
    }
    if (size > IMAP_CLIENT_LIMITS.literalBytes) throw this.#broken(`a string of ${size} octets`);
    const pieces: Buffer[] = [];
    for await (const piece of this.#octets(size, silenceMs)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** The next octets in pieces. May be left and taken up again: it goes on where it was. */
  #octets(size: number, silenceMs: number): AsyncIterable<Buffer> {
    let left = size;
    const next = async (): Promise<IteratorResult<Buffer>> => {
      if (left === 0) return { done: true, value: undefined };
      const chunk = this.#pending.length > 0 ? this.#pending : await this.#read(silenceMs);
      const piece = chunk.subarray(0, left);
      this.#pending = chunk.subarray(piece.length);
      left -= piece.length;
      return { done: false, value: piece };
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  /** A line without its end, as latin1. */
  async #line(max: number, silenceMs: number): Promise<string> {
    const parts: Buffer[] = [];
    let size = 0;
    for (;;) {
      if (this.#pending.length === 0) this.#pending = await this.#read(silenceMs);
      const end = this.#pending.indexOf(LF);
      const part = end === -1 ? this.#pending : this.#pending.subarray(0, end);
      this.#pending = end === -1 ? Buffer.alloc(0) : this.#pending.subarray(end + 1);
      size += part.length;
      if (size > max) throw this.#broken('a line without end');
      parts.push(part);
      if (end === -1) continue;
      const line = parts.length === 1 ? part : Buffer.concat(parts);
      return line.toString('latin1', 0, line.at(-1) === CR ? line.length - 1 : line.length);
    }
  }

  async #read(silenceMs: number): Promise<Buffer> {
    const begun = this.#clock.monotonic();
    try {
      const chunk = await this.connection.read({ timeoutMs: silenceMs });
      if (chunk !== undefined) return chunk;
    } catch (error) {
      if (!(error instanceof ReadTimeout)) throw error;
      const seconds = Math.round((this.#clock.monotonic() - begun) / 1000);
      this.connection.destroy('timeout');
      throw new ImapFailure('lost', `the server was silent for ${seconds} s`);
    }
    throw this.#lost();
  }

  #lost(): ImapFailure {
    const why = this.connection.closeReason ?? 'the server closed it';
    this.connection.destroy(why);
    return new ImapFailure('lost', `the connection was lost: ${why}`);
  }

  #broken(what: string): ImapFailure {
    this.connection.destroy(what);
    return new ImapFailure('protocol', `the server broke the protocol: ${what}`);
  }
}
