import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { constants, createDeflateRaw, createInflateRaw, deflateRawSync } from 'node:zlib';
import { type ImapTestServer, imapTestServer } from '../../../test/support/imap-server.ts';

/** COMPRESS=DEFLATE (RFC 4978) by a client with compressors of its own. */

interface Packed {
  send(text: string | Buffer): void;
  /** Octets on the wire as they are. */
  raw(octets: Buffer): void;
  /** Resolves with what has come, as soon as that has a match. */
  until(pattern: RegExp): Promise<string>;
  closed(): Promise<void>;
  pause(): void;
  resume(): void;
  readonly received: () => number;
  readonly socket: Socket;
}

async function compressed(server: ImapTestServer, before: readonly string[] = []): Promise<Packed> {
  const socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true });
  let text = '';
  let received = 0;
  let over = false;
  let wake: (() => void) | undefined;
  const take = (octets: Buffer): void => {
    text += octets.toString('latin1');
    wake?.();
  };
  const until = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const match = pattern.exec(text);
      if (match !== null) {
        const found = text.slice(0, match.index + match[0].length);
        text = text.slice(found.length);
        return found;
      }
      assert(!over, `closed before ${pattern}: ${text.slice(-500)}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  socket.on('data', take);
  socket.on('error', () => undefined);
  const end = (): void => {
    over = true;
    wake?.();
  };
  let ending = end;
  socket.on('close', () => ending());
  await until(/^\* OK.*\r\n/);
  for (const line of ['1 LOGIN alice@example.test postern', ...before, '2 COMPRESS DEFLATE']) {
    socket.write(`${line}\r\n`);
    await until(new RegExp(`^${line.split(' ', 1)[0]} OK.*\\r\\n`, 'm'));
  }
  const inflater = createInflateRaw();
  const deflater = createDeflateRaw();
  // What came last may still be on its way through the inflater.
  ending = () => void inflater.write(Buffer.alloc(0), end);
  socket.off('data', take);
  socket.on('data', (octets: Buffer) => {
    received += octets.length;
    inflater.write(octets);
  });
  inflater.on('data', take);
  deflater.on('data', (octets: Buffer) => socket.write(octets));
  return {
    send(what) {
      deflater.write(what);
      deflater.flush(constants.Z_SYNC_FLUSH);
    },
    raw: (octets) => void socket.write(octets),
    until,
    async closed() {
      while (!over)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    received: () => received,
    socket,
  };
}

async function withServer(run: (server: ImapTestServer) => Promise<void>): Promise<void> {
  const server = await imapTestServer();
  try {
    await run(server);
    assert.deepEqual(server.logged, []);
  } finally {
    await server.close();
  }
}

test('commands, literals, pipelining and IDLE under compression, and fewer octets', () =>
  withServer(async (server) => {
    const body = '\r\nAll work and no play makes a dull mailbox.'.repeat(20_000);
    const c = await compressed(server);
    c.send(`3 APPEND INBOX {${body.length}}\r\n`);
    await c.until(/^\+ .*\r\n/m);
    c.send(body);
    c.send('\r\n');
    await c.until(/^3 OK \[APPENDUID \d+ 1\].*\r\n/m);
    c.send('4 SELECT INBOX\r\n5 FETCH 1 BODY[]\r\n6 NOOP\r\n');
    const answer = await c.until(/^6 OK.*\r\n/m);
    assert(answer.includes(body));
    assert(c.received() < body.length / 20);
    c.send('7 IDLE\r\n');
    await c.until(/^\+ idling\r\n/m);
    const other = await server.ready();
    await other.append('INBOX', 'Subject: x\r\n\r\n');
    await c.until(/^\* 2 EXISTS\r\n/m);
    c.send('DONE\r\n');
    await c.until(/^7 OK.*\r\n/m);
    c.send('8 LOGOUT\r\n');
    await c.until(/^8 OK.*\r\n/m);
    await c.closed();
  }));

test('only once, and TLS not any more', () =>
  withServer(async (server) => {
    const c = await compressed(server);
    c.send('3 COMPRESS DEFLATE\r\n');
    await c.until(/^3 NO \[COMPRESSIONACTIVE\] .*\r\n/m);
    c.send('4 STARTTLS\r\n');
    await c.until(/^4 BAD .*\r\n/m);
    // RFC 8437 section 3: the state of the connection cannot be reset, so that is its end.
    c.send('5 UNAUTHENTICATE\r\n6 CAPABILITY\r\n');
    assert.doesNotMatch(await c.until(/^\* BYE .*\r\n/m), /^5 /m);
    await c.closed();
  }));

test('what is not compressed, or ends the stream, ends the session', () =>
  withServer(async (server) => {
    const garbage = await compressed(server);
    // The third kind of blocks, which there is not.
    garbage.raw(Buffer.from('\xff\xff\xff\xff', 'latin1'));
    await garbage.closed();
    const ended = await compressed(server);
    ended.raw(deflateRawSync('3 NOOP\r\n'));
    await ended.until(/^\* BYE|3 OK.*\r\n/);
    ended.raw(deflateRawSync('4 NOOP\r\n'));
    await ended.closed();
    // Cut off in the middle of a block.
    const cut = await compressed(server);
    cut.raw(deflateRawSync('x'.repeat(1000)).subarray(0, 5));
    cut.socket.end();
    await cut.closed();
    const other = await server.ready();
    await other.ok('NOOP');
    assert.match(server.ended.join('\n'), /not compressed as agreed/);
  }));

/** Deflate at its best: 1,000 octets of each one. */
function bomb(octets: number): Buffer {
  const deflater = deflateRawSync(Buffer.alloc(octets, 'x'), {
    finishFlush: constants.Z_SYNC_FLUSH,
    level: 9,
  });
  assert(deflater.length < octets / 900);
  return deflater;
}

test('a deflate bomb as a command ends the session early', () =>
  withServer(async (server) => {
    const c = await compressed(server);
    const packed = bomb(100 * 1024 * 1024);
    const before = process.memoryUsage().rss;
    c.raw(packed);
    await c.closed();
    assert(process.memoryUsage().rss - before < 60 * 1024 * 1024);
    assert.equal(server.ended.length, 1);
  }));

test('a deflate bomb of messages ends the session too', async () => {
  const server = await imapTestServer({ limits: { messageBytes: 4 * 1024 * 1024 } });
  try {
    const c = await compressed(server);
    // Each is refused and thrown away; that goes on only as long as it costs the client something.
    const line = Buffer.from(`A APPEND INBOX {${8 * 1024 * 1024}+}\r\n`);
    const packed = deflateRawSync(
      Buffer.concat([line, Buffer.alloc(8 * 1024 * 1024, 'x'), Buffer.from('\r\n')]),
      {
        finishFlush: constants.Z_SYNC_FLUSH,
        level: 9,
      },
    );
    for (let i = 0; i < 50 && !c.socket.destroyed; i++) c.raw(packed);
    await c.closed();
    assert.match(server.ended.join('\n'), /grew too large when it was inflated/);
  } finally {
    await server.close();
  }
});

test('a client that does not read holds little memory under compression as well', () =>
  withServer(async (server) => {
    const other = await server.ready();
    // Octets that do not compress.
    let seed = 1;
    const noise = Buffer.from(
      Uint8Array.from({ length: 2_000_000 }, () => {
        seed = (seed * 1103515245 + 12345) & 0x7fffffff;
        return (seed >> 16) % 90 || 1;
      }),
    );
    await other.append('INBOX', noise.toString('latin1'));
    const c = await compressed(server, ['9 SELECT INBOX']);
    const before = process.memoryUsage().arrayBuffers;
    c.pause();
    c.send('3 FETCH 1 BODY[]\r\n'.repeat(200));
    // The server goes on to serve others while this one waits.
    for (let i = 0; i < 20; i++) await other.ok('NOOP');
    assert(process.memoryUsage().arrayBuffers - before < 60 * 1024 * 1024);
    c.resume();
    await c.until(/^3 OK.*\r\n/m);
    c.socket.destroy();
  }));
