import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { systemClock } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { Metrics } from '../../base/metrics.ts';
import { CONNECTION_LIMITS, ReadTimeout, type Connection } from '../connection.ts';
import { createSelfSigned } from '../tls-self-signed.ts';
import { fixedTlsSource } from '../tls-store.ts';
import type { TlsFacts } from '../tls.ts';
import { listen, listenerMetrics, type ListenOptions, type RefusedConnection } from './listen.ts';

const pair = createSelfSigned({
  commonName: 'mail.test',
  names: ['mail.test', '127.0.0.1'],
  notBefore: Date.now() - 60_000,
  notAfter: Date.now() + 3_600_000,
});
const source = fixedTlsSource(pair, 'test');

async function start(t: TestContext, options: Partial<ListenOptions> & Pick<ListenOptions, 'onConnection'>) {
  const refused: RefusedConnection[] = [];
  const listener = await listen({
    target: { address: '127.0.0.1', port: 0 },
    maxTotal: 0,
    maxPerAddress: 0,
    onRefused: (what) => {
      refused.push(what);
      return '421 4.7.0 Too many connections\r\n';
    },
    clock: systemClock,
    ...options,
  });
  t.after(async () => {
    await listener.close();
    await listener.closeAll();
  });
  return { listener, refused };
}

function client(t: TestContext, port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  t.after(() => socket.destroy());
  return socket;
}

/** Everything the server sends until it ends its side; then we end ours. */
async function drain(socket: Socket): Promise<string> {
  let text = '';
  const ended = once(socket, 'end');
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  await Promise.race([ended, once(socket, 'close')]);
  if (!socket.destroyed) socket.end();
  return text;
}

async function echo(connection: Connection): Promise<void> {
  for (let chunk = await connection.read(); chunk !== undefined; chunk = await connection.read()) {
    await connection.write(chunk);
  }
  await connection.end();
}

test('bytes go both ways, a half-closed client still gets its answer', async (t) => {
  let seen: Connection | undefined;
  const { listener } = await start(t, {
    onConnection: (connection) => {
      seen = connection;
      return echo(connection);
    },
  });
  const socket = client(t, listener.port);
  await once(socket, 'connect');
  const { localPort } = socket;
  socket.end('hello\r\n');
  assert.equal(await drain(socket), 'hello\r\n');
  assert.equal(seen?.remoteAddress, '127.0.0.1');
  assert.equal(seen?.remotePort, localPort);
  assert.equal(seen?.localPort, listener.port);
  assert.equal(seen?.closeReason, undefined);
});

test('large data arrives whole in both directions', async (t) => {
  const { listener } = await start(t, { onConnection: echo });
  const socket = client(t, listener.port);
  const data = Buffer.alloc(5_000_000, 'abcdefghij');
  socket.end(data);
  const parts: Buffer[] = [];
  for await (const chunk of socket) parts.push(chunk as Buffer);
  assert.ok(Buffer.concat(parts).equals(data));
});

test('nothing is read while nobody asks', async (t) => {
  let connection: Connection | undefined;
  const { listener } = await start(t, {
    onConnection: (c) => {
      connection = c;
    },
  });
  const socket = client(t, listener.port);
  let sent = 0;
  const chunk = Buffer.alloc(64 * 1024);
  await once(socket, 'connect');
  // Kernel buffers take some megabytes; a server that swallowed would take it all.
  await new Promise<void>((resolve) => {
    const push = (): void => {
      if (sent >= 64 * 1024 * 1024) return resolve();
      sent += chunk.length;
      if (socket.write(chunk)) setImmediate(push);
      else {
        const stuck = setTimeout(resolve, 300);
        socket.once('drain', () => {
          clearTimeout(stuck);
          push();
        });
      }
    };
    push();
  });
  assert.ok(sent < 32 * 1024 * 1024, `${sent} octets were taken`);
  const first = await connection?.read();
  assert.ok(first !== undefined && first.length <= 256 * 1024);
});

test('a peer that does not read: write asks to wait, then the cap cuts it off', async (t) => {
  let reason: string | undefined;
  const closed = Promise.withResolvers<void>();
  let asked = false;
  const { listener } = await start(t, {
    onConnection: (connection) => {
      connection.onClose(() => {
        reason = connection.closeReason;
        closed.resolve();
      });
      for (let i = 0; i < 1000 && !connection.closed; i++) {
        if (connection.write(Buffer.alloc(256 * 1024)) !== undefined) asked = true;
      }
    },
  });
  const socket = client(t, listener.port);
  socket.pause();
  await closed.promise;
  assert.ok(asked);
  assert.equal(reason, 'the peer does not take what is sent to it');
});

