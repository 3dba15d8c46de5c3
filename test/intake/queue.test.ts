import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { BUCKET, type IntakeWorld, message, openWorld, until } from './support.ts';
import { testActor } from '../support/server.ts';

const ALICE = 'alice@example.test';
const BOB = 'bob@example.test';

async function journal(world: IntakeWorld, trace: string | undefined) {
  return world.server.store.read.run('journal.byTrace', { trace: trace ?? '' });
}

describe('mail that SES took, told by a queue', () => {
  let world: IntakeWorld;
  before(async () => {
    world = await openWorld({
      server: { holdOutgoing: 'a test', config: { limits: { message_size: '2MiB' } } },
    });
  });
  after(() => world.close());

  it('comes in octet for octet, once, and leaves the bucket and the queue', async () => {
    const received = world.mail({ subject: 'hello there' });
    await until(async () => (await world.subjects('alice@example.test')).includes('hello there'));
    await world.settled();
    const [octets] = await world.stored('alice@example.test');
    assert.deepEqual(octets, received.object);
    const known = await world.known(received);
    assert.equal(known?.object.state, 'done');
    assert.deepEqual(known?.settled, [{ recipient: 'alice@example.test', outcome: 'taken' }]);
    assert.notEqual(known?.object.removedAt, undefined);
    const trace = await world.server.store.read.run('journal.byTrace', { trace: known?.object.trace ?? '' });
    const kinds = trace.map(({ kind }) => kind);
    assert.deepEqual(kinds.slice(0, 2), ['intake.received', 'message.accepted']);
    assert.deepEqual(kinds.slice(2).toSorted(), ['message.deposited', 'message.judged']);
    assert.equal(trace[0]?.data['toldBy'], 'sqs');
    assert.equal(trace[1]?.data['ip'], '192.0.2.25');
  });

  it('a notice that comes again changes nothing', async () => {
    const received = world.mail({ subject: 'only once' });
    await world.settled();
    world.aws.sqs.send(world.queue, received.notification);
    world.aws.sqs.send(world.queue, received.notification);
    await world.settled();
    const count = (await world.subjects('alice@example.test')).filter((each) => each === 'only once').length;
    assert.equal(count, 1);
  });

  it('what waits although everybody has it comes to its end', async () => {
    const received = world.mail({ subject: 'answer lost' });
    await world.settled();
    const known = await world.known(received);
    assert.ok(known);
    // As if the commit's answer had not come, and the object were still there.
    world.aws.s3.put(BUCKET, received.key, received.object);
    const part = {
      ...known.object,
      state: 'waiting' as const,
      nextAt: Date.now(),
      attempt: true,
      settled: [],
    };
    await world.server.store.write.run('intake.settle', { part, notices: [], events: [] });
    world.aws.sqs.send(world.queue, received.notification);
    await world.settled();
    assert.equal((await world.known(received))?.object.state, 'done');
    const copies = (await world.subjects(ALICE)).filter((each) => each === 'answer lost');
    assert.equal(copies.length, 1);
  });

  it('an unknown recipient bounces to a proven sender, and holds nobody up', async () => {
    const received = world.mail({ subject: 'half known', recipients: [ALICE, 'nobody@example.test', BOB] });
    await world.settled();
    assert.ok((await world.subjects(ALICE)).includes('half known'));
    assert.ok((await world.subjects(BOB)).includes('half known'));
    const known = await world.known(received);
    assert.deepEqual(known?.settled, [
      { recipient: ALICE, outcome: 'taken' },
      { recipient: BOB, outcome: 'taken' },
      { recipient: 'nobody@example.test', outcome: 'bounced' },
    ]);
    const events = await journal(world, known?.object.trace);
    const bounce = events.find(({ kind }) => kind === 'bounce.sent');
    assert.equal(bounce?.data['to'], 'bob@example.net');
    const refused = events.find(({ kind }) => kind === 'message.refused');
    assert.match(String(refused?.data['reason']), /no such recipient here; the sender is told/);
  });

  it('nobody known at all: the sender is told, nothing is stored', async () => {
    const received = world.mail({ subject: 'quite unknown', recipients: ['nobody@example.test'] });
    await world.settled();
    const known = await world.known(received);
    assert.deepEqual(known?.settled, [{ recipient: 'nobody@example.test', outcome: 'bounced' }]);
    assert.equal(known?.object.state, 'done');
    const kinds = (await journal(world, known?.object.trace)).map(({ kind }) => kind);
    assert.ok(kinds.includes('bounce.sent'), String(kinds));
  });

  it('no bounce to a sender that is not proven, nor to the null one', async () => {
    for (const more of [{ clientAddress: '192.0.2.99', spfVerdict: 'FAIL' as const }, { mailFrom: '' }]) {
      const received = world.mail({ recipients: ['nobody@example.test'], ...more });
      await world.settled();
      const known = await world.known(received);
      assert.deepEqual(known?.settled, [{ recipient: 'nobody@example.test', outcome: 'dropped' }]);
      const events = await journal(world, known?.object.trace);
      assert.ok(events.every(({ kind }) => kind !== 'bounce.sent'));
      assert.ok(
        events.some(({ kind }) => kind === 'message.refused'),
        'the journal tells all the same',
      );
    }
  });

  it('an alias elsewhere goes to the queue, one copy for an account that two addresses lead to', async () => {
    const { write } = world.server.store;
    await write.run('directory.addAlias', {
      actor: testActor,
      address: 'out@example.test',
      targets: ['x@far.example'],
    });
    await write.run('directory.addAlias', {
      actor: testActor,
      address: 'both@example.test',
      targets: [ALICE],
    });
    const received = world.mail({
      subject: 'aliased',
      recipients: ['out@example.test', 'both@example.test', ALICE],
    });
    await world.settled();
    const copies = (await world.subjects(ALICE)).filter((each) => each === 'aliased');
    assert.equal(copies.length, 1);
    const known = await world.known(received);
    assert.equal(known?.settled.length, 3);
    const events = await journal(world, known?.object.trace);
    assert.ok(
      events.some(
        ({ kind, data }) => kind === 'message.queued' && String(data['to']).includes('x@far.example'),
      ),
    );
  });

  it('a full mailbox is tried again while the others have theirs; each gets it once', async () => {
    const { write } = world.server.store;
    await write.run('directory.setQuota', { actor: testActor, address: BOB, quota: 1 } as never);
    const received = world.mail({ subject: 'full', recipients: [ALICE, BOB] });
    const waiting = await until(async () => {
      const known = await world.known(received);
      return known?.object.state === 'waiting' && known.settled.length === 1 ? known : undefined;
    });
    assert.match(waiting.object.reason, /mailbox is full/);
    assert.ok(world.aws.s3.keys(BUCKET).includes(received.key), 'it stays in the bucket');
    await write.run('directory.setQuota', { actor: testActor, address: BOB, quota: 0 } as never);
    const taken = await world.server.intake.takeIn('main', { key: received.key, by: 'admin' });
    assert.equal(taken.outcome, 'taken');
    assert.equal((await world.subjects(ALICE)).filter((each) => each === 'full').length, 1);
    assert.equal((await world.subjects(BOB)).filter((each) => each === 'full').length, 1);
    world.aws.sqs.reveal(world.queue);
    await world.settled();
  });

  it('a domain that is not ours yet waits; added, it comes in', async () => {
    const received = world.mail({ subject: 'too early', recipients: ['carol@later.test'] });
    const known = await until(async () => {
      const found = await world.known(received);
      return found?.object.state === 'waiting' ? found : undefined;
    });
    assert.match(known.object.reason, /do not relay/);
    const { write } = world.server.store;
    await write.run('directory.addDomain', { actor: testActor, name: 'later.test' });
    await write.run('directory.addAlias', {
      actor: testActor,
      address: 'carol@later.test',
      targets: [ALICE],
    });
    await world.server.intake.takeIn('main', { key: received.key, by: 'admin' });
    assert.ok((await world.subjects(ALICE)).includes('too early'));
    world.aws.sqs.reveal(world.queue);
    await world.settled();
  });

  it('what is too large here goes back to a proven sender; else a person is asked', async () => {
    const raw = message('too much', { body: 'x'.repeat(60).concat('\r\n').repeat(50_000) });
    const received = world.mail({ raw });
    await world.settled();
    const known = await world.known(received);
    assert.deepEqual(known?.settled, [{ recipient: ALICE, outcome: 'bounced' }]);
    const events = await journal(world, known?.object.trace);
    assert.match(JSON.stringify(events), /552 5\.3\.4 Message is larger than the 2097152 octets/);
    assert.equal(events.find(({ kind }) => kind === 'bounce.sent')?.data['to'], 'bob@example.net');
    const other = world.mail({ raw, spfVerdict: 'FAIL' });
    await until(async () => (await world.known(other))?.object.state === 'stuck');
    assert.ok(world.aws.s3.keys(BUCKET).includes(other.key));
    world.aws.s3.remove(BUCKET, other.key);
    await world.settled();
  });

  it('a virus goes to the vault, what SES takes for spam is weighed', async () => {
    const bad = world.mail({ subject: 'infected', virusVerdict: 'FAIL' });
    await world.settled();
    const known = await world.known(bad);
    assert.deepEqual(known?.settled, [{ recipient: ALICE, outcome: 'vault' }]);
    assert.ok(!(await world.subjects(ALICE)).includes('infected'));
    const kept = await world.server.store.read.run('vault.list', {
      scope: { all: true },
      limit: 10,
    } as never);
    assert.match(JSON.stringify(kept), /virus scanner of Amazon SES/);
    const spam = world.mail({ subject: 'weighed', spamVerdict: 'FAIL' });
    await world.settled();
    const events = await journal(world, (await world.known(spam))?.object.trace);
    const judged = events.find(({ kind }) => kind === 'message.judged');
    assert.match(JSON.stringify(judged?.data['reasons']), /\+4\.0 {2}the spam filter of Amazon SES/);
  });

  it('SPF is asked about the client that SES had it from', async () => {
    const good = world.mail({ subject: 'from its own server' });
    const other = world.mail({ subject: 'from elsewhere', clientAddress: '192.0.2.77' });
    await world.settled();
    const checks = async (key: typeof good): Promise<string> => {
      const events = await journal(world, (await world.known(key))?.object.trace);
      return JSON.stringify(events.find(({ kind }) => kind === 'message.judged')?.data['checks']);
    };
    assert.match(await checks(good), /\(SPF\): pass/);
    assert.match(await checks(other), /\(SPF\): fail/);
  });
});
