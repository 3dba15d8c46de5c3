import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  type FlowFixture,
  lines,
  loggedIn,
  mailbox,
  openFlow,
  traceOf,
  transact,
} from '../../../test/support/flow.ts';
import type { MailService } from '../service.ts';
import { HourlyCounts } from './hourly.ts';
import { createOutgoingWatch, type OutgoingSettings, type OutgoingWatch } from './outgoing.ts';
import { createSubmission } from './service.ts';
import { whyUnusual } from './volume.ts';

const MESSAGE = lines('From: alice@example.test', 'Subject: hello', '', 'Hello');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('what is unusual', () => {
  const why = (messages: number, strangers: number, largest = { messages: 0, recipients: 0, strangers: 0 }) =>
    whyUnusual({ messages, strangers }, { unusualFrom: 50, largest });

  it('needs both: as many as the site says, and five times more than ever', () => {
    assert.equal(why(49, 0), undefined);
    assert.match(
      why(50, 0) ?? '',
      /^it sent 50 messages within an hour; the most of a day in the last 30 days was 0$/,
    );
    const busy = { messages: 20, recipients: 40, strangers: 10 };
    assert.equal(why(100, 0, busy), undefined);
    assert.match(why(101, 0, busy) ?? '', /^it sent 101 messages .* was 20$/);
  });

  it('is also to write to many people for the first time', () => {
    assert.equal(why(2, 199), undefined);
    assert.match(why(2, 200) ?? '', /^it wrote to 200 new addresses within an hour; .* was 0$/);
    assert.equal(why(2, 200, { messages: 0, recipients: 0, strangers: 40 }), undefined);
  });
});

describe('outgoing watch', () => {
  let flow: FlowFixture;
  let watch: OutgoingWatch;
  let service: MailService;
  let settings: OutgoingSettings;

  beforeEach(async () => {
    flow = await openFlow();
    settings = { hold_unusual: true, unusual_from: 4, hold_spam: true };
    watch = createOutgoingWatch({ deps: () => flow.deps, settings: () => settings });
    service = createSubmission(() => flow.deps, new HourlyCounts(flow.clock), watch);
  });
  afterEach(async () => {
    await watch.flush();
    await flow.close();
  });

  const send = async (...to: string[]): Promise<string | undefined> => {
    const { reply } = await transact(service, loggedIn(flow), 'alice@example.test', to, MESSAGE);
    const entry = await flow.store.read.run('queue.show', { queueId: traceOf(reply) });
    return entry?.message.holdReason;
  };
  const strangers = (count: number, name: string): string[] =>
    Array.from({ length: count }, (_, i) => `${name}${i}@far.test`);

  it('holds a letter to many strangers, and not one to people here', async () => {
    for (const name of ['u', 'v', 'w', 'x', 'y', 'z']) await flow.addAccount(`${name}@example.test`);
    assert.equal(
      await send(...['u', 'v', 'w', 'x', 'y', 'z'].map((name) => `${name}@example.test`)),
      undefined,
    );
    assert.equal(await send(...strangers(15, 'a')), undefined);
    assert.match(
      (await send('one-more@far.test')) ?? '',
      /^outgoing mail held: it wrote to 16 new addresses/,
    );
    assert.equal((await mailbox(flow.store, flow.bob)).length, 0);
  });

  it('does not count what is spread over hours, nor refused mail', async () => {
    for (let i = 0; i < 8; i++) {
      assert.equal(await send(`a${i}@far.test`), undefined);
      flow.clock.advance(HOUR / 2);
    }
    for (let i = 0; i < 8; i++) {
      const forged = MESSAGE.replace('alice@', 'somebody-else@');
      await assert.rejects(transact(service, loggedIn(flow), 'alice@example.test', ['a@far.test'], forged));
    }
    assert.equal(await send('a@far.test'), undefined);
  });

  it('remembers for thirty days what is usual', async () => {
    for (let i = 0; i < 3; i++) await send(`a${i}@far.test`);
    await watch.flush();
    flow.clock.advance(DAY);
    for (let i = 0; i < 15; i++) assert.equal(await send(`b${i}@far.test`), undefined);
    assert.match((await send('c@far.test')) ?? '', /16 messages .* was 3$/);
  });

  it('does not take what was held and dropped for usual', async () => {
    for (let i = 0; i < 10; i++) await send(`a${i}@far.test`);
    const args = { actor: flow.admin, address: 'alice@example.test', drop: true, limit: 100, isFirst: true };
    assert.equal((await flow.store.write.run('holds.release', args)).messages, 7);
    await watch.flush();
    flow.clock.advance(DAY);
    const day = Math.floor(flow.clock.now() / DAY);
    const state = await flow.store.read.run('holds.state', { accountId: flow.alice, day, addresses: [] });
    assert.deepEqual(state.largest, { messages: 3, recipients: 3, strangers: 3 });
  });

  it('leaves everybody alone when it is turned off, but holds on to what is held', async () => {
    settings = { ...settings, hold_unusual: false };
    for (let i = 0; i < 10; i++) assert.equal(await send(`a${i}@far.test`), undefined);
    settings = { ...settings, hold_unusual: true };
    assert.ok(await send('b@far.test'));
    settings = { ...settings, hold_unusual: false };
    assert.ok(await send('c@far.test'));
  });

  it('does not take for strangers whom the account has written to before', async () => {
    assert.equal(await send(...strangers(10, 'a')), undefined);
    assert.equal(await send(...strangers(10, 'A')), undefined, 'however they are written');
    assert.equal(await send(...strangers(5, 'b')), undefined);
    assert.ok(await send('c@far.test'));
  });

  it('lets who is held ask the administrator', async () => {
    for (let i = 0; i < 4; i++) await send(`a${i}@far.test`);
    assert.ok(await send('bob@example.test'));
    assert.equal(await send('postmaster@example.test'), undefined);
    assert.ok(await send('postmaster@example.test', 'bob@example.test'));
    assert.ok(await send('postmaster@far.test'));
    const inbox = await mailbox(flow.store, flow.alice);
    assert.equal(inbox.filter(({ text }) => text.includes('\r\nSubject: hello\r\n')).length, 1);
  });

  it('tells its owner and the administrators in mails that nothing answers', async () => {
    const root = await flow.addAccount('root@example.test');
    const actor = flow.admin;
    await flow.store.write.run('directory.setRole', { actor, address: 'root@example.test', role: 'admin' });
    await flow.store.write.run('directory.setRole', { actor, address: 'alice@example.test', role: 'user' });
    for (let i = 0; i < 4; i++) await send(`a${i}@far.test`);
    const [told] = await mailbox(flow.store, root);
    assert.match(told?.text ?? '', /Subject: Outgoing mail of alice@example\.test is held/);
    const [owner] = await mailbox(flow.store, flow.alice);
    assert.match(
      owner?.text ?? '',
      /^Return-Path: <>\r\nDelivered-To: alice@example\.test\r\nFrom: Mail server <postmaster@.*Auto-Submitted: auto-generated\r\n/s,
    );
    for (const line of (owner?.text ?? '').split('\r\n')) assert.ok(line.length <= 78, line);
  });
});
