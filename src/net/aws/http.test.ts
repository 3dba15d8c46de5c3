import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { it } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { createAwsHttp, NoAnswer } from './http.ts';

it('a request whose last octet is out has left, however fast the other side hangs up', async () => {
  // It acts upon the announced length and closes at once, before our side has noticed that it wrote everything.
  const server = createServer((request) => {
    let got = 0;
    request.on('data', (piece: Buffer) => {
      got += piece.length;
      if (got === 5000) request.socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const http = createAwsHttp(systemClock);
  async function* body(): AsyncGenerator<Buffer> {
    for (let i = 0; i < 5; i++) yield Buffer.alloc(1000, 'x');
    // The stream's own end comes later than the request's.
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const request = {
    protocol: 'http:',
    hostname: '127.0.0.1',
    port,
    method: 'POST',
    path: '/',
    headers: { 'content-length': '5000' },
    body: body(),
  };
  await assert.rejects(http.handle(request), (error) => error instanceof NoAnswer && error.left);
  http.destroy();
  server.close();
});
