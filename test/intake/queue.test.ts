import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type IntakeWorld, openWorld, until } from './support.ts';

describe('mail that SES took, told by a queue', () => {
  let world: IntakeWorld;
  before(async () => {
    world = await openWorld();
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
    assert.deepEqual(kinds, ['intake.received', 'message.accepted', 'message.judged', 'message.deposited']);
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
});
