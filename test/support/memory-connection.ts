import type { Connection } from '../../src/net/connection.ts';

/** Both ends of a byte stream in memory: `connection` for the server, the rest for the test. */
export interface MemoryConnection {
  readonly connection: Connection;
  /** Bytes from the peer, as one chunk. */
  send(chunk: Buffer | string): void;
  /** The peer ends its side. */
  endInput(): void;
  /** Resolves when the server waits for bytes and has read all, or has closed. */
  idle(): Promise<void>;
  /** All that the server wrote so far, one element a write. */
  readonly writes: string[];
  readonly output: string;
}

export function memoryConnection(): MemoryConnection {
  const chunks: Buffer[] = [];
  const writes: string[] = [];
  let reader: ((chunk: Buffer | undefined) => void) | undefined;
  let inputOver = false;
  let closed = false;
  let idlers: (() => void)[] = [];
  let closers: (() => void)[] = [];

  const wakeIdlers = (): void => {
    const waiting = idlers;
    idlers = [];
    for (const fn of waiting) fn();
  };
  const close = (): void => {
    if (closed) return;
    closed = true;
    reader?.(undefined);
    reader = undefined;
    wakeIdlers();
    for (const fn of closers) fn();
    closers = [];
  };

  const connection: Connection = {
    remoteAddress: '192.0.2.1',
    remotePort: 40000,
    localAddress: '192.0.2.25',
    localPort: 25,
    tls: undefined,
    get closed() {
      return closed;
    },
    closeReason: undefined,
    read() {
      const chunk = chunks.shift();
      if (chunk !== undefined) return Promise.resolve(chunk);
      if (inputOver || closed) return Promise.resolve(undefined);
      wakeIdlers();
      return new Promise((resolve) => {
        reader = resolve;
      });
    },
    write(data) {
      if (!closed) writes.push(data.toString());
      return undefined;
    },
    startTls: () => Promise.reject(new Error('no TLS in memory')),
    async end() {
      close();
    },
    destroy: close,
    onClose(fn) {
      if (closed) fn();
      else closers.push(fn);
    },
  };

  return {
    connection,
    send(chunk) {
      const bytes = Buffer.from(chunk);
      if (bytes.length === 0) return;
      if (reader === undefined) chunks.push(bytes);
      else {
        const resolve = reader;
        reader = undefined;
        resolve(bytes);
      }
    },
    endInput() {
      inputOver = true;
      reader?.(undefined);
      reader = undefined;
    },
    idle() {
      if (closed || (reader !== undefined && chunks.length === 0)) return Promise.resolve();
      return new Promise((resolve) => idlers.push(resolve));
    },
    writes,
    get output() {
      return writes.join('');
    },
  };
}
