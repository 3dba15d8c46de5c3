import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../support/server.ts';
import { type Answer, CORE, jmapClient, type JmapClient, mailboxes, put, USING } from './client.ts';

interface Options {
  readonly protocols?: string[];
  readonly headers?: Record<string, string>;
}

/** A socket with what came on it, in order. */
class Talk {
  readonly socket: WebSocket;
  readonly came: Answer[] = [];
  readonly closed: Promise<number>;
  #wake: () => void = () => undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => {
      this.came.push(JSON.parse(String(data)) as Answer);
      this.#wake();
    });
    this.closed = new Promise((resolve) => socket.on('close', resolve));
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The next message that fits, taken out. */
  async next(fits: (message: Answer) => boolean = () => true): Promise<Answer> {
    for (;;) {
      const index = this.came.findIndex(fits);
      if (index >= 0) return this.came.splice(index, 1)[0] as Answer;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

describe('JMAP over WebSocket', () => {
  let server: TestServer;
  let bob: JmapClient;
  let basic: Record<string, string>;
  const open: WebSocket[] = [];
  before(async () => {
    server = await startTestServer();
    bob = await jmapClient(server, 'bob@example.test');
    basic = bob.headers;
  });
  after(async () => {
    for (const socket of open) socket.terminate();
    await server.stop();
  });

  const url = (): string => `ws://127.0.0.1:${server.ports.http}/jmap/ws`;
  const dial = ({ protocols = ['jmap'], headers = basic }: Options = {}): Promise<Talk | number> =>
    new Promise((resolve) => {
      const socket = new WebSocket(url(), protocols, { headers });
      open.push(socket);
      const talk = new Talk(socket);
      socket.on('open', () => resolve(talk));
      socket.on('unexpected-response', (_request, response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      socket.on('error', () => undefined);
    });
  const talk = async (options?: Options): Promise<Talk> => {
    const made = await dial(options);
    assert.ok(made instanceof Talk, `refused: ${String(made)}`);
    return made;
  };
  const echo = (id: string, text = 'hello') => ({
    '@type': 'Request',
    id,
    using: [CORE],
    methodCalls: [['Core/echo', { text }, 'c']],
  });

  it('is told in the session', async () => {
    const session = (await (await fetch(bob.url('/jmap/session'), { headers: basic })).json()) as Answer;
    assert.deepEqual(session['capabilities']['urn:ietf:params:jmap:websocket'], {
      url: url(),
      supportsPush: true,
    });
    assert.equal(session['primaryAccounts']['urn:ietf:params:jmap:websocket'], undefined);
  });

  it('answers requests, each under its id', async () => {
    const { socket, ...rest } = await talk();
    assert.equal(socket.protocol, 'jmap');
    assert.equal(socket.extensions, '');
    assert.ok(rest);
    const bobs = await talk();
    for (const id of ['R1', 'R2', 'R3', 'R4', 'R5', 'R6', 'R7', 'R8']) bobs.send(echo(id, `of ${id}`));
    for (const id of ['R8', 'R1', 'R5', 'R2', 'R3', 'R4', 'R6', 'R7']) {
      const answer = await bobs.next((each) => each['requestId'] === id);
      assert.equal(answer['@type'], 'Response');
      assert.deepEqual(answer['methodResponses'], [['Core/echo', { text: `of ${id}` }, 'c']]);
      assert.equal(typeof answer['sessionState'], 'string');
    }
    bobs.send({
      '@type': 'Request',
      using: USING,
      methodCalls: [['Mailbox/get', { accountId: bob.accountId }, '0']],
    });
    const answer = await bobs.next();
    assert.equal(answer['requestId'], undefined);
    assert.ok(answer['methodResponses'][0][1]['list'].length > 0);
  });

  it('errors of requests', async () => {
    const bobs = await talk();
    const type = async (): Promise<string> => {
      const { '@type': kind, type: name, requestId } = await bobs.next();
      assert.equal(kind, 'RequestError');
      return `${String(name).replace('urn:ietf:params:jmap:error:', '')} ${requestId}`;
    };
    bobs.send('no json');
    assert.equal(await type(), 'notJSON null');
    bobs.send({ '@type': 'Request', id: 'a', using: [CORE] });
    assert.equal(await type(), 'notRequest a');
    bobs.send({ ...echo('b'), using: ['urn:nothing'] });
    assert.equal(await type(), 'unknownCapability b');
    bobs.send({ ...echo('c'), methodCalls: Array.from({ length: 17 }, () => ['Core/echo', {}, 'x']) });
    assert.equal(await type(), 'limit c');
    // Values within values without end are not read, as little as by HTTP.
    bobs.send(`{"@type":"Request","id":"d","using":${'['.repeat(5000)}${']'.repeat(5000)}}`);
    assert.equal(await type(), 'notJSON null');
    for (const message of ['[]', 'null', '17', '{}', '{"@type":"Nothing"}', '{"@type":5}']) {
      bobs.send(message);
      assert.match(await type(), /^notRequest/);
    }
    bobs.send(echo('still'));
    assert.equal((await bobs.next())['requestId'], 'still');
  });

  it('frames that are binary or too large end it', async () => {
    const binary = await talk();
    binary.socket.send(Buffer.from('{}'));
    assert.equal(await binary.closed, 1003);
    const large = await talk();
    large.send(`"${'x'.repeat(10_000_001)}"`);
    assert.equal(await large.closed, 1009);
  });

  it('tells changes when asked to, of the types that were asked for, until told to be silent', async () => {
    const inbox = (await mailboxes(bob))['inbox'] ?? '';
    const bobs = await talk();
    bobs.send({ '@type': 'WebSocketPushEnable', dataTypes: ['Email', 'Mailbox'] });
    bobs.send(echo('ready'));
    await bobs.next((each) => each['requestId'] === 'ready');
    await put(bob, 'From: a@b.test\r\nSubject: one\r\n\r\none\r\n', inbox);
    const change = await bobs.next();
    assert.equal(change['@type'], 'StateChange');
    assert.deepEqual(Object.keys(change['changed'][bob.accountId]).toSorted(), ['Email', 'Mailbox']);
    assert.equal(typeof change['pushState'], 'string');
    const [got] = await bob.calls(['Email/get', { accountId: bob.accountId, ids: [] }]);
    assert.equal(change['changed'][bob.accountId]['Email'], got?.[1]['state']);

    bobs.send({ '@type': 'WebSocketPushDisable' });
    bobs.send(echo('silent'));
    await bobs.next((each) => each['requestId'] === 'silent');
    await put(bob, 'From: a@b.test\r\nSubject: two\r\n\r\ntwo\r\n', inbox);
    bobs.send(echo('after'));
    assert.equal((await bobs.next())['requestId'], 'after');

    // Who was away comes back with what was told last, and hears at once that it is old.
    const back = await talk();
    back.send({
      '@type': 'WebSocketPushEnable',
      dataTypes: ['Email', 'Mailbox'],
      pushState: change['pushState'],
    });
    const missed = await back.next();
    assert.equal(missed['@type'], 'StateChange');
    const again = await talk();
    again.send({
      '@type': 'WebSocketPushEnable',
      dataTypes: ['Email', 'Mailbox'],
      pushState: missed['pushState'],
    });
    again.send(echo('nothing new'));
    assert.equal((await again.next())['requestId'], 'nothing new');
    again.send({ '@type': 'WebSocketPushEnable', dataTypes: 'Email' });
    assert.equal((await again.next())['@type'], 'RequestError');
  });

  it('settings wake it too, without any mail', async () => {
    const bobs = await talk();
    bobs.send({ '@type': 'WebSocketPushEnable', dataTypes: ['VacationResponse', 'Identity'] });
    bobs.send(echo('ready'));
    await bobs.next((each) => each['requestId'] === 'ready');
    await bob.call('VacationResponse/set', { update: { singleton: { isEnabled: true, textBody: 'away' } } });
    const change = await bobs.next();
    assert.deepEqual(Object.keys(change['changed'][bob.accountId]), ['VacationResponse']);
    await bob.call('Identity/set', { create: { a: { name: 'Bob', email: 'bob@example.test' } } });
    assert.deepEqual(Object.keys((await bobs.next())['changed'][bob.accountId]), ['Identity']);
  });

  it('who may open one', async () => {
    assert.equal(await dial({ headers: {} }), 401);
    const wrong = `Basic ${Buffer.from('bob@example.test:wrong-password').toString('base64')}`;
    assert.equal(await dial({ headers: { authorization: wrong } }), 401);
    assert.equal(await dial({ protocols: [] }), 400);
    assert.equal(await dial({ protocols: ['mail'] }), 400);
    // Cross-site WebSocket hijacking: cookies of ours on a page of others, with and without its origin.
    assert.equal(await dial({ headers: { ...basic, origin: 'https://evil.example' } }), 403);
    assert.equal(await dial({ headers: { ...basic, origin: 'null' } }), 403);
    assert.equal(await dial({ headers: { cookie: 'postern=anything' } }), 403);
    const own = { origin: `http://127.0.0.1:${server.ports.http}` };
    assert.equal(await dial({ headers: { cookie: 'postern=anything', ...own } }), 401);
    (await talk({ headers: { ...basic, ...own } })).socket.terminate();
    // Under a name that is not this server's.
    assert.equal(await dial({ headers: { ...basic, host: 'evil.example' } }), 421);
  });

  it('a request to become something else is an ordinary one', async () => {
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(Number(server.ports.http), '127.0.0.1', () =>
        socket.write(
          'GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n',
        ),
      );
      socket.on('data', (chunk) => {
        text += String(chunk);
        if (text.includes('ok')) socket.destroy();
      });
      socket.on('close', () => resolve(text));
    });
    assert.match(answer, /^HTTP\/1\.1 200 /);
  });

  it('has so many for an account and no more', async () => {
    const alice = {
      authorization: `Basic ${Buffer.from(`alice@example.test:${TEST_PASSWORD}`).toString('base64')}`,
    };
    const many: Talk[] = [];
    for (let i = 0; i < 20; i++) many.push(await talk({ headers: alice }));
    assert.equal(await dial({ headers: alice }), 429);
    many[0]?.socket.close();
    await many[0]?.closed;
    let made = await dial({ headers: alice });
    for (let tries = 0; tries < 50 && made === 429; tries++) made = await dial({ headers: alice });
    assert.ok(made instanceof Talk);
    for (const each of [...many, made]) each.socket.terminate();
  });

  it('ends when the login does, and when the server stops', async () => {
    const bobs = await talk();
    await server.store.write.run('directory.setStatus', {
      actor: { name: 'system', role: 'system', domainId: undefined },
      address: 'bob@example.test',
      status: 'suspended',
    });
    assert.equal(await bobs.closed, 1008);
    const alice = {
      authorization: `Basic ${Buffer.from(`alice@example.test:${TEST_PASSWORD}`).toString('base64')}`,
    };
    const other = await talk({ headers: alice });
    await server.stop();
    assert.equal(await other.closed, 1001);
  });
});
