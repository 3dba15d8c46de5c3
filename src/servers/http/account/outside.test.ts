/** What the account API asks of hosts outside: pictures, and lists to be left. Against real servers at this machine. */
import assert from 'node:assert/strict';
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { Server } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type FlowFixture, openFlow } from '../../../../test/support/flow.ts';
import { testActor } from '../../../../test/support/server.ts';
import { Refusal } from '../../../base/errors.ts';
import { silentLogger } from '../../../base/log.ts';
import { systemClock } from '../../../base/clock.ts';
import { HourlyCounts } from '../../../flow/submission/hourly.ts';
import { createSubmission } from '../../../flow/submission/service.ts';
import { createSelfSigned } from '../../../net/tls-self-signed.ts';
import type { Principal } from '../../request-login.ts';
import { scanMessage } from '../../../mail/message/scanner.ts';
import { serializeStructure } from '../../../mail/message/serialize.ts';
import { images } from './image.ts';
import { imageType } from './image-type.ts';
import type { AccountContext } from './operation.ts';
import { createPace, createPaces } from './pace.ts';
import { lists } from './unsubscribe.ts';

const DAY = 86_400_000;
const pair = createSelfSigned({
  commonName: 'list.test',
  names: ['list.test'],
  notBefore: Date.now() - DAY,
  notAfter: Date.now() + DAY,
});
const PNG = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(40)]);
const B = Buffer.alloc(64, 7).toString('base64');

