import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock, Timer } from '../base/clock.ts';
import { errnoCode, errorText, Refusal } from '../base/errors.ts';
import { CONNECTION_LIMITS, ReadTimeout, type Connection, type ReadOptions } from './connection.ts';
import { canonicalAddress } from './ip.ts';
import { serverHandshake } from './tls-handshake.ts';
import type { TlsFacts, TlsSource } from './tls.ts';

export interface Endpoints {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

interface Reader {
  resolve(chunk: Buffer | undefined): void;
  reject(error: ReadTimeout): void;
  /** On the monotonic clock; Infinity without a timeout. */
  readonly deadline: number;
  readonly timeoutMs: number;
}

const { writeHighWater, unsentBytes, writeStallMs, lingerMs } = CONNECTION_LIMITS;

/** `Connection` over a Node socket, for both sides. The socket must have been made with `allowHalfOpen`. */
export class SocketConnection implements Connection {
  #socket: Socket;
  #endpoints: Endpoints;
  #tls: TlsFacts | undefined;
  readonly #clock: Clock;

  #reader: Reader | undefined;
  #readTimer: Timer | undefined;
  /** When #readTimer fires; it is left to run between reads, for arming one per read costs more than the read. */
  #readTimerAt = 0;
  #ended = false;

  /** What did not fit into the socket's buffer, in pieces: then each piece taken is a sign of life. */
  #unsent: Buffer[] = [];
  #unsentBytes = 0;
  #drainWaiters: (() => void)[] = [];
  #stallTimer: Timer | undefined;

  #ending = false;
  #closed = false;
  #closeReason: string | undefined;
  #closeListeners: (() => void)[] = [];

  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    this.#endpoints = endpointsOf(socket);
    this.#listen(socket);
  }

  get remoteAddress(): string {
    return this.#endpoints.remoteAddress;
  }
  get remotePort(): number {
    return this.#endpoints.remotePort;
  }
  get localAddress(): string {
    return this.#endpoints.localAddress;
  }
  get localPort(): number {
    return this.#endpoints.localPort;
  }
  get tls(): TlsFacts | undefined {
    return this.#tls;
  }
  get closed(): boolean {
    return this.#closed || this.#socket.destroyed;
  }
  get closeReason(): string | undefined {
    return this.#closeReason;
  }

  /** Octets received that no `read` has taken yet. */
  get unreadBytes(): number {
    return this.#socket.readableLength;
  }

  /** What a PROXY header said of both ends. */
  setEndpoints(endpoints: Endpoints): void {
    this.#endpoints = endpoints;
  }

  /** Give back bytes that were read too far; the next `read` (or the TLS handshake) sees them first. */
  unread(bytes: Buffer): void {
    if (bytes.length > 0) this.#socket.unshift(bytes);
  }

  read(options?: ReadOptions): Promise<Buffer | undefined> {
    if (this.#reader !== undefined)
      return Promise.reject(new Error('a read is already waiting on this connection'));
    if (this.closed) return Promise.resolve(undefined);
    const chunk = this.#take();
    if (chunk !== undefined) return Promise.resolve(chunk);
    if (this.#ended) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const timeoutMs = options?.timeoutMs ?? Number.POSITIVE_INFINITY;
      const deadline =
        timeoutMs === Number.POSITIVE_INFINITY ? timeoutMs : this.#clock.monotonic() + timeoutMs;
      this.#reader = { resolve, reject, deadline, timeoutMs };
      if (deadline !== Number.POSITIVE_INFINITY) this.#armReadTimer(deadline);
    });
  }

