import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { BUCKET, type IntakeWorld, message, openWorld, until } from './support.ts';

const ALICE = 'alice@example.test';
const BOB = 'bob@example.test';

function count(subjects: readonly string[], subject: string): number {
  return subjects.filter((each) => each === subject).length;
}

describe('trouble on the way, and nobody who told', () => {
  let world: IntakeWorld;
  before(async () => {
    world = await openWorld({ source: { sweep_after_minutes: 0 } });
  });
  after(() => world.close());

  it('mail of which no notice came is found, and given to whom its header names', async () => {
    const received = world.mail({
      raw: message('untold', { to: `${ALICE}, Somebody <x@far.example>` }),
      notify: false,
      recipients: [ALICE, BOB],
    });
    const [result] = await world.server.intake.sweep(undefined);
    assert.equal(result?.result?.untold, 1);
    assert.equal(count(await world.subjects(ALICE), 'untold'), 1);
    const known = await world.known(received);
    assert.equal(known?.object.state, 'guessed');
    assert.ok(world.aws.s3.keys(BUCKET).includes(received.key), 'a late notice may name more');
    await world.server.intake.sweep(undefined);
    assert.equal(count(await world.subjects(ALICE), 'untold'), 1, 'not twice');
    // The notice comes after all, and names one who had a blind copy.
    world.aws.sqs.send(world.queue, received.notification);
    await world.settled();
    assert.equal(count(await world.subjects(ALICE), 'untold'), 1);
    assert.equal(count(await world.subjects(BOB), 'untold'), 1);
    assert.equal((await world.known(received))?.object.state, 'done');
  });

  it('a late notice that names nobody new ends the guessing', async () => {
    const received = world.mail({ subject: 'late', notify: false });
    await world.server.intake.sweep(undefined);
    world.aws.sqs.send(world.queue, received.notification);
    await world.settled();
    assert.equal(count(await world.subjects(ALICE), 'late'), 1);
  });

  it('a message that names nobody here stays, shown to a person, who names somebody', async () => {
    const received = world.mail({
      raw: message('whose', { to: 'undisclosed-recipients:;' }),
      recipients: ['list@far.example'],
      notify: false,
    });
    await world.server.intake.sweep(undefined);
    assert.equal((await world.known(received))?.object.state, 'stuck');
    assert.ok(world.aws.s3.keys(BUCKET).includes(received.key));
    const taken = await world.server.intake.takeIn('main', {
      key: received.key,
      by: 'admin',
      recipients: [BOB],
    });
    assert.equal(taken.outcome, 'taken');
    assert.equal(count(await world.subjects(BOB), 'whose'), 1);
    await world.settled();
  });

  it('looks and notices at the same time: each message once', async () => {
    const subjects = Array.from({ length: 30 }, (_, i) => `race ${i}`);
    for (const subject of subjects) world.mail({ subject });
    await Promise.all(Array.from({ length: 5 }, () => world.server.intake.sweep(undefined)));
    // What was found before its notice is removed when that has come.
    await world.settled();
    const found = await world.subjects(ALICE);
    for (const subject of subjects) assert.equal(count(found, subject), 1, subject);
  });

  it("SES's sign of life is no mail", async () => {
    world.aws.ses.setupNotification();
    await world.server.intake.sweep(undefined);
    assert.deepEqual(world.aws.s3.keys(BUCKET), []);
  });

  async function inTrouble(
    subject: string,
    fault: Parameters<IntakeWorld['aws']['fault']>[1],
    operation = 'GetObject',
  ) {
    // The SDK tries three times by itself.
    const handle = world.aws.fault({ service: 's3', operation }, fault, 3);
    const received = world.mail({ subject });
    await until(() => handle.hits > 0);
    await world.server.intake.takeIn('main', { key: received.key, by: 'admin' });
    handle.cancel();
    const again = await world.server.intake.takeIn('main', { key: received.key, by: 'admin' });
    world.aws.sqs.reveal(world.queue);
    await world.settled();
    assert.equal(count(await world.subjects(ALICE), subject), 1, subject);
    return again;
  }

  it('S3 answers 500, breaks off in the middle, or closes', async () => {
    await inTrouble('server error', { kind: 'status', status: 500, code: 'InternalError' });
    await inTrouble('slow', { kind: 'slow', ms: 300 });
    await inTrouble('half', { kind: 'cut', when: 'mid-body' });
    await inTrouble('closed', { kind: 'cut', when: 'before-answer' });
    await inTrouble('not removed', { kind: 'status', status: 500, code: 'InternalError' }, 'DeleteObject');
    await inTrouble('removed without an answer', { kind: 'cut', when: 'after-effect' }, 'DeleteObject');
  });

  it('a poisoned object keeps no other waiting, and gets its chance again', async () => {
    const received = world.aws.ses.receive({ raw: message('poison'), recipients: [ALICE], notify: false });
    const handle = world.aws.fault(
      { service: 's3', operation: 'GetObject', key: received.key },
      { kind: 'status', status: 400, code: 'InvalidArgument' },
      Number.POSITIVE_INFINITY,
    );
    world.aws.sqs.send(world.queue, received.notification);
    for (let i = 0; i < 5; i++) world.mail({ subject: `beside ${i}` });
    await until(
      async () => (await world.subjects(ALICE)).filter((each) => each.startsWith('beside')).length === 5,
    );
    const known = await until(async () => {
      const found = await world.known(received);
      return found?.object.state === 'waiting' ? found.object : undefined;
    });
    assert.match(known.reason, /InvalidArgument/);
    assert.ok((known.nextAt ?? 0) > Date.now());
    handle.cancel();
    await world.server.intake.takeIn('main', { key: received.key, by: 'admin' });
    world.aws.sqs.reveal(world.queue);
    await world.settled();
  });

  it('an object that others removed is over and told, not tried for ever', async () => {
    const received = world.mail({ subject: 'taken by others', store: false });
    const known = await until(async () => {
      const found = await world.known(received);
      return found?.object.state === 'gone' ? found : undefined;
    });
    await world.settled();
    const events = await world.server.store.read.run('journal.byTrace', { trace: known.object.trace });
    assert.deepEqual(events.at(-1)?.data['without'], [ALICE]);
  });

  it('a bucket that is not there is trouble, not news', async () => {
    const received = world.mail({ subject: 'no bucket', notify: false });
    const handle = world.aws.fault(
      { service: 's3', operation: 'GetObject' },
      { kind: 'status', status: 404, code: 'NoSuchBucket' },
      1,
    );
    const first = await world.server.intake.takeIn('main', {
      key: received.key,
      by: 'admin',
      recipients: [ALICE],
    });
    assert.equal(first.outcome, 'waiting');
    assert.equal(handle.hits, 1);
    await world.server.intake.takeIn('main', { key: received.key, by: 'admin' });
    await world.settled();
    assert.equal(count(await world.subjects(ALICE), 'no bucket'), 1);
  });

  it('notices that cannot be understood are kept and leave the queue', async () => {
    world.aws.sqs.send(world.queue, 'not even JSON');
    world.aws.sqs.send(world.queue, '{"Type":"Notification","Message":"x"}');
    await world.settled();
    const { total } = await world.server.store.read.run('intake.problems', { limit: 10 });
    assert.equal(total, 2);
  });

  it('SQS hands out the same notice over and over: each message once', async () => {
    world.aws.sqs.duplicates = 3;
    for (let i = 0; i < 10; i++) world.mail({ subject: `again ${i}` });
    await world.settled();
    world.aws.sqs.duplicates = 0;
    const found = await world.subjects(ALICE);
    for (let i = 0; i < 10; i++) assert.equal(count(found, `again ${i}`), 1);
  });

  it('a message of 40 MB comes in octet for octet', async () => {
    const line = `${'x'.repeat(76)}\r\n`;
    const body = line.repeat(Math.floor((39.9 * 1024 * 1024) / line.length));
    const received = world.mail({ raw: message('large', { body }) });
    await world.settled();
    const octets = (await world.stored(ALICE)).find(({ length }) => length === received.object.length);
    assert.ok(octets?.equals(received.object));
  });
});