function portOf(server: Server): number {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

describe('hosts outside', () => {
  let flow: FlowFixture;
  let secure: Server;
  let plain: Server;
  let context: AccountContext;
  let who: Principal;
  let seen: { target: string; body: string; cookie: string | undefined; referer: string | undefined }[] = [];
  let answer: (response: ServerResponse) => void;

  before(async () => {
    flow = await openFlow();
    flow.zone['list.test'] = { A: ['127.0.0.1'] };
    flow.zone['inside.test'] = { A: ['10.0.0.7'] };
    const take = (request: IncomingMessage, response: ServerResponse): void => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const { cookie, referer } = request.headers;
        seen.push({
          target: `${request.method} ${request.url}`,
          body: Buffer.concat(parts).toString(),
          cookie,
          referer,
        });
        answer(response);
      });
    };
    secure = createTls({ cert: pair.cert, key: pair.key }, take);
    plain = createPlain(take);
    for (const server of [secure, plain])
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    context = {
      store: flow.store,
      clock: systemClock,
      logger: silentLogger,
      submission: createSubmission(() => flow.deps, new HourlyCounts(flow.clock)),
      dns: () => flow.deps.dns,
      fetching: { allow: (address) => address === '127.0.0.1', allowPort: () => true, ca: pair.cert },
      paces: createPaces(systemClock),
      count: () => undefined,
    };
    who = {
      accountId: flow.alice,
      address: 'alice@example.test',
      displayName: 'Alice',
      role: 'user',
      domainId: 1,
      scopes: new Set(['mail', 'send', 'settings']),
      how: 'password',
      sessionId: undefined,
      revoked: new AbortController().signal,
      remoteAddress: '192.0.2.1',
      trace: 'trace',
    };
  });
  beforeEach(() => {
    seen = [];
    answer = (response) => void response.end('ok');
  });
  after(async () => {
    for (const server of [secure, plain]) server.close();
    await flow.close();
  });

  /** A message in Alice's inbox with what stands before it as we would have put it there. */
  const store = async (header: string, held = true, deliveredTo?: string): Promise<number> => {
    const octets = Buffer.from(`${header}\r\nhello\r\n`);
    const prefix = Buffer.from(
      `${deliveredTo === undefined ? '' : `Delivered-To: ${deliveredTo}\r\n`}Authentication-Results: mx.example.test;\r\n\tdkim=${held ? 'pass' : 'fail'} header.d=list.test header.s=sel header.b=${B.slice(0, 8)}\r\n`,
    );
    const [deposit] = (
      await flow.store.write.run('delivery.accept', {
        blob: { size: octets.length, encoding: 'raw', data: octets, file: undefined },
        content: {
          envelope: Buffer.from('()'),
          bodystructure: Buffer.from('()'),
          structure: serializeStructure(scanMessage(octets)),
          sentAt: undefined,
          messageId: undefined,
          references: [],
        },
        deposits: [
          {
            accountId: flow.alice,
            mailbox: { name: 'INBOX' },
            prefix,
            hidden: [],
            set: { flags: 0, keywords: [] },
            receivedAt: 1,
            trace: undefined,
            ignoreQuota: false,
          },
        ],
        overQuota: 'junk',
        queue: [],
        events: [],
      })
    ).deposits;
    assert.ok(deposit?.status === 'stored');
    return deposit.emailId;
  };
  const signed = (h = 'from:list-unsubscribe:list-unsubscribe-post') =>
    `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=list.test; s=sel; h=${h}; bh=${Buffer.alloc(32).toString('base64')}; b=${B}\r\nFrom: news@list.test\r\n`;
  const POST = 'List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n';
  const link = (scheme = 'https') =>
    `${scheme}://list.test:${portOf(scheme === 'https' ? secure : plain)}/leave?id=1`;
  const leave = (emailId: number) => lists.leave.run(context, { emailId }, who);

  it('one click: one POST with nothing but what RFC 8058 wants', async () => {
    const id = await store(`${signed()}List-Unsubscribe: <${link()}>\r\n${POST}`);
    assert.deepEqual(await leave(id), { state: 'done' });
    assert.deepEqual(seen, [
      {
        target: 'POST /leave?id=1',
        body: 'List-Unsubscribe=One-Click',
        cookie: undefined,
        referer: undefined,
      },
    ]);
  });

  it('without a signature that holds nobody is asked: the page is for the reader', async () => {
    const id = await store(`${signed()}List-Unsubscribe: <${link()}>\r\n${POST}`, false);
    assert.deepEqual(await leave(id), { state: 'open-page', url: link() });
    assert.deepEqual(seen, []);
  });

  it('a list that answers no, or redirects, is a page for the reader', async () => {
    const id = await store(`${signed()}List-Unsubscribe: <${link()}>\r\n${POST}`);
    for (const status of [500, 302]) {
      answer = (response) => void response.writeHead(status, { location: 'https://evil.test/' }).end();
      assert.deepEqual(await leave(id), { state: 'open-page', url: link() });
    }
    assert.equal(seen.length, 2);
  });

  it('by mail, as the account', async () => {
    const id = await store(`${signed()}List-Unsubscribe: <mailto:leave@far.test?subject=out>\r\n`);
    assert.deepEqual(await leave(id), { state: 'sent-mail' });
    const found = await flow.store.read.run('journal.recent', { from: 0, to: 8.64e15, limit: 20 });
    const queued = found.find(({ kind }) => kind === 'message.queued');
    assert.deepEqual(queued?.data['to'], ['leave@far.test']);
    assert.equal(queued?.data['from'], 'alice@example.test');
    assert.ok(found.some(({ kind, data }) => kind === 'message.unsubscribed' && data['way'] === 'mail'));
  });

  it('by mail, from the address that the list wrote to, if that is the account’s own', async () => {
    const mailto = `${signed()}List-Unsubscribe: <mailto:leave@far.test>\r\n`;
    const args = { actor: testActor, accountId: flow.alice, label: 'list', site: '' };
    const masked = await flow.store.write.run('account.addMasked', args);
    const senders: unknown[] = [];
    for (const address of [masked.address, 'Alice+list@example.test', 'bob@example.test', 'x@far.test']) {
      assert.deepEqual(await leave(await store(mailto, true, address)), { state: 'sent-mail' });
      const found = await flow.store.read.run('journal.recent', { from: 0, to: 8.64e15, limit: 20 });
      senders.push(found.find(({ kind }) => kind === 'message.queued')?.data['from']);
    }
    const own = 'alice@example.test';
    assert.deepEqual(senders, [masked.address, 'Alice+list@example.test', own, own]);
  });

  it('says so when there is no way', async () => {
    const id = await store('From: a@b.test\r\n');
    await assert.rejects(leave(id), (error) => error instanceof Refusal && error.kind === 'not-found');
  });

  it('fetches a picture for the reader, and says what it is by its octets', async () => {
    answer = (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end(PNG);
    const found = await images.show.run(context, { url: link('http') }, who);
    assert.equal(found.type, 'image/png');
    assert.ok(found.octets.equals(PNG));
    assert.equal(seen[0]?.cookie ?? seen[0]?.referer, undefined);
  });

  it('shows nothing that is no picture, whatever it calls itself', async () => {
    for (const body of [
      '<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
      '<html>',
      'BM',
      '',
    ]) {
      answer = (response) => void response.writeHead(200, { 'content-type': 'image/png' }).end(body);
      await assert.rejects(
        images.show.run(context, { url: link('http') }, who),
        (error) => error instanceof Refusal && error.kind === 'bad-input',
        body,
      );
    }
  });

  it('asks no host of this network', async () => {
    const guarded = { ...context, fetching: undefined };
    for (const url of [link('http'), 'http://inside.test/x.png', 'http://10.0.0.1/', 'http://127.0.0.1/'])
      await assert.rejects(
        images.show.run(guarded, { url }, who),
        (error) => error instanceof Refusal && error.kind === 'not-permitted',
        url,
      );
    assert.deepEqual(seen, []);
  });

  it('limits what one account asks for', async () => {
    const pace = createPace(flow.clock, {
      atOnce: 1,
      waiting: 1,
      perWindow: 3,
      windowMs: 1000,
      what: 'pictures',
    });
    const limit = (error: unknown) => error instanceof Refusal && error.kind === 'limit';
    let end = (): void => undefined;
    const first = pace.within(1, () => new Promise<void>((resolve) => (end = resolve)));
    let ran = false;
    const second = pace.within(1, async () => void (ran = true));
    await assert.rejects(
      pace.within(1, async () => undefined),
      limit,
    );
    await pace.within(2, async () => undefined);
    assert.equal(ran, false);
    end();
    await Promise.all([first, second]);
    assert.equal(ran, true);
    await pace.within(1, async () => undefined);
    await assert.rejects(
      pace.within(1, async () => undefined),
      limit,
    );
    flow.clock.advance(1000);
    await pace.within(1, async () => undefined);
  });
});

describe('pictures by their octets', () => {
  it('knows those that browsers only paint', () => {
    const of = (text: string, more = 40) =>
      imageType(Buffer.concat([Buffer.from(text, 'latin1'), Buffer.alloc(more)]));
    assert.equal(of('\xff\xd8\xff\xe0'), 'image/jpeg');
    assert.equal(of('GIF89a'), 'image/gif');
    assert.equal(of('RIFF\0\0\0\0WEBPVP8 '), 'image/webp');
    assert.equal(of('\0\0\0\x20ftypavif'), 'image/avif');
    assert.equal(of('\0\0\x01\0\x01\0'), 'image/x-icon');
    for (const text of [
      '<?xml version="1.0"?><svg/>',
      '%PDF-1.7',
      'RIFF\0\0\0\0WAVE',
      '\0\0\0\x20ftypmp42',
      'BMW',
    ])
      assert.equal(of(text, 0), undefined, text);
  });
});
