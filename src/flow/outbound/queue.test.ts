import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type SmtpPeer, startSmtpPeer } from '../../../test/support/smtp-peer.ts';
import { Refusal } from '../../base/errors.ts';
import { Metrics } from '../../base/metrics.ts';
import type { Writer } from '../../data/store.ts';
import { dkimResults, mailbox, until } from '../../../test/support/flow.ts';
import { backoff } from './backoff.ts';
import { MESSAGE, openOutbound, type OutboundFixture } from '../../../test/support/outbound.ts';
import { createScheduler } from './scheduler.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('backoff', () => {
  it('a minute, five, fifteen, ... four hours, by 15 % either way', () => {
    const minutes = [1, 2, 3, 4, 5, 6, 7, 8, 50].map((attempts) => backoff(attempts, 0.5) / MINUTE);
    assert.deepEqual(minutes, [1, 5, 15, 30, 60, 120, 240, 240, 240]);
    assert.equal(backoff(1, 0), 51_000);
    assert.equal(backoff(1, 0.999_999), 69_000);
  });
});

describe('the queue at work', () => {
  let out: OutboundFixture;
  let peer: SmtpPeer;

  beforeEach(async () => {
    peer = await startSmtpPeer();
    out = await openOutbound({ port: peer.port });
  });
  afterEach(async () => {
    await out.close();
    await peer.close();
  });

  const inbox = () => mailbox(out.flow.store, out.flow.alice);
  const metric = async (name: string): Promise<number> => {
    const match = new RegExp(`^${name.replaceAll(/[{}]/g, '\\$&')} (\\d+)`, 'm').exec(
      await out.flow.metrics.text(),
    );
    return Number(match?.[1] ?? Number.NaN);
  };
  const recipient = async (id: string) => (await out.entry(id)).recipients[0] ?? assert.fail();

  it('greylisted, then taken when the clock has moved on', async () => {
    peer.options.script = { RCPT: ['451 4.7.1 greylisted, come back'] };
    const id = await out.send(['x@far.test']);
    await out.idle();
    const { nextAt, attempts, lastReply, lastHost } = await recipient(id);
    assert.equal(attempts, 1);
    assert.match(lastReply ?? '', /^451 4\.7\.1 greylisted/);
    assert.equal(lastHost, 'mx.far.test [127.0.0.1]');
    assert.ok(nextAt >= out.flow.clock.now() + 51_000 && nextAt <= out.flow.clock.now() + 69_000);
    await out.pass(69_000);
    assert.deepEqual(await out.states(id), ['delivered']);
    const kinds = (await out.journal(id)).map((text) => text.split(' ')[0]);
    assert.deepEqual(kinds.slice(-2), ['delivery.deferred', 'delivery.delivered']);
    assert.equal(await metric('postern_delivery_recipients_total{outcome="deferred"}'), 1);
  });

  it('a warning after four hours, once; a failure after five days with the last reply', async () => {
    peer.options.script = { RCPT: () => '451 4.2.0 not now' };
    const id = await out.send(['x@far.test', 'y@far.test']);
    for (let i = 0; i < 4; i++) await out.pass(59 * MINUTE);
    assert.equal((await inbox()).length, 0);
    await out.pass(5 * MINUTE);
    const [warning] = await inbox();
    assert.ok(warning);
    assert.match(warning.text, /^Return-Path: <>\r\nDelivered-To: alice@example\.test\r\nDKIM-Signature:/);
    assert.match(warning.text, /Subject: Your message is delayed/);
    assert.match(
      warning.bytes.toString('utf8'),
      /Final-Recipient: rfc822; x@far\.test\r\nAction: delayed\r\nStatus: 4\.2\.0\r\nRemote-MTA: dns; mx\.far\.test\r\nDiagnostic-Code: smtp; 451 4\.2\.0 not now/,
    );
    assert.match(warning.text, /Final-Recipient: rfc822; y@far\.test/);
    for (let i = 0; i < 28; i++) await out.pass(4 * HOUR);
    assert.equal((await inbox()).length, 1);
    assert.deepEqual(await out.states(id), ['queued', 'queued']);
    await out.pass(4 * HOUR);
    assert.deepEqual(await out.states(id), ['failed', 'failed']);
    const [, failure, more] = await inbox();
    assert.ok(failure);
    assert.equal(more, undefined);
    assert.match(failure.text, /Action: failed\r\nStatus: 4\.4\.7\r\n[\s\S]*451 4\.2\.0 not now/);
    assert.deepEqual(await dkimResults(out.flow, failure.bytes), ['pass rsa-sha256', 'pass ed25519-sha256']);
    const { createdAt } = (await out.entry(id)).message;
    assert.ok(out.flow.clock.now() - createdAt <= 5 * DAY + 4 * HOUR);
  });

  it('a failure: one DSN for all, readable, with the subject decoded and the header returned; its deposit ends the attempt', async () => {
    peer.options.script = { RCPT: () => '550 5.1.1 no such user here' };
    const id = await out.send(['x@far.test', 'y@far.test'], MESSAGE, { envid: 'my-id' });
    await out.idle();
    const [dsn, more] = await inbox();
    assert.equal(more, undefined);
    const text = dsn?.bytes.toString('utf8') ?? '';
    assert.match(text, /Subject: Your message could not be delivered/);
    assert.match(text, /Subject: gr=C3=BC=C3=9Fe|Subject: grüße/);
    assert.match(text, /Original-Envelope-Id: my-id/);
    assert.match(text, /550 5\.1\.1 no such user here/);
    assert.doesNotMatch(text, /^Hello/m);
    const journal = await out.journal(id);
    assert.ok(journal.some((line) => line.startsWith('bounce.sent')));
    assert.ok(journal.some((line) => line.startsWith('message.deposited')));
    const open = await out.flow.store.read.run('queue.list', { limit: 10 });
    assert.deepEqual(open, []);
  });

  it('RET=FULL returns the whole of a small message', async () => {
    peer.options.script = { RCPT: () => '550 5.1.1 no' };
    await out.send(['x@far.test'], MESSAGE, { ret: 'FULL' });
    await out.idle();
    assert.match((await inbox())[0]?.text ?? '', /^Hello\r\n\.dot\r$/m);
  });

  it('NOTIFY: NEVER is silent, SUCCESS asks only for news the next hop will not send', async () => {
    peer.options.script = { RCPT: (arg) => (arg.includes('bad') ? '550 5.1.1 no' : undefined) };
    await out.send([
      { address: 'bad@far.test', notify: ['NEVER'] },
      { address: 'bad2@far.test', notify: ['SUCCESS'] },
      { address: 'good@far.test', notify: ['SUCCESS'] },
    ]);
    await out.idle();
    assert.equal((await inbox()).length, 0, 'the next hop speaks DSN');
    await out.pass(MINUTE);
    peer.options.capabilities = ['PIPELINING'];
    await out.send([{ address: 'good@far.test', notify: ['SUCCESS'] }]);
    await out.idle();
    assert.match((await inbox())[0]?.text ?? '', /Action: relayed\r\nStatus: 2\.0\.0/);
  });

  it('NOTIFY without DELAY: no warning', async () => {
    peer.options.script = { RCPT: () => '451 4.2.0 not now' };
    await out.send([{ address: 'x@far.test', notify: ['FAILURE'] }]);
    for (let i = 0; i < 9; i++) await out.pass(HOUR);
    assert.equal((await inbox()).length, 0);
  });

  it('no bounce to the null path nor to a sender that is not proven; the journal says why', async () => {
    peer.options.script = { RCPT: () => '550 5.1.1 no' };
    await out.flow.addAlias('away@example.test', 'x@far.test');
    for (const [from, why] of [
      ['carol@sender.test', /not proven/],
      ['', /null/],
    ] as const) {
      const trace = await out.receive(['away@example.test'], undefined, from);
      await out.idle();
      const suppressed = (await out.journal(trace)).find((text) => text.startsWith('bounce.suppressed'));
      assert.match(suppressed ?? '', why);
    }
    assert.deepEqual(await out.flow.store.read.run('queue.list', { limit: 9 }), []);
  });

  it('a forward that fails is told to its proven sender, through the rewritten address', async () => {
    peer.options.script = { RCPT: (arg) => (arg.includes('x@') ? '550 5.1.1 no' : undefined) };
    out.flow.zone['sender.test'] = {
      TXT: ['v=spf1 ip4:192.0.2.1 -all'],
      MX: [{ preference: 1, exchange: 'mx.far.test' }],
    };
    await out.flow.addAlias('away@example.test', 'x@far.test');
    await out.receive(['away@example.test']);
    await out.idle();
    const [dsn] = peer.transactions.filter(({ to }) => to.length > 0);
    assert.ok(dsn);
    assert.deepEqual([dsn.from, dsn.to], ['', ['carol@sender.test']]);
    assert.match(dsn.data.toString(), /From: .*mailer-daemon@example\.test/);
    assert.match(dsn.data.toString(), /Action: failed/);
    assert.deepEqual(await dkimResults(out.flow, dsn.data), ['pass rsa-sha256', 'pass ed25519-sha256']);
  });

  it('the forwarded octets arrive as they came, behind Delivered-To and Received', async () => {
    await out.flow.addAlias('away@example.test', 'x@far.test');
    const message = MESSAGE.replace('alice@example.test', 'carol@sender.test');
    await out.receive(['away@example.test'], message);
    await out.idle();
    const data = peer.transactions[0]?.data.toString() ?? '';
    assert.ok(data.endsWith(message));
    assert.match(data, /^Delivered-To: away@example\.test\r\nReceived: from client\.sender\.test/);
  });

  it('a reply lost after the final dot is counted and tried again', async () => {
    peer.options.script = { BODY: [{ do: 'reset' }] };
    const id = await out.send(['x@far.test']);
    await out.idle();
    assert.deepEqual(await out.states(id), ['queued']);
    assert.match((await recipient(id)).lastReply ?? '', /^451 4\.4\.2 .*may have arrived/);
    assert.equal(await metric('postern_delivery_lost_replies_total'), 1);
    await out.pass(69_000);
    assert.deepEqual(await out.states(id), ['delivered']);
    assert.equal(peer.transactions.length, 2);
  });

  it('a lost connection before that is no lost reply', async () => {
    peer.options.script = { DATA: [{ do: 'reset' }] };
    await out.send(['x@far.test']);
    await out.idle();
    assert.equal(await metric('postern_delivery_lost_replies_total'), 0);
  });

  describe('administrators', () => {
    const command = (name: 'queue.bounce' | 'queue.release', queueId: string) =>
      out.flow.store.write.run(name, { actor: out.flow.admin, queueId });

    it('held mail waits, and goes when it is released', async () => {
      out.flow.set({ holdOutgoing: 'try-out' });
      const id = await out.send(['x@far.test']);
      await out.pass(6 * DAY);
      assert.deepEqual(await out.states(id), ['held']);
      assert.equal((await inbox()).length, 0);
      assert.equal(peer.connections(), 0);
    });

    it('a notice to a user of ours is delivered even where outgoing mail is held', async () => {
      out.flow.set({ holdOutgoing: 'try-out' });
      await out.send([{ address: 'bob@example.test', notify: ['SUCCESS'] }]);
      await out.idle();
      assert.match((await inbox())[0]?.text ?? '', /Action: delivered/);
    });

    it('bounce: failed at once, without an attempt, whatever came before', async () => {
      out.flow.set({ holdOutgoing: 'try-out' });
      const id = await out.send(['x@far.test']);
      await out.idle();
      await command('queue.bounce', id);
      await out.idle();
      assert.deepEqual(await out.states(id), ['failed']);
      assert.equal(peer.connections(), 0);
      assert.match((await inbox())[0]?.text ?? '', /administrator/);
    });

    it('after a long outage of ours, a message that was never tried gets its attempt', async () => {
      out.flow.set({ holdOutgoing: 'broken line' });
      const id = await out.send(['x@far.test']);
      out.flow.clock.advance(9 * DAY);
      await command('queue.release', id);
      await out.idle();
      assert.deepEqual(await out.states(id), ['delivered']);
    });
  });

  describe('mail for ourselves', () => {
    it('whose domain became ours while it waited is delivered here', async () => {
      peer.options.script = { RCPT: () => '451 4.2.0 not now' };
      out.flow.zone['new.test'] = { MX: [{ preference: 1, exchange: 'mx.far.test' }] };
      const id = await out.send(['eve@new.test']);
      await out.idle();
      await out.flow.store.write.run('directory.addDomain', { actor: out.flow.admin, name: 'new.test' });
      const eve = await out.flow.addAccount('eve@new.test');
      await out.pass(5 * HOUR);
      assert.deepEqual(await out.states(id), ['delivered']);
      const [message] = await mailbox(out.flow.store, eve);
      assert.match(
        message?.text ?? '',
        /^Return-Path: <alice@example\.test>\r\nDelivered-To: eve@new\.test\r\nDKIM-Signature/,
      );
      assert.deepEqual(await dkimResults(out.flow, message?.bytes ?? Buffer.alloc(0)), [
        'pass rsa-sha256',
        'pass ed25519-sha256',
      ]);
    });

    it('a notice reaches a mailbox that is full; one for an account that is gone ends there', async () => {
      peer.options.script = { RCPT: () => '550 5.1.1 no' };
      await out.flow.store.write.run('directory.setQuota', {
        actor: out.flow.admin,
        address: 'alice@example.test',
        quota: 1,
      });
      await out.send(['x@far.test']);
      await out.idle();
      assert.equal((await inbox()).length, 1);
      assert.deepEqual(await out.flow.store.read.run('queue.list', { limit: 9 }), []);
    });
  });

  describe('what goes wrong here', () => {
    it('leases of a process that died are taken back at the start and counted', async () => {
      await out.scheduler.stop(0);
      const id = await out.send(['x@far.test']);
      const { store } = out.flow;
      const lease = { owner: 'test', leaseMs: HOUR, limit: 10, perDestination: 10, busy: [] };
      assert.equal((await store.write.run('queue.lease', lease)).length, 1);
      const metrics = new Metrics();
      const again = createScheduler({
        deps: () => out.flow.deps,
        owner: 'test',
        metrics,
        directPort: peer.port,
      });
      await again.start();
      await until(async () => (await out.states(id))[0] === 'delivered');
      await again.stop(0);
      assert.ok((await out.journal(id)).some((text) => text.startsWith('delivery.interrupted')));
      assert.match(await metrics.text(), /^postern_delivery_interrupted_total 1$/m);
    });

    it('a store that fails to record is asked again; what was delivered is not sent twice', async () => {
      let failures = 3;
      const { store } = out.flow;
      const run: Writer['run'] = (name, args) => {
        if (name === 'queue.settle' && failures-- > 0)
          return Promise.reject(new Refusal('unavailable', 'the store is away'));
        return store.write.run(name, args);
      };
      out.flow.deps = { ...out.flow.deps, store: { ...store, write: { run } } };
      const id = await out.send(['x@far.test']);
      await until(() => failures < 3);
      for (let i = 0; i < 5; i++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        out.flow.clock.advance(1000);
      }
      await until(async () => (await out.states(id))[0] === 'delivered');
      assert.equal(peer.transactions.length, 1);
      const told = out.flow.committed.filter(({ events }) => events[0]?.kind === 'delivery.delivered');
      assert.equal(told.length, 1, 'logged and counted once, when it is recorded');
    });

    it('a failure that cannot be told is recorded all the same', async () => {
      peer.options.script = { RCPT: () => '550 5.1.1 no' };
      const { store } = out.flow;
      const blobs = {
        ...store.blobs,
        read: () => {
          throw new Error('unreadable');
        },
      };
      out.flow.deps = { ...out.flow.deps, store: { ...store, blobs } };
      const id = await out.send(['x@far.test']);
      await until(() => peer.commands.some((command) => command.startsWith('RCPT')));
      await until(async () => {
        out.flow.clock.advance(1000);
        return (await out.states(id))[0] === 'failed';
      });
      assert.ok(
        (await out.journal(id)).some((text) => text.startsWith('bounce.suppressed it could not be made')),
      );
    });

    it('stop waits for what is under way and begins nothing', async () => {
      peer.options.script = { BODY: [{ do: 'delay', ms: 100, reply: '250 2.0.0 taken' }] };
      const id = await out.send(['x@far.test']);
      await until(() => peer.commands.includes('DATA'));
      const stopped = out.scheduler.stop(HOUR);
      const late = await out.send(['y@far.test']);
      await stopped;
      assert.deepEqual(await out.states(id), ['delivered']);
      assert.deepEqual(await out.states(late), ['queued']);
    });

    it('stop gives back what waits for a connection', async () => {
      peer.options.script = { BODY: () => ({ do: 'delay', ms: 100, reply: '250 2.0.0 taken' }) };
      const ids = [];
      for (let i = 0; i < 12; i++) ids.push(await out.send([`x${i}@far.test`]));
      await until(() => peer.connections() === 8);
      await out.scheduler.stop(HOUR);
      const states = (await Promise.all(ids.map((id) => out.states(id)))).flat();
      assert.equal(states.filter((state) => state === 'delivered').length, peer.transactions.length);
      assert.equal(states.filter((state) => state === 'queued').length, 12 - peer.transactions.length);
      assert.ok(peer.transactions.length < 12);
    });
  });
});