describe('while we were away', () => {
  it('what SNS could not deliver is read from the dead-letter queue at the start', async () => {
    const world = await openWorld({ queue: false });
    const { aws, server } = world;
    // Nobody listens there.
    const endpoint = 'http://127.0.0.1:9/';
    const arn = aws.sns.subscribe(world.topic, 'http', endpoint, {
      confirmed: true,
      deadLetterArn: aws.sqs.queue(world.deadLetters).arn,
      deliveryPolicy: { healthyRetryPolicy: { numRetries: 1, minDelayTarget: 1, maxDelayTarget: 1 } },
    });
    assert.ok(arn);
    for (let i = 0; i < 3; i++) world.mail({ subject: `missed ${i}` });
    await until(() => aws.sqs.messages(world.deadLetters).length === 3);
    assert.deepEqual(await world.subjects(ALICE), []);
    const json = await server.store.read.run('intake.settings', null);
    const settings = JSON.parse(json ?? '{}');
    settings.sources[0].dead_letter_queue_url = world.deadLetters;
    const actor = { name: 'system', role: 'system' as const, domainId: undefined };
    await server.store.write.run('intake.saveSettings', { actor, json: JSON.stringify(settings) });
    await server.intake.changed();
    await until(() => aws.sqs.messages(world.deadLetters).length === 0);
    assert.deepEqual(await world.subjects(ALICE), ['missed 0', 'missed 1', 'missed 2']);
    assert.deepEqual(aws.s3.keys(BUCKET), []);
    await world.close();
  });
});
