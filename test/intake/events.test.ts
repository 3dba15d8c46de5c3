import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type CliAnswer, runCommand } from '../support/cli.ts';
import { TEST_PASSWORD } from '../support/server.ts';
import { lineClient } from '../support/smtp-client.ts';
import { type IntakeWorld, openWorld, subjectsOf, until } from './support.ts';

const ALICE = 'alice@example.test';

/** What became of mail that SES sent for us comes in by a source without a bucket. */
describe('events of sent mail', () => {
  let world: IntakeWorld;
  let queue = '';
  before(async () => {
    world = await openWorld({ server: { plaintextAuth: true } });
    const { aws } = world;
    const topic = aws.sns.createTopic('events');
    queue = aws.sqs.createQueue('events', { allowTopic: topic }).url;
    aws.sns.subscribe(topic, 'sqs', aws.sqs.queue(queue).arn);
    aws.ses.createConfigurationSet('postern', [{ name: 'to-sns', topicArn: topic }]);
    aws.ses.verify('example.test');
  });
  after(() => world.close());

  function cli(...words: string[]): Promise<CliAnswer> {
    return runCommand(words, { data: world.server.directory, width: 100 });
  }
  async function must(...words: string[]): Promise<string> {
    const { status, out, err } = await cli(...words);
    assert.equal(status, 0, err);
    return out;
  }

  async function submit(to: string): Promise<void> {
    const client = await lineClient(world.server.ports.submission ?? 0);
    const login = Buffer.from(`\0${ALICE}\0${TEST_PASSWORD}`).toString('base64');
    await client.talk(
      ['', '220'],
      ['EHLO here\r\n', '250'],
      [`AUTH PLAIN ${login}\r\n`, '235'],
      [`MAIL FROM:<${ALICE}>\r\n`, '250'],
      [`RCPT TO:<${to}>\r\n`, '250'],
      ['DATA\r\n', '354'],
      [`From: <${ALICE}>\r\nTo: <${to}>\r\nSubject: hello\r\n\r\nhello\r\n.\r\n`, '250'],
    );
    client.close();
  }

  it('the commands of the guide make SES a way out, and have its events fetched', async () => {
    const place = ['region=eu-west-1', `endpoint=${world.aws.endpoint}`];
    await must('transport', 'add', 'ses', 'ses-api', ...place, 'configuration_set=postern');
    await must('route', 'add', 'everything', '--via', 'ses');
    assert.match(
      await must('intake', 'add', 'events', ...place, `queue_url=${queue}`),
      /^Events about sent mail are fetched from events/,
    );
    await until(async () =>
      /events: no bucket in eu-west-1\n {4}queue \(SQS\): works/.test(await must('intake', 'status')),
    );
    // A message of SES is never looked for there.
    assert.doesNotMatch(await must('intake', 'sweep'), /events/);
  });

  it('a bounce reaches the sender and the suppression list, and the trace tells of it', async () => {
    const to = 'gone@far.example';
    await submit(to);
    await until(async () => world.aws.ses.sent.length === 1);
    world.aws.ses.bounce(world.aws.ses.sent[0]?.messageId ?? '', { status: '5.1.1' });
    await until(async () => (await must('suppression', 'list')).includes(to));
    assert.match(await must('suppression', 'show', to), /SES/);
    await until(async () =>
      subjectsOf(await world.stored(ALICE)).some(
        (subject) => subject === 'Your message could not be delivered',
      ),
    );
    const told = await must('trace', to);
    assert.match(told, /It came back later from <gone@far\.example>/);
    assert.match(told, /In short: 1 came back\.\n/);
    // What comes next is not sent.
    await submit(to);
    await until(async () => (await must('trace', to)).includes('suppression list'));
    assert.match(await must('trace', to), /postern\s+suppression\s+remove\s+gone@far\.example/);
    assert.equal(world.aws.ses.sent.length, 1);
    assert.match(
      await world.server.metrics.text(),
      /postern_ses_events_total\{kind="bounced",outcome="bounced"\} 1/,
    );
  });
});
