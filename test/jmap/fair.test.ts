/** Who asks for much and reads nothing of it: so much of it stands in memory and no more, and others are served. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { JMAP_LIMITS } from '../../src/servers/jmap/limits.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { CORE, jmapClient, type JmapClient } from './client.ts';

/** Tries, and milliseconds of each, until what has been sent must have reached the server. */
const TRIES = 100;
const WAIT_MS = 300;
const MEGABYTE = 'x'.repeat(1_000_000);

describe('answers that nobody reads', () => {
  let server: TestServer;
  let bob: JmapClient;
  let alice: JmapClient;
  const sockets: Socket[] = [];
  beforeEach(async () => {
    server = await startTestServer();
    bob = await jmapClient(server, 'bob@example.test');
    alice = await jmapClient(server, 'alice@example.test');
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await server.stop();
  });

  /** Ask as Bob, and leave the answer lying. */
  function ask(line: string, body = ''): void {
    const socket = connect(server.ports.http ?? 0, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.pause();
    const fields = [
      `${line} HTTP/1.1`,
      `Host: 127.0.0.1:${server.ports.http}`,
      `Authorization: ${bob.headers['authorization']}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
    ];
    socket.write(`${fields.join('\r\n')}\r\n\r\n${body}`);
  }

  /** Ask again until it is answered so. One that has to wait is given up: it holds its place in the queue all the same. */
  async function become(wanted: number, ask: (signal: AbortSignal) => Promise<Response>): Promise<void> {
    let got = 0;
    for (let i = 0; i < TRIES && got !== wanted; i++) {
      const response = await ask(AbortSignal.timeout(WAIT_MS)).catch(() => undefined);
      await response?.body?.cancel();
      got = response?.status ?? 0;
    }
    assert.equal(got, wanted);
  }

  const echo = (client: JmapClient, signal?: AbortSignal): Promise<Response> =>
    fetch(client.url('/jmap/api'), {
      method: 'POST',
      signal: signal ?? null,
      headers: { ...client.headers, 'content-type': 'application/json' },
      body: JSON.stringify({ using: [CORE], methodCalls: [['Core/echo', {}, 'c']] }),
    });

  it('count as requests at work until they are read, or the connection ends', async () => {
    const reference = { resultOf: '0', name: 'Core/echo', path: '/text' };
    const again = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`#text${i}`, reference]));
    const methodCalls = [
      ['Core/echo', { text: MEGABYTE }, '0'],
      ['Core/echo', again, '1'],
    ];
    const body = JSON.stringify({ using: [CORE], methodCalls });
    const most = JMAP_LIMITS.concurrentRequests + JMAP_LIMITS.waitingRequests;
    for (let i = 0; i < most; i++) ask('POST /jmap/api', body);
    await become(429, (signal) => echo(bob, signal));
    assert.equal((await echo(alice)).status, 200);
    for (const socket of sockets) socket.destroy();
    await become(200, (signal) => echo(bob, signal));
  });

  it('of downloads that stand in memory as a whole there are so many too', async () => {
    const message = `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n${MEGABYTE.repeat(12)}\r\n--b--\r\n`;
    const id = await bob.upload(message, 'message/rfc822');
    const path = `/jmap/download/${bob.accountId}/${id}-1/part`;
    const most = JMAP_LIMITS.concurrentHeld + JMAP_LIMITS.waitingHeld;
    for (let i = 0; i < most; i++) ask(`GET ${path}`);
    await become(429, (signal) => fetch(bob.url(path), { headers: bob.headers, signal }));
    // What is read as it is sent is not among them.
    const whole = await bob.download(id);
    assert.equal(whole.status, 200);
    await whole.body?.cancel();
    for (const socket of sockets) socket.destroy();
    await become(200, (signal) => fetch(bob.url(path), { headers: bob.headers, signal }));
  });
});
