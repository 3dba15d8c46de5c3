import assert from 'node:assert/strict';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';

/** Milliseconds until a test that waits for a server in vain fails. */
const PATIENCE_MS = 10_000;

/** What a command was answered: untagged responses without "* ", literals in them as they came; text is latin1. */
export interface ImapAnswer {
  readonly untagged: readonly string[];
  /** "OK SELECT completed" */
  readonly tagged: string;
}

/** An IMAP client for tests that does nothing on its own. Text goes out and comes in as latin1, one character an octet. */
export interface ImapClient {
  send(text: string | Buffer): void;
  /** The next response with its literals, without the final CRLF; undefined when the server has closed. */
  response(): Promise<string | undefined>;
  /** Responses that have come already. */
  waiting(): string;
  /** Send a command and read to its tagged response. A Buffer among the parts goes as a synchronizing literal. */
  command(...parts: (string | Buffer)[]): Promise<ImapAnswer>;
  /** As `command`, and it must be answered OK; the untagged responses. */
  ok(...parts: (string | Buffer)[]): Promise<readonly string[]>;
  /** As `command`, and its tagged response must begin so. */
  expect(tagged: string, ...parts: (string | Buffer)[]): Promise<readonly string[]>;
  /** LOGIN as the account of the test server. */
  login(user?: string): Promise<void>;
  append(mailbox: string, message: string, flags?: string): Promise<string>;
  /** The next response must match. */
  next(pattern: RegExp | string): Promise<string>;
  startTls(): Promise<void>;
  /** Channel binding data of our TLS connection (RFC 9266). */
  exporter(): Buffer | undefined;
  /** Stop reading from the network, or go on. */
  pause(): void;
  resume(): void;
  /** Resolves when the server has closed, with what nobody has read. */
  closed(): Promise<string>;
  close(): void;
}

export async function imapClient(port: number, options: { tls?: boolean } = {}): Promise<ImapClient> {
  let socket: Socket = connectTcp({ port, host: '127.0.0.1', noDelay: true });
  let received: Buffer = Buffer.alloc(0);
  let over = false;
  let wake: (() => void) | undefined;
  let tags = 0;

  const listenTo = (to: Socket): void => {
    to.on('data', (data: Buffer) => {
      received = received.length === 0 ? data : Buffer.concat([received, data]);
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
        () => reject(new Error(`${what}: nothing came; unread: ${received.toString('latin1')}`)),
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
    });
    secure.removeAllListeners('error');
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

  /** Octets of the response at the front, without its CRLF, or -1 while it is not whole. */
  const responseLength = (): number => {
    let from = 0;
    for (;;) {
      const end = received.indexOf('\r\n', from);
      if (end === -1) return -1;
      const literal = /\{(\d+)\}$/.exec(received.toString('latin1', from, end));
      if (literal === null) return end;
      from = end + 2 + Number(literal[1]);
      if (received.length < from) return -1;
    }
  };

  const client: ImapClient = {
    send: (text) => void socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text),
    async response() {
      for (;;) {
        const length = responseLength();
        if (length >= 0) {
          const text = received.toString('latin1', 0, length);
          received = received.subarray(length + 2);
          return text;
        }
        if (over) return undefined;
        await more('waiting for a response');
      }
    },
    waiting: () => received.toString('latin1'),
    async command(...parts) {
      const tag = `A${++tags}`;
      const untagged: string[] = [];
      let line = `${tag} `;
      for (const part of parts) {
        if (typeof part === 'string') {
          line += part;
          continue;
        }
        client.send(`${line}{${part.length}}\r\n`);
        const go = await client.response();
        if (go?.startsWith(`${tag} `)) return { untagged, tagged: go.slice(tag.length + 1) };
        assert.match(go ?? '(closed)', /^\+ /);
        client.send(part);
        line = '';
      }
      client.send(`${line}\r\n`);
      for (;;) {
        const response = await client.response();
        if (response === undefined) return { untagged, tagged: '(closed)' };
        if (response.startsWith(`${tag} `)) return { untagged, tagged: response.slice(tag.length + 1) };
        untagged.push(response.replace(/^\* /, ''));
      }
    },
    ok: (...parts) => client.expect('OK', ...parts),
    async expect(start, ...parts) {
      const { untagged, tagged } = await client.command(...parts);
      assert(tagged.startsWith(start), `${parts.join('').slice(0, 200)}: ${tagged}, not ${start}`);
      return untagged;
    },
    async login(user = 'alice@example.test') {
      assert.match((await client.response()) ?? '', /^\* OK /);
      await client.ok(`LOGIN ${user} postern`);
    },
    async append(mailbox, message, flags) {
      const head = `APPEND ${mailbox} ${flags === undefined ? '' : `(${flags}) `}`;
      const { tagged } = await client.command(head, Buffer.from(message, 'latin1'));
      assert.match(tagged, /^OK \[APPENDUID \d+ \d+\]/);
      return tagged.replace(/^.*APPENDUID \d+ (\d+)\].*$/, '$1');
    },
    async next(pattern) {
      const response = (await client.response()) ?? '(closed)';
      if (typeof pattern === 'string') assert.equal(response, pattern);
      else assert.match(response, pattern);
      return response;
    },
    startTls: upgrade,
    exporter: () =>
      socket instanceof TLSSocket
        ? socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
        : undefined,
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    async closed() {
      while (!over) await more('waiting for the server to close');
      return received.toString('latin1');
    },
    close: () => void socket.destroy(),
  };
  return client;
}
