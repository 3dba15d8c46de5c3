import { giveBack } from '../../../base/memory.ts';
import type { Connection } from '../../../net/connection.ts';

const NOTHING: Buffer = Buffer.alloc(0);

/** 'data': there are new bytes; 'end': the peer will send no more; 'interrupted': see `Input.interrupt`. */
export type Filled = 'data' | 'end' | 'interrupted';

/**
 * The bytes that have arrived and are not used up yet. The readers of lines and of message data look at
 * `chunk` from `pos` on, move `pos`, and call `fill` when they need more. They never leave more unread than a line
 * may be long, so what is carried from one chunk to the next is bounded.
 */
export class Input {
  chunk: Buffer = NOTHING;
  pos = 0;
  readonly #connection: Connection;
  /** The read in progress, kept across interruptions: a connection allows one at a time. */
  #reading = false;
  #arrived: Buffer | undefined;
  #ended = false;
  #interrupted = false;
  #wake: (() => void) | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get unread(): number {
    return this.chunk.length - this.pos;
  }

  /** Whether bytes have arrived that nobody has looked at, without waiting. */
  get pending(): boolean {
    return this.unread > 0 || this.#arrived !== undefined;
  }

  /** Ask the connection for bytes without waiting for them. */
  startReading(): void {
    if (this.#reading || this.#ended || this.#arrived !== undefined) return;
    this.#reading = true;
    this.#connection.read().then(
      (data) => this.#settle(data),
      () => this.#settle(undefined),
    );
  }

  #settle(data: Buffer | undefined): void {
    this.#reading = false;
    if (data === undefined) this.#ended = true;
    else this.#arrived = data;
    this.#wake?.();
  }

  /** The octets taken so far are used up and nobody keeps a part of them: when that is all of `chunk`, its memory is given back. */
  release(): void {
    if (this.unread > 0) return;
    giveBack(this.chunk);
    this.chunk = NOTHING;
    this.pos = 0;
  }

  /** Wait until there are bytes to look at, the peer has ended its side, or `interrupt` is called. Takes nothing. */
  async arrival(): Promise<void> {
    if (this.pending || this.#ended || this.#interrupted) return;
    this.startReading();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Wait for more bytes; they follow what is unread. */
  async fill(): Promise<Filled> {
    if (this.pos === this.chunk.length) this.chunk = NOTHING;
    // A copy, so that half a command does not hold a whole socket buffer while the peer is silent.
    else this.chunk = Buffer.from(this.chunk.subarray(this.pos));
    this.pos = 0;
    if (this.#interrupted) return 'interrupted';
    if (this.#arrived === undefined && !this.#ended) {
      this.startReading();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
      if (this.#interrupted) return 'interrupted';
    }
    const data = this.#arrived;
    if (data === undefined) return 'end';
    this.#arrived = undefined;
    this.chunk = this.chunk.length === 0 ? data : Buffer.concat([this.chunk, data]);
    return 'data';
  }

  /** End the wait of `fill`, now and for good: it answers 'interrupted' from here on. */
  interrupt(): void {
    this.#interrupted = true;
    this.#wake?.();
  }
}