test('a writer that waits is held back and loses nothing', async (t) => {
  let peak = 0;
  let written = 0;
  let received = 0;
  const { listener } = await start(t, {
    onConnection: async (connection) => {
      for (let i = 0; i < 300; i++) {
        await connection.write(Buffer.alloc(100_000, i));
        written += 100_000;
        peak = Math.max(peak, written - received);
      }
      await connection.end();
    },
  });
  const socket = client(t, listener.port);
  for await (const chunk of socket) received += (chunk as Buffer).length;
  assert.equal(received, 30_000_000);
  assert.ok(peak < 24_000_000 && peak > CONNECTION_LIMITS.writeHighWater);
});

test('a silent peer: ReadTimeout, and the connection can still be spoken to', async (t) => {
  const { listener } = await start(t, {
    onConnection: async (connection) => {
      assert.equal((await connection.read({ timeoutMs: 5000 }))?.toString(), 'one');
      await assert.rejects(connection.read({ timeoutMs: 30 }), ReadTimeout);
      void connection.write('421 too slow\r\n');
      await connection.end();
    },
  });
  const socket = client(t, listener.port);
  socket.write('one');
  assert.equal(await drain(socket), '421 too slow\r\n');
});

test('a reset is no exception: read answers undefined and says why', async (t) => {
  const done = Promise.withResolvers<Connection>();
  const { listener } = await start(t, {
    onConnection: async (connection) => {
      void connection.write('hi');
      assert.equal(await connection.read(), undefined);
      assert.equal(await connection.read(), undefined);
      assert.equal(connection.write('x'), undefined);
      connection.onClose(() => done.resolve(connection));
    },
  });
  const socket = client(t, listener.port);
  await once(socket, 'data');
  socket.resetAndDestroy();
  const connection = await done.promise;
  assert.equal(connection.closeReason, 'reset by peer');
  assert.ok(connection.closed);
});

test('limits per address and in all answer with a line; places are given back', async (t) => {
  const metrics = new Metrics();
  const { listener, refused } = await start(t, {
    onConnection: async (connection) => {
      void connection.write('220 ready\r\n');
      await echo(connection);
    },
    maxTotal: 3,
    maxPerAddress: 2,
    metrics: listenerMetrics(metrics),
    name: 'smtp',
  });
  const first = client(t, listener.port);
  const second = client(t, listener.port);
  await Promise.all([once(first, 'data'), once(second, 'data')]);
  assert.equal(await drain(client(t, listener.port)), '421 4.7.0 Too many connections\r\n');
  assert.equal(refused[0]?.reason, 'address');
  assert.equal(refused[0]?.remoteAddress, '127.0.0.1');
  assert.equal(refused[0]?.localPort, listener.port);
  first.end();
  await drain(first);
  const again = client(t, listener.port);
  const [greeting] = (await once(again, 'data')) as [Buffer];
  assert.equal(greeting.toString(), '220 ready\r\n');
  while (listener.count() > 2) await new Promise((resolve) => setTimeout(resolve, 5));
  const text = await metrics.text();
  assert.match(text, /postern_connections_refused_total\{listener="smtp",reason="address"\} 1/);
  assert.match(text, /postern_connections_total\{listener="smtp"\} 3/);
  assert.match(text, /postern_connections_open\{listener="smtp"\} 2/);
});

test('total limit', async (t) => {
  const { listener, refused } = await start(t, { onConnection: echo, maxTotal: 1 });
  const first = client(t, listener.port);
  first.write('x');
  await once(first, 'data');
  assert.match(await drain(client(t, listener.port)), /^421 /);
  assert.equal(refused[0]?.reason, 'total');
  assert.equal(listener.count(), 1);
});

test('close stops accepting while sessions go on; closeAll ends them', async (t) => {
  const { listener } = await start(t, { onConnection: echo });
  const socket = client(t, listener.port);
  socket.write('a');
  await once(socket, 'data');
  await listener.close();
  const late = client(t, listener.port);
  const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNREFUSED');
  socket.write('b');
  const [data] = (await once(socket, 'data')) as [Buffer];
  assert.equal(data.toString(), 'b');
  await listener.closeAll('shutting down');
  assert.equal(listener.count(), 0);
});

test('an error in a session goes to onError and leaves the listener alive', async (t) => {
  const errors: unknown[] = [];
  const { listener } = await start(t, {
    onConnection: async (connection) => {
      const chunk = await connection.read();
      if (chunk?.toString() === 'bug') throw new Error('boom');
      await connection.write('fine');
      await connection.end();
    },
    onError: (error) => errors.push(error),
  });
  const bad = client(t, listener.port);
  bad.write('bug');
  await drain(bad).catch(() => '');
  const good = client(t, listener.port);
  good.write('x');
  assert.equal(await drain(good), 'fine');
  assert.equal(errors.length, 1);
});

