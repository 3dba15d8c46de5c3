import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { it } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { serverHandshake } from './tls-handshake.ts';
import { createSelfSigned } from './tls-self-signed.ts';
import { openTlsStore } from './tls-store.ts';

it('a client that goes away in the handshake is let go at once, not when its time is over', async () => {
  const store = await openTlsStore({ files: [], clock: systemClock });
  const [notBefore, notAfter] = [Date.UTC(2020, 0, 1), Date.UTC(2049, 0, 1)];
  store.install([createSelfSigned({ commonName: 'a.test', names: ['a.test'], notBefore, notAfter })]);
  const server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const client = connect(port, '127.0.0.1');
  const raw = await accepted;
  const handshake = serverHandshake(raw, store.source('imaps', 'strict'), systemClock);
  client.destroy();
  await assert.rejects(handshake, /TLS handshake failed: the peer closed the connection/);
  server.close();
});
