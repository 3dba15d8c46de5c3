import type { TlsFacts, TlsSource } from './tls.ts';

/**
 * One byte stream to a peer, plain or TLS: what the SMTP, LMTP and IMAP servers and the SMTP client are built on.
 * It is pulled: nothing is read from the network beyond one socket buffer until `read` asks for it.
 *
 * Losing the connection is not an exception. `read` answers undefined, `write` swallows, `closed` turns true and
 * `closeReason` says why in plain words, so a session is one loop that ends when `read` has nothing more to give.
 */
export interface Connection {
  /** Canonical text of the peer's address (IPv4-mapped IPv6 as IPv4, RFC 5952 otherwise); '' on a Unix socket. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Facts of the handshake once TLS is on, whether implicit or by `startTls`. */
  readonly tls: TlsFacts | undefined;
  /** True from the moment nothing more can be sent or received. */
  readonly closed: boolean;
  /** Why it closed, in plain words for the journal ("reset by peer"); undefined while open or after a normal end. */
  readonly closeReason: string | undefined;

  /**
   * The next bytes, as many as are at hand, never empty; undefined when the peer has ended its side or the
   * connection is lost (then and at every later call). One read at a time: keep the promise if you must race it
   * against something else (IDLE) and await the same one again.
   *
   * Throws `ReadTimeout` when nothing came for `timeoutMs` milliseconds; the connection stays usable (say why, then
   * `end`). Without `timeoutMs` it waits for as long as the peer lives.
   */
  read(options?: ReadOptions): Promise<Buffer | undefined>;

  /**
   * Queue bytes; a string is sent as UTF-8. Returns undefined when there is room, or a promise to await before
   * writing more: it resolves when the peer has taken enough, or when the connection is lost. Never rejects.
   * A caller that does not wait is stopped by a cap: with more than `CONNECTION_LIMITS.unsentBytes` unsent, or when
   * the peer takes nothing for `CONNECTION_LIMITS.writeStallMs`, the connection is destroyed.
   */
  write(data: Buffer | string): Promise<void> | undefined;

  /**
   * Server side of STARTTLS: call it after the go-ahead reply was written. Throws a `Refusal` ('bad-input') when
   * bytes have already arrived in clear behind the command (RFC 3207 section 4.2 and CVE-2011-0411: they must not
   * be taken for protected ones), ('unavailable') when there is no certificate or the handshake fails or takes
   * longer than `limits.tlsHandshakeMs`; the connection is then destroyed. The caller must check its own line buffer.
   */
  startTls(source: TlsSource): Promise<TlsFacts>;

  /**
   * Send what is queued, then FIN; resolves when the connection is fully closed. A peer that does not close its side
   * within `CONNECTION_LIMITS.lingerMs` is cut off. What it still sends is discarded. Never rejects.
   */
  end(): Promise<void>;

  /** Close at once, dropping what is unsent. `reason` becomes `closeReason`. Idempotent. */
  destroy(reason?: string): void;

  /** Call `fn` once when the connection is closed, at once if it already is. */
  onClose(fn: () => void): void;
}

export interface ReadOptions {
  /** Milliseconds to wait for the first byte. */
  readonly timeoutMs?: number;
}

/** Thrown by `Connection.read` when the peer was silent for too long. */
export class ReadTimeout extends Error {
  override readonly name = 'ReadTimeout';
  /** Milliseconds that were waited. */
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super(`no data for ${Math.round(timeoutMs / 1000)} s`);
    this.timeoutMs = timeoutMs;
  }
}

export const CONNECTION_LIMITS = {
  /** Octets buffered towards the peer from which `write` asks the caller to wait. */
  writeHighWater: 64 * 1024,
  /** Octets buffered towards the peer beyond which the connection is destroyed: the caller ignored back-pressure. */
  unsentBytes: 8 * 1024 * 1024,
  /** Milliseconds the peer may take none of the bytes waiting for it. RFC 5321 4.5.3.2.5 gives a data block 3 minutes. */
  writeStallMs: 3 * 60 * 1000,
  /** Milliseconds the peer has after our FIN to close its side. */
  lingerMs: 5 * 1000,
} as const;
