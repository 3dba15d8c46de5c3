import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { BUCKET, type IntakeWorld, message, openWorld, until } from './support.ts';
import { type CliAnswer, runCommand } from '../support/cli.ts';

/** What is said of settings that cannot be meant. */
const WRONG: Readonly<Record<string, RegExp>> = {
  lag_alarm_minutes: /lag_alarm_minutes: it takes 10080 or less/,
  'sources.main.topic_arns': /sources\.main\.topic_arns\.0: it takes the ARN of a topic/,
  'sources.third.bucket': /sources\.third\.region: it is missing/,
};
const ALICE = 'alice@example.test';

describe('what an administrator sees and does', () => {
  let world: IntakeWorld;
  before(async () => {
    world = await openWorld({ source: { sweep_after_minutes: 0, dead_letter_queue_url: '' } });
  });
  after(() => world.close());

  function cli(...words: string[]): Promise<CliAnswer> {
    return runCommand(words, { data: world.server.directory, width: 100 });
  }
  async function must(...words: string[]): Promise<string> {
    const said = await cli(...words);
    assert.equal(said.status, 0, said.err);
    return said.out;
  }

  it('the trace of a message tells that it came through SES, as which object, told by whom', async () => {
    const received = world.mail({ subject: 'traced' });
    await world.settled();
    const text = await must('trace', received.messageId);
    assert.match(text, /It came through Amazon SES eu-west-1/);
    assert.ok(
      text.replaceAll(/\s+/g, ' ').includes(`Object ${received.key} in the bucket ${BUCKET} (source main).`),
      text,
    );
    assert.match(text, /The queue \(SQS\) told of it\./);
    assert.match(text, /Verdicts there: spam PASS, virus PASS/);
    assert.match(text, /in the mailbox INBOX of alice@example\.test/);
  });

  it('status, list, retry, problems, forget, sweep', async () => {
    assert.match(
      await must('intake', 'status'),
      /main: bucket mail-of-example in eu-west-1\n {4}HTTPS endpoint: nothing came yet\n {4}queue \(SQS\): works, last at/,
    );
    const received = world.mail({
      raw: message('for whom', { to: 'undisclosed-recipients:;' }),
      recipients: ['x@far.example'],
      notify: false,
    });
    assert.match(await must('intake', 'sweep'), /main: 1 in the bucket, 1 of them nobody had told of/);
    assert.match(await must('intake', 'list'), /stuck/);
    assert.match(await must('intake', 'retry', received.messageId, '--to', ALICE), /It is taken in\./);
    assert.match(await must('intake', 'retry', received.key), /It is not in the bucket|has it already/);
    assert.match(await must('intake', 'list'), /Nothing waits and nothing is stuck/);
    world.aws.sqs.send(world.queue, 'what is this?');
    await world.settled();
    const problems = await must('intake', 'problems');
    assert.match(problems, /it is not JSON\n {4}what is this\?/);
    const number = /^(\d+) /.exec(problems)?.[1] ?? '';
    assert.match(await must('intake', 'forget', number), /is forgotten/);
    assert.match(await must('intake', 'problems'), /Every notice was understood/);
  });

  it('settings are shown, changed at once, and refused when they cannot be meant', async () => {
    assert.match(await must('intake', 'show'), /sources\.main\.prefix +new\//);
    await must('intake', 'set', 'lag_alarm_minutes', '5');
    assert.equal(world.server.intake.settings.lag_alarm_minutes, 5);
    const second = ['intake', 'add', 'second', 'region=eu-west-1', 'bucket=another', 'sweep_minutes=0'];
    assert.match(await must(...second), /Mail is fetched from second/);
    assert.match((await cli(...second)).err, /There is a source "second" already; --replace/);
    await must(...second, '--replace');
    assert.deepEqual(
      world.server.intake.status().map(({ name }) => name),
      ['main', 'second'],
    );
    await must('intake', 'set', 'sources.second.credentials_file', '/nonexistent/key');
    assert.match(await must('intake', 'status'), /cannot read \/nonexistent\/key/);
    await must('intake', 'remove', 'second');
    assert.match((await cli('intake', 'remove', 'second')).err, /There is no source "second"/);
    assert.equal(world.server.intake.status().length, 1);
    assert.match(
      (await cli('intake', 'add', 'third', 'bucket=some-bucket')).err,
      /sources\.third\.region: it is missing/,
    );
    for (const [name, value] of [
      ['lag_alarm_minutes', '99999999'],
      ['no_such', '1'],
      ['sources.main.no_such', '1'],
      ['sources.main.topic_arns', '["arn:aws:iam::1:x"]'],
      ['sources.third.bucket', 'some-bucket'],
    ] as const) {
      const said = await cli('intake', 'set', name, value);
      assert.notEqual(said.status, 0, name);
      assert.match(said.err, WRONG[name] ?? /"postern intake show" lists all/, name);
    }
    assert.equal(world.server.intake.settings.sources.length, 1, 'a mistake changes nothing');
  });

  it('a source of a queue that is not there says so, begins anew, and works when it is', async () => {
    const url = `${world.queue}-later`;
    await must('intake', 'set', 'sources.main.queue_url', url);
    await until(async () => (await must('intake', 'status')).includes('DOES NOT WORK'));
    world.aws.sqs.createQueue('new-mail-later', { allowTopic: '*' });
    await until(async () => !(await must('intake', 'status')).includes('DOES NOT WORK'));
    await must('intake', 'set', 'sources.main.queue_url', world.queue);
  });

  it('lag and outcomes are metrics', async () => {
    const text = await world.server.metrics.text();
    assert.match(text, /postern_intake_lag_seconds_count\{source="main"\} [1-9]/);
    assert.match(text, /postern_intake_objects_total\{source="main",told_by="sqs",outcome="taken"\} [1-9]/);
    assert.match(text, /postern_intake_oldest_seconds 0/);
  });
});
