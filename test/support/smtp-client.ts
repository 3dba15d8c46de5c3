import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Milliseconds until a test that waits for a server in vain fails. */
const PATIENCE_MS = 10_000;

/**
 * A line client that does nothing on its own: it sends what it is told, byte for byte, and hands out what came. For
 * SMTP and every other line protocol.
 */
export interface LineClient {
  /** Send text as UTF-8, or bytes, in one write. */
  send(data: string | Buffer): void;
  /** The next line without its CRLF, or undefined when the server has closed. */
  line(): Promise<string | undefined>;
  /** The lines of one SMTP reply, joined by newlines. */
  reply(): Promise<string>;
  /** Send a command with its CRLF and return the reply. */
  command(text: string): Promise<string>;
  /** Send each element in one write and expect a reply that begins so; throws otherwise. */
  talk(...exchange: readonly (readonly [send: string | Buffer, expect: string])[]): Promise<void>;
  /** Handshake, after the server's go-ahead. Any certificate will do. */
  startTls(): Promise<void>;
  /** End our side; what the server still says can be read. */
  halfClose(): void;
  /** Resolves when the server has closed, with what it said last that nobody read. */
  closed(): Promise<string>;
  close(): void;
}

/** Connect to a server of a test; with `tls` from the first byte. */
export async function lineClient(
  port: number,
  options: { tls?: boolean; host?: string } = {},
): Promise<LineClient> {
  let socket: Socket = connectTcp({
    port,
    host: options.host ?? '127.0.0.1',
    allowHalfOpen: true,
    noDelay: true,
  });
  let received = '';
  let over = false;
  let wake: (() => void) | undefined;

  const listenTo = (to: Socket): void => {
    to.on('data', (data) => {
      received += data.toString('utf8');
      wake?.();
    });
    for (const event of ['end', 'close', 'error']) {
      to.on(event, () => {
        over = true;
        wake?.();
      });
    }
  };
  const more = (what: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`${what}: nothing came; unread: ${received}`)),
        PATIENCE_MS,
      );
      wake = () => {
        wake = undefined;
        clearTimeout(late);
        resolve();
      };
    });
  const upgrade = async (): Promise<void> => {
    for (const event of ['data', 'end', 'close', 'error']) socket.removeAllListeners(event);
    const secure = connectTls({ socket, rejectUnauthorized: false });
    await new Promise<void>((resolve, reject) => {
      secure.once('secureConnect', resolve);
      secure.once('error', reject);
      secure.once('close', () => reject(new Error('closed during the handshake')));
    });
    for (const event of ['error', 'close']) secure.removeAllListeners(event);
    socket = secure;
    listenTo(secure);
  };

  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.removeAllListeners('error');
  if (options.tls) await upgrade();
  else listenTo(socket);

  const client: LineClient = {
    send: (data) => void socket.write(data),
    async line() {
      for (;;) {
        const end = received.indexOf('\r\n');
        if (end !== -1) {
          const text = received.slice(0, end);
          received = received.slice(end + 2);
          return text;
        }
        if (over) return undefined;
        await more('waiting for a line');
      }
    },
    async reply() {
      const lines: string[] = [];
      for (;;) {
        const text = await client.line();
        if (text === undefined) return [...lines, '(closed)'].join('\n');
        lines.push(text);
        if (text[3] !== '-') return lines.join('\n');
      }
    },
    command(text) {
      client.send(`${text}\r\n`);
      return client.reply();
    },
    async talk(...exchange) {
      for (const [send, expected] of exchange) {
        if (send.length > 0) client.send(send);
        const reply = await client.reply();
        if (!reply.startsWith(expected)) throw new Error(`${String(send)} got ${reply}, not ${expected}`);
      }
    },
    startTls: upgrade,
    halfClose: () => void socket.end(),
    async closed() {
      while (!over) await more('waiting for the server to close');
      return received;
    },
    close: () => void socket.destroy(),
  };
  return client;
}
