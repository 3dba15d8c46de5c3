import { connect } from 'node:net';
import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib';

/** Milliseconds until a server that says nothing has failed; the machine may be busy with much else. */
const PATIENCE_MS = 90_000;

/** A connection that hands out whole responses; text is latin1, one character an octet. */
export interface Wire {
  send(text: string): void;
  /** What has ended it, as far as the socket and the inflater tell: "error ECONNRESET, close". */
  readonly ends: readonly string[];
  /** The next response, literals in it, without its CRLF; undefined when the server has closed. */
  response(): Promise<string | undefined>;
  /** From now on both sides compress (RFC 4978). */
  compress(): void;
  destroy(): void;
}

export async function openWire(port: number): Promise<Wire> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let pieces: Buffer[] = [];
  let received: Buffer = Buffer.alloc(0);
  let over = false;
  let wake: (() => void) | undefined;
  const take = (data: Buffer): void => {
    pieces.push(data);
    wake?.();
  };
  const end = (): void => {
    over = true;
    wake?.();
  };
  const ends: string[] = [];
  const note = (of: string) => (error: unknown) =>
    void ends.push(error instanceof Error ? `${of} ${(error as NodeJS.ErrnoException).code}` : of);
  let write = (data: Buffer): void => void socket.write(data);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('data', take);
  for (const event of ['end', 'close', 'error']) socket.on(event, note(event)).on(event, end);

  /** Octets of the response at the front, or -1. */
  const length = (): number => {
    let from = 0;
    for (;;) {
      const crlf = received.indexOf('\r\n', from);
      if (crlf === -1) return -1;
      const open = received.lastIndexOf('{', crlf);
      const literal = open < from ? null : /^\{(\d+)\}$/.exec(received.toString('latin1', open, crlf));
      if (literal === null) return crlf;
      from = crlf + 2 + Number(literal[1]);
      if (received.length < from) return -1;
    }
  };
  const more = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('the server said nothing for too long')), PATIENCE_MS);
      wake = () => {
        wake = undefined;
        clearTimeout(late);
        resolve();
      };
    });
  return {
    ends,
    send: (text) => write(Buffer.from(text, 'latin1')),
    async response() {
      for (;;) {
        if (pieces.length > 0) {
          received = Buffer.concat([received, ...pieces]);
          pieces = [];
        }
        const size = length();
        if (size >= 0) {
          const text = received.toString('latin1', 0, size);
          received = received.subarray(size + 2);
          return text;
        }
        if (over) return undefined;
        await more();
      }
    },
    compress() {
      // The stream never ends as such. Without this, what comes last is thrown away when it is still waiting at the end.
      const inflate = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH });
      const deflate = createDeflateRaw({ flush: constants.Z_SYNC_FLUSH });
      socket.off('data', take);
      socket.on('data', (data: Buffer) => inflate.write(data));
      // What was said last is still in there when the connection has ended.
      for (const event of ['end', 'close', 'error']) {
        socket.off(event, end);
        socket.on(event, () => inflate.end());
        inflate.on(event, note(`inflate ${event}`)).on(event, end);
      }
      inflate.on('data', take);
      deflate.on('data', (data: Buffer) => void socket.write(data));
      write = (data) => void deflate.write(data);
    },
    destroy: () => void socket.destroy(),
  };
}
