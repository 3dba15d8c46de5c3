import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { constants, deflateRawSync } from 'node:zlib';
import { openWire } from './wire.ts';

test('what a server says last is heard under compression, however much came before it', async (t) => {
  // More than is taken from the network at once, and hardly smaller compressed.
  const lines = Array.from({ length: 4000 }, () => `* ${randomBytes(60).toString('base64')}`);
  lines.push('* BYE');
  const octets = deflateRawSync(`${lines.join('\r\n')}\r\n`, { finishFlush: constants.Z_SYNC_FLUSH });
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write('a OK\r\n');
    socket.once('data', () => socket.end(octets));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const wire = await openWire((server.address() as AddressInfo).port);
  assert.equal(await wire.response(), 'a OK');
  wire.compress();
  wire.send('b LOGOUT\r\n');
  const heard: string[] = [];
  for (let line = await wire.response(); line !== undefined; line = await wire.response()) heard.push(line);
  assert.equal(heard.length, lines.length);
  assert.equal(heard.at(-1), '* BYE');
});
