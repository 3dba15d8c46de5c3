import assert from 'node:assert/strict';
import { request as plain } from 'node:http';
import { request } from 'node:https';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { runCommand } from '../support/cli.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../support/server.ts';

const BASIC = `Basic ${Buffer.from(`bob@example.test:${TEST_PASSWORD}`).toString('base64')}`;

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
}

describe('listen.https', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({ config: { listen: { https: ['127.0.0.1:0'] } } });
  });
  after(() => server.close());

  const ask = (
    path: string,
    { headers = {}, secure = true }: { headers?: Record<string, string>; secure?: boolean } = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const port = secure ? server.ports.https : server.ports.http;
      const options = { host: '127.0.0.1', port, path, agent: false, headers, rejectUnauthorized: false };
      (secure ? request : plain)(options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      })
        .on('error', reject)
        .end();
    });

  it('has the pages, and JMAP with a password, under the names of TLS', async () => {
    const about = await ask('/about', { headers: { host: 'mx.example.test' } });
    assert.equal(about.status, 200);
    assert.equal(about.headers['strict-transport-security'], 'max-age=31536000');
    const host = `mx.example.test:${server.ports.https}`;
    const answer = await ask('/jmap/session', { headers: { host, authorization: BASIC } });
    assert.equal(answer.status, 200);
    const session = JSON.parse(answer.text) as {
      apiUrl: string;
      capabilities: Record<string, { url: string }>;
    };
    assert.equal(session.apiUrl, `https://${host}/jmap/api`);
    assert.equal(session.capabilities['urn:ietf:params:jmap:websocket']?.url, `wss://${host}/jmap/ws`);
    assert.equal((await ask('/jmap/session')).status, 401);
  });

  it('tells no stranger about itself, but this machine', async () => {
    for (const path of ['/metrics', '/health/ready'])
      assert.equal((await ask(path, { headers: { host: 'mx.example.test' } })).status, 404, path);
    // A proxy on this machine comes in clear under our name, for strangers.
    const named = { headers: { host: 'mx.example.test' }, secure: false };
    assert.equal((await ask('/about', named)).status, 200);
    assert.equal((await ask('/metrics', named)).status, 404);
    assert.equal((await ask('/metrics', { secure: false })).status, 200);
    assert.equal((await ask('/about', { headers: { host: 'evil.example' }, secure: false })).status, 421);
  });

  it('WebSockets too', async () => {
    const socket = new WebSocket(`wss://127.0.0.1:${server.ports.https}/jmap/ws`, ['jmap'], {
      headers: { authorization: BASIC },
      rejectUnauthorized: false,
    });
    await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
    const answer = new Promise((resolve) => socket.on('message', (data) => resolve(String(data))));
    socket.send(
      JSON.stringify({
        '@type': 'Request',
        id: 'a',
        using: ['urn:ietf:params:jmap:core'],
        methodCalls: [['Core/echo', {}, '0']],
      }),
    );
    assert.match(String(await answer), /"requestId":"a"/);
    socket.terminate();
  });

  it('is known to those who look at the server', () => {
    const names = server.listeners.map(({ service }) => service);
    assert.ok(names.includes('https') && names.includes('http'));
    assert.deepEqual(server.leftOut, []);
  });

  it('listens before there is a certificate: one may be got by it', async () => {
    const bare = await startTestServer({
      certificate: false,
      config: { listen: { https: ['127.0.0.1:0'], submissions: [], imaps: [], pop3s: [] } },
    });
    try {
      assert.ok(bare.ports.https);
      const refused = new Promise((resolve) => {
        request({ host: '127.0.0.1', port: bare.ports.https, rejectUnauthorized: false })
          .on('error', resolve)
          .end();
      });
      await refused;
      // Port 143 is open, and yet nobody can log in.
      const { out } = await runCommand(['overview'], { data: bare.directory });
      assert.match(out, /Nobody can read mail by IMAP: there is no certificate/);
    } finally {
      await bare.close();
    }
  });
});