test('a taken port, a foreign address and a privileged port are refused with a remedy', async (t) => {
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const taken = other.address();
  assert.ok(taken !== null && typeof taken === 'object');
  const target = { address: '127.0.0.1', port: taken.port };
  await assert.rejects(start(t, { onConnection: echo, target }), (error) => {
    assert.ok(error instanceof Refusal && error.kind === 'conflict');
    assert.match(
      error.message,
      new RegExp(`127\\.0\\.0\\.1:${taken.port} is taken.*stop it, or choose another port`),
    );
    return true;
  });
  const foreign = start(t, { onConnection: echo, target: { address: '192.0.2.1', port: 0 } });
  await assert.rejects(foreign, /192\.0\.2\.1:0: this machine does not have that address/);
});

test('a Unix socket', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'listen-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const path = join(dir, 'lmtp.sock');
  let remote = 'unset';
  await start(t, {
    onConnection: (connection) => {
      remote = connection.remoteAddress;
      return echo(connection);
    },
    target: { path },
    maxPerAddress: 1,
  });
  const sockets = [connect({ path }), connect({ path })];
  for (const socket of sockets) socket.end('x');
  assert.deepEqual(await Promise.all(sockets.map(drain)), ['x', 'x']);
  assert.equal(remote, '');
});

test('implicit TLS: facts, and a failed handshake is reported', async (t) => {
  const facts = Promise.withResolvers<TlsFacts | undefined>();
  const { listener, refused } = await start(t, {
    onConnection: (connection) => {
      facts.resolve(connection.tls);
      return echo(connection);
    },
    tls: source,
  });
  const plain = client(t, listener.port);
  plain.write('EHLO plain.test\r\n');
  await drain(plain).catch(() => '');
  assert.equal(refused[0]?.reason, 'tls');
  assert.match(refused[0]?.detail ?? '', /TLS handshake failed: (wrong version number|.*)/);

  const socket = tlsConnect({
    port: listener.port,
    host: '127.0.0.1',
    ca: pair.cert,
    servername: 'mail.test',
  });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  assert.equal(socket.authorized, true);
  const got = await facts.promise;
  assert.equal(got?.version, 'TLSv1.3');
  assert.match(got?.cipher ?? '', /^TLS_/);
  assert.equal(got?.serverName, 'mail.test');
  assert.deepEqual(
    got?.exporter,
    socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)),
  );
  assert.equal(got?.serverEndPoint?.length, 32);
  socket.end('over tls');
  assert.equal(await drain(socket), 'over tls');
});

test('STARTTLS: works, and refuses what was sent in clear behind it', async (t) => {
  const outcome: string[] = [];
  const finished = Promise.withResolvers<void>();
  const { listener } = await start(t, {
    onConnection: async (connection) => {
      const command = await connection.read();
      await connection.write('220 go\r\n');
      try {
        // Give the pipelined bytes the time to arrive, as a busy server would.
        if (command?.toString() === 'ATTACK\r\n') await new Promise((resolve) => setTimeout(resolve, 100));
        await connection.startTls(source);
        outcome.push('tls');
        await echo(connection);
      } catch (error) {
        outcome.push(error instanceof Refusal ? error.kind : 'bug');
        assert.ok(connection.closed);
        finished.resolve();
      }
    },
  });
  const good = client(t, listener.port);
  good.write('STARTTLS\r\n');
  await once(good, 'data');
  const secure = tlsConnect({ socket: good, ca: pair.cert, servername: 'mail.test' });
  await once(secure, 'secureConnect');
  secure.end('secret');
  assert.equal(await drain(secure), 'secret');

  const attack = client(t, listener.port);
  await once(attack, 'connect');
  attack.write('ATTACK\r\n');
  await once(attack, 'data');
  attack.write('RSET\r\n');
  await finished.promise;
  assert.deepEqual(outcome, ['tls', 'bad-input']);
});

test('a session of one service cannot be resumed at another', async (t) => {
  const smtp = await start(t, { onConnection: echo, tls: fixedTlsSource(pair, 'smtp') });
  const imap = await start(t, { onConnection: echo, tls: fixedTlsSource(pair, 'imap') });
  const visit = async (
    port: number,
    session?: Buffer,
  ): Promise<{ reused: boolean; session: Buffer | undefined }> => {
    const options = {
      port,
      host: '127.0.0.1',
      ca: pair.cert,
      servername: 'mail.test',
      ...(session && { session }),
    };
    const socket = tlsConnect({ ...options, maxVersion: 'TLSv1.2' });
    await once(socket, 'secureConnect');
    const result = { reused: socket.isSessionReused(), session: socket.getSession() };
    socket.end();
    await drain(socket);
    return result;
  };
  const first = await visit(smtp.listener.port);
  assert.equal((await visit(smtp.listener.port, first.session)).reused, true);
  assert.equal((await visit(imap.listener.port, first.session)).reused, false);
});
