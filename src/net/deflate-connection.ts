import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw, type InflateRaw } from 'node:zlib';
import type { Clock, Timer } from '../base/clock.ts';
import { Refusal } from '../base/errors.ts';
import { CONNECTION_LIMITS, type Connection, type ReadOptions } from './connection.ts';
import type { TlsFacts } from './tls.ts';

export const DEFLATE_LIMITS = {
  /** Milliseconds without a write until the memory of the compressor (130 KiB) is let go; another takes 30 microseconds to make. */
  idleMs: 500,
  /** Octets compressed at once. */
  chunkBytes: 64 * 1024,
} as const;

/** How much may become of how little, against streams made to fill the memory or the time of who inflates them. */
export interface InflateLimits {
  /** Octets that need no reason. */
  readonly inflatedBytes: number;
  /** Octets beyond that for each octet received. */
  readonly inflatedPerOctet: number;
}

/** A window of 16 KiB and little state: 130 KiB, half of what zlib would take, for 2 % less compression of mail. */
const COMPRESSION = { level: 4, windowBits: 14, memLevel: 7 } as const;

/**
 * A connection whose octets are compressed in both directions (RFC 4978: raw deflate, RFC 1951). Every write is flushed,
 * so the peer can read all of it. What cannot be inflated, or inflates to too much, closes the connection.
 */
export class DeflateConnection implements Connection {
  readonly #inner: Connection;
  readonly #clock: Clock;
  readonly #limits: InflateLimits;

  readonly #inflater: InflateRaw;
  /** The inflater has octets that it has not worked off. */
  #inflating = false;
  #received = 0;
  #inflated = 0;
  #wakeReader: (() => void) | undefined;

  #deflater: DeflateRaw | undefined;
  /** Writes wait for the one before. */
  #tail: Promise<void> = Promise.resolve();
  /** Octets given to `write` that are not compressed yet. */
  #waiting = 0;
  #wakeWriter: (() => void) | undefined;
  #room: Promise<void> | undefined;
  #lastWrite = 0;
  #idleTimer: Timer | undefined;
  #ending = false;

  constructor(inner: Connection, clock: Clock, limits: InflateLimits) {
    this.#inner = inner;
    this.#clock = clock;
    this.#limits = limits;
    // The peer may look back as far as it likes; zlib takes 40 KiB for that, and only once something has come.
    this.#inflater = createInflateRaw();
    this.#inflater.on('readable', () => this.#wakeReader?.());
    this.#inflater.on('end', () => this.destroy('the peer ended its compressed stream'));
    this.#inflater.on('error', () => this.destroy('what came was not compressed as agreed'));
    inner.onClose(() => this.#onClosed());
  }

  get remoteAddress(): string {
    return this.#inner.remoteAddress;
  }
  get remotePort(): number {
    return this.#inner.remotePort;
  }
  get localAddress(): string {
    return this.#inner.localAddress;
  }
  get localPort(): number {
    return this.#inner.localPort;
  }
  get tls(): TlsFacts | undefined {
    return this.#inner.tls;
  }
  get closed(): boolean {
    return this.#inner.closed;
  }
  get closeReason(): string | undefined {
    return this.#inner.closeReason;
  }

  async read(options?: ReadOptions): Promise<Buffer | undefined> {
    for (;;) {
      if (this.closed) return undefined;
      const plain: unknown = this.#inflater.read();
      if (Buffer.isBuffer(plain)) return this.#counted(plain);
      if (this.#inflating) {
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
        this.#wakeReader = undefined;
        continue;
      }
      const packed = await this.#inner.read(options);
      if (packed === undefined) return undefined;
      this.#received += packed.length;
      this.#inflating = true;
      this.#inflater.write(packed, () => {
        this.#inflating = false;
        this.#wakeReader?.();
      });
    }
  }

  /** The inflater makes no more than one buffer ahead of `read`, so what it may make of all is looked at here. */
  #counted(plain: Buffer): Buffer | undefined {
    this.#inflated += plain.length;
    const { inflatedBytes, inflatedPerOctet } = this.#limits;
    if (this.#inflated <= inflatedBytes + inflatedPerOctet * this.#received) return plain;
    this.destroy('what came grew too large when it was inflated');
    return undefined;
  }

  write(data: Buffer | string): Promise<void> | undefined {
    if (this.closed || this.#ending || data.length === 0) return undefined;
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    this.#waiting += bytes.length;
    if (this.#waiting > CONNECTION_LIMITS.unsentBytes) {
      this.destroy('the peer does not take what is sent to it');
      return undefined;
    }
    this.#tail = this.#tail.then(() => this.#send(bytes));
    return this.#tail;
  }

  async #send(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length && !this.closed; at += DEFLATE_LIMITS.chunkBytes) {
      await this.#compress(bytes.subarray(at, at + DEFLATE_LIMITS.chunkBytes));
      await this.#room;
    }
    this.#waiting -= bytes.length;
    this.#lastWrite = this.#clock.monotonic();
    if (this.#idleTimer === undefined && !this.closed) this.#watchIdle(DEFLATE_LIMITS.idleMs);
  }

  /** Resolves when all of it has been handed to the connection, or the connection is lost. */
  #compress(bytes: Buffer): Promise<void> {
    const deflater = (this.#deflater ??= this.#newDeflater());
    return new Promise((resolve) => {
      this.#wakeWriter = resolve;
      deflater.write(bytes);
      deflater.flush(constants.Z_SYNC_FLUSH, resolve);
    });
  }

  #newDeflater(): DeflateRaw {
    const deflater = createDeflateRaw(COMPRESSION);
    deflater.on('data', (packed: Buffer) => {
      this.#room = this.#inner.write(packed);
    });
    deflater.on('error', () => this.destroy('compressing failed'));
    return deflater;
  }

  /** A flush ends on a whole octet and a block that is not the last: another compressor can go on from there. */
  #watchIdle(ms: number): void {
    this.#idleTimer = this.#clock.setTimer(ms, () => {
      this.#idleTimer = undefined;
      if (this.closed) return;
      const left = this.#lastWrite + DEFLATE_LIMITS.idleMs - this.#clock.monotonic();
      if (this.#waiting > 0 || left > 0) this.#watchIdle(Math.max(left, 100));
      else {
        this.#deflater?.close();
        this.#deflater = undefined;
      }
    });
  }

  startTls(): Promise<TlsFacts> {
    return Promise.reject(new Refusal('bad-input', 'TLS cannot begin under compression'));
  }

  async end(): Promise<void> {
    this.#ending = true;
    await this.#tail;
    await this.#inner.end();
  }

  destroy(reason?: string): void {
    this.#inner.destroy(reason);
    this.#wakeReader?.();
  }

  onClose(fn: () => void): void {
    this.#inner.onClose(fn);
  }

  #onClosed(): void {
    this.#idleTimer?.cancel();
    this.#inflater.destroy();
    this.#deflater?.destroy();
    this.#wakeReader?.();
    this.#wakeWriter?.();
  }
}
