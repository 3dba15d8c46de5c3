import assert from 'node:assert/strict';
import { createServer, request, type Server } from 'node:http';
import { connect } from 'node:net';
import { after, before, it } from 'node:test';
import { manualClock } from '../../../../test/support/manual-clock.ts';
import { silentLogger } from '../../../base/log.ts';
import { createSnsHook } from './sns.ts';

const clock = manualClock();
const bodies: string[] = [];
let server: Server;
let port = 0;

before(async () => {
  const target = {
    admit: (login: string | undefined) => (login === 'a:b:c' ? 200 : 401) as 200 | 401,
    receive: async (body: string) => {
      bodies.push(body);
      return 200;
    },
  };
  const hook = createSnsHook({ target, clock, logger: silentLogger });
  server = createServer((asked, answer) => void hook(asked, answer));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
after(() => void server.close());

const AUTH = `Authorization: Basic ${Buffer.from('a:b:c').toString('base64')}\r\n`;

/** Everything that is answered to some octets. */
function talk(text: string, then: () => void = () => undefined): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text, then));
    let answer = '';
    socket.on('data', (piece) => {
      answer += piece.toString('latin1');
    });
    socket.on('error', () => resolve(answer));
    socket.on('close', () => resolve(answer));
  });
}

it('who is not admitted is told before the body is read, however long it is said to be', async () => {
  const answer = await talk('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000000\r\n\r\nabc');
  assert.match(answer, /^HTTP\/1\.1 401 Unauthorized\r\n/);
  assert.match(answer, /\r\nWWW-Authenticate: Basic realm="sns"\r\n/);
  assert.match(answer, /\r\n\r\n401 Unauthorized\n$/);
  assert.deepEqual(bodies, []);
});

it('a length over the limit is refused by what it says, a body without a length where it passes the limit', async () => {
  const said = await talk(`POST / HTTP/1.1\r\nHost: x\r\n${AUTH}Content-Length: 900000000\r\n\r\nabc`);
  assert.match(said, /^HTTP\/1\.1 413 /);
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
  const passed = await talk(
    `POST / HTTP/1.1\r\nHost: x\r\n${AUTH}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(12)}`,
  );
  assert.match(passed, /^HTTP\/1\.1 413 /);
  assert.deepEqual(bodies, []);
});

it('a body that comes too slowly is not waited for', async () => {
  const timers = clock.timers;
  const answer = talk(`POST / HTTP/1.1\r\nHost: x\r\n${AUTH}Content-Length: 100\r\n\r\nabc`);
  while (clock.timers === timers) await new Promise((resolve) => setTimeout(resolve, 2));
  clock.advance(10_000);
  assert.match(await answer, /^HTTP\/1\.1 408 /);
  assert.deepEqual(bodies, []);
});

it('a body in pieces is one', async () => {
  const status = await new Promise((resolve) => {
    const headers = { Authorization: `Basic ${Buffer.from('a:b:c').toString('base64')}` };
    const asked = request({ host: '127.0.0.1', port, method: 'POST', path: '/x?y', headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.write('{"a":');
    asked.end('"ä"}');
  });
  assert.equal(status, 200);
  assert.deepEqual(bodies, ['{"a":"ä"}']);
});