  write(data: Buffer | string): Promise<void> | undefined {
    if (this.closed || this.#ending || data.length === 0) return undefined;
    const inSocket = this.#socket.writableLength;
    if (this.#unsent.length === 0 && data.length + inSocket <= writeHighWater) {
      this.#socket.write(data);
      return undefined;
    }
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    for (let at = 0; at < bytes.length; at += writeHighWater) {
      this.#unsent.push(bytes.subarray(at, at + writeHighWater));
    }
    this.#unsentBytes += bytes.length;
    this.#pump();
    if (this.#unsentBytes > unsentBytes) {
      this.destroy('the peer does not take what is sent to it');
      return undefined;
    }
    if (this.#unsent.length === 0 && this.#socket.writableLength < writeHighWater) return undefined;
    this.#watchStall();
    return new Promise((resolve) => this.#drainWaiters.push(resolve));
  }

  async startTls(source: TlsSource): Promise<TlsFacts> {
    if (this.unreadBytes > 0) {
      this.destroy('plain text behind STARTTLS');
      throw new Refusal('bad-input', 'there was more data in clear behind STARTTLS');
    }
    return this.acceptTls(source);
  }

  /** Server-side handshake where bytes may already be at hand: implicit TLS, behind a PROXY header. */
  acceptTls(source: TlsSource): Promise<TlsFacts> {
    return this.upgrade((raw) => serverHandshake(raw, source, this.#clock));
  }

  /** Replace the socket by the TLS socket that `handshake` makes of it. A failure destroys the connection. */
  async upgrade(
    handshake: (raw: Socket) => Promise<{ socket: TLSSocket; facts: TlsFacts }>,
  ): Promise<TlsFacts> {
    if (this.#closed) throw new Refusal('unavailable', 'the connection is closed');
    const raw = this.#socket;
    this.#unlisten(raw);
    // Errors of the socket below TLS reach us through the TLS socket; this keeps them from being unhandled.
    raw.on('error', ignore);
    try {
      const { socket, facts } = await handshake(raw);
      if (this.#closed) {
        socket.destroy();
        throw new Refusal('unavailable', 'the connection was closed during the TLS handshake');
      }
      this.#socket = socket;
      this.#tls = facts;
      this.#listen(socket);
      return facts;
    } catch (error) {
      this.#listen(raw);
      this.destroy(errorText(error));
      this.#onClosed();
      throw error;
    }
  }

  end(): Promise<void> {
    if (!this.#ending && !this.#closed) {
      this.#ending = true;
      this.#watchStall();
      this.#pump();
      this.#discardInput();
    }
    return new Promise((resolve) => this.onClose(resolve));
  }

  destroy(reason?: string): void {
    if (this.#closed) return;
    this.#closeReason ??= reason;
    this.#socket.destroy();
    this.#ended = true;
  }

  onClose(fn: () => void): void {
    if (this.#closed) fn();
    else this.#closeListeners.push(fn);
  }

  #listen(socket: Socket): void {
    socket.on('readable', this.#onReadable);
    socket.on('end', this.#onEnd);
    socket.on('drain', this.#onDrain);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClosed);
  }

  #unlisten(socket: Socket): void {
    socket.off('readable', this.#onReadable);
    socket.off('end', this.#onEnd);
    socket.off('drain', this.#onDrain);
    socket.off('error', this.#onError);
    socket.off('close', this.#onClosed);
  }

  #take(): Buffer | undefined {
    const chunk: unknown = this.#socket.read();
    return Buffer.isBuffer(chunk) ? chunk : undefined;
  }

  readonly #onReadable = (): void => {
    if (this.#ending) {
      this.#discardInput();
      return;
    }
    if (this.#reader === undefined) {
      // Nobody asks: what came stays in the socket's buffer, which stops reading from the network when it is full.
      // An end without data must be taken out though, or it would never be reported.
      if (this.#socket.readableLength === 0) this.#socket.read(0);
      return;
    }
    const chunk = this.#take();
    if (chunk !== undefined) this.#settleRead(chunk);
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#settleRead(undefined);
  };

  readonly #onError = (error: unknown): void => {
    const code = errnoCode(error);
    this.#closeReason ??=
      code === 'ECONNRESET' ? 'reset by peer' : code === 'EPIPE' ? 'closed by peer' : errorText(error);
  };

  readonly #onClosed = (): void => {
    if (this.#closed) return;
    this.#closed = true;
    this.#ended = true;
    this.#readTimer?.cancel();
    this.#stallTimer?.cancel();
    this.#unsent = [];
    this.#settleRead(undefined);
    this.#wakeWriters();
    const listeners = this.#closeListeners;
    this.#closeListeners = [];
    for (const fn of listeners) fn();
  };

  readonly #onDrain = (): void => {
    this.#stallTimer?.refresh();
    this.#pump();
    if (this.#unsent.length > 0 || this.#socket.writableLength >= writeHighWater) return;
    if (!this.#ending) {
      this.#stallTimer?.cancel();
      this.#stallTimer = undefined;
    }
    this.#wakeWriters();
  };

  #settleRead(chunk: Buffer | undefined): void {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.resolve(chunk);
  }

  #wakeWriters(): void {
    const waiters = this.#drainWaiters;
    this.#drainWaiters = [];
    for (const resolve of waiters) resolve();
  }

  /** Move pieces into the socket up to its mark, and the FIN behind the last one. */
  #pump(): void {
    while (this.#unsent.length > 0 && this.#socket.writableLength < writeHighWater) {
      const piece = this.#unsent.shift();
      if (piece === undefined) break;
      this.#unsentBytes -= piece.length;
      this.#socket.write(piece);
    }
    if (!this.#ending || this.#unsent.length > 0 || this.#socket.writableEnded) return;
    this.#socket.end(() => {
      this.#stallTimer?.cancel();
      // All is sent. Reuses the field: from here on only the peer's own end is awaited.
      if (!this.#closed) this.#stallTimer = this.#clock.setTimer(lingerMs, () => this.destroy());
    });
  }

  #watchStall(): void {
    this.#stallTimer ??= this.#clock.setTimer(writeStallMs, () => {
      this.destroy(`the peer took nothing for ${writeStallMs / 1000} s`);
    });
  }

  /** After our end: read and drop, so that the peer's FIN is seen and our last reply is not lost to a reset. */
  #discardInput(): void {
    while (this.#take() !== undefined);
  }

  #armReadTimer(deadline: number): void {
    if (this.#readTimer !== undefined && this.#readTimerAt <= deadline) return;
    this.#readTimer?.cancel();
    this.#readTimerAt = deadline;
    this.#readTimer = this.#clock.setTimer(deadline - this.#clock.monotonic(), this.#onReadTimer);
  }

  readonly #onReadTimer = (): void => {
    this.#readTimer = undefined;
    const reader = this.#reader;
    if (reader === undefined || reader.deadline === Number.POSITIVE_INFINITY) return;
    // A timer may fire a fraction of a millisecond early by the other clock.
    if (reader.deadline - this.#clock.monotonic() > 1) {
      this.#armReadTimer(reader.deadline);
      return;
    }
    this.#reader = undefined;
    reader.reject(new ReadTimeout(reader.timeoutMs));
  };
}

function ignore(): void {}

function endpointsOf(socket: Socket): Endpoints {
  return {
    remoteAddress: canonicalAddress(socket.remoteAddress ?? '') ?? '',
    remotePort: socket.remotePort ?? 0,
    localAddress: canonicalAddress(socket.localAddress ?? '') ?? '',
    localPort: socket.localPort ?? 0,
  };
}
