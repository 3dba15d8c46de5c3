import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { startAws } from '../../../test/support/aws/emulator.ts';
import type { AwsEmulator } from '../../../test/support/aws/types.ts';
import { systemClock } from '../../base/clock.ts';
import { createSetUpReader, type SetUpReader } from './inspect.ts';
import { AwsError } from './types.ts';

let aws: AwsEmulator;
let reader: SetUpReader;

before(async () => {
  aws = await startAws({ ses: { identities: ['example.org'], production: false, max24HourSend: 200 } });
  aws.ses.unverify('new.example');
  reader = createSetUpReader(aws.settings, { clock: systemClock });
});

after(async () => {
  reader.close();
  await aws.close();
  assert.deepEqual(aws.violations, []);
  assert.deepEqual(aws.refusals, []);
});

test('the account, and who we are', async () => {
  assert.equal((await reader.caller()).account, aws.accountId);
  const account = await reader.account();
  assert.equal(account.production, false);
  assert.equal(account.max24HourSend, 200);
  assert.equal(account.enforcement, 'HEALTHY');
});

test('identities: verified, waiting, unknown', async () => {
  const known = await reader.identity('example.org');
  assert.equal(known?.verified, true);
  assert.deepEqual(known.dkim.records[0], [
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa._domainkey.example.org',
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dkim.amazonses.com',
  ]);
  assert.equal(known.mailFrom?.domain, 'mail.example.org');
  const waiting = await reader.identity('new.example');
  assert.equal(waiting?.verified, false);
  assert.equal(waiting.dkim.status, 'PENDING');
  assert.equal(await reader.identity('other.example'), undefined);
});

test('rules, topics, subscriptions and queues', async () => {
  const topicArn = aws.sns.createTopic('new-mail');
  assert.equal(await reader.activeRuleSet(), undefined);
  aws.s3.createBucket('mail-bucket');
  aws.ses.createReceiptRule({
    name: 'MailToS3',
    recipients: ['example.org'],
    bucket: 'mail-bucket',
    prefix: 'new/',
    topicArn,
    ruleSet: 'rules',
  });
  aws.ses.activeRuleSet = 'rules';
  assert.deepEqual(await reader.activeRuleSet(), {
    name: 'rules',
    rules: [
      {
        name: 'MailToS3',
        enabled: true,
        scan: true,
        recipients: ['example.org'],
        stores: [{ bucket: 'mail-bucket', prefix: 'new/', topic: topicArn }],
      },
    ],
  });
  const queue = aws.sqs.createQueue('new-mail', { allowTopic: topicArn });
  aws.sqs.send('new-mail', 'x');
  aws.sns.subscribe(topicArn, 'sqs', queue.arn);
  const dead = aws.sqs.createQueue('dead', { allowTopic: topicArn });
  const other = aws.sns.subscribe(topicArn, 'sqs', queue.arn.replace('new-mail', 'dead'), {
    deadLetterArn: dead.arn,
  });
  assert.equal(await reader.deadLetters(other), dead.arn);
  aws.sns.unsubscribe(other);
  aws.sns.subscribe(topicArn, 'https', 'https://user:secret@127.0.0.1:1/sns');
  const subscriptions = await reader.subscriptions(topicArn);
  assert.deepEqual(subscriptions.map(({ protocol, pending }) => `${protocol} ${pending}`).toSorted(), [
    'https true',
    'sqs false',
  ]);
  assert.ok(!JSON.stringify(subscriptions).includes('secret'));
  const [plain] = subscriptions.filter(({ pending }) => !pending);
  assert.equal(await reader.deadLetters(plain?.arn ?? ''), undefined);
  const facts = await reader.queue(queue.url);
  assert.equal(facts.arn, queue.arn);
  assert.equal(facts.waiting, 1);
  assert.match(facts.policy ?? '', /sns\.amazonaws\.com/);
});

test('configuration sets with what they tell', async () => {
  const topicArn = aws.sns.createTopic('events');
  aws.ses.createConfigurationSet('postern', [{ name: 'to-sns', topicArn, events: ['Bounce', 'Complaint'] }]);
  const set = await reader.configurationSet('postern');
  assert.deepEqual(set?.destinations, [
    { name: 'to-sns', enabled: true, types: ['BOUNCE', 'COMPLAINT'], topic: topicArn },
  ]);
  assert.equal(set.sending, true);
  assert.equal(await reader.configurationSet('nobody'), undefined);
});

test('what is not allowed, and what is not there, are told apart', async () => {
  const fault = aws.fault(
    { service: 'ses', operation: 'GetAccount' },
    {
      kind: 'status',
      status: 403,
      code: 'AccessDeniedException',
      message: 'not authorized to perform ses:GetAccount',
    },
    Infinity,
  );
  await assert.rejects(reader.account(), (error) => error instanceof AwsError && error.kind === 'auth');
  fault.cancel();
  await assert.rejects(
    reader.queue(`${aws.endpoint}/${aws.accountId}/nobody`),
    (error) =>
      error instanceof AwsError &&
      error.kind === 'missing' &&
      error.message.startsWith('sqs:GetQueueAttributes'),
  );
  const nobody = createSetUpReader(
    { ...aws.settings, endpoint: 'http://127.0.0.1:1' },
    { clock: systemClock },
  );
  await assert.rejects(nobody.account(), (error) => error instanceof AwsError && error.kind === 'network');
  nobody.close();
});

test('bucket policies and names of rule sets', async () => {
  const policy = '{"Version":"2012-10-17","Statement":[]}';
  const server: Server = createServer((request, response) => {
    response.setHeader('content-type', 'application/xml');
    if (request.method === 'POST')
      return void response.end(
        '<ListReceiptRuleSetsResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><ListReceiptRuleSetsResult><RuleSets>' +
          '<member><Name>rules</Name><CreatedTimestamp>2026-01-01T00:00:00Z</CreatedTimestamp></member></RuleSets></ListReceiptRuleSetsResult></ListReceiptRuleSetsResponse>',
      );
    const url = new URL(request.url ?? '', 'http://localhost');
    assert.ok(url.searchParams.has('policy'));
    const bucket = url.pathname.split('/')[1];
    if (bucket === 'with') return void response.end(policy);
    response.statusCode = 404;
    const code = bucket === 'without' ? 'NoSuchBucketPolicy' : 'NoSuchBucket';
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>none</Message></Error>`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const own = createSetUpReader({ ...aws.settings, endpoint }, { clock: systemClock });
  try {
    assert.equal(await own.bucketPolicy('with'), policy);
    assert.equal(await own.bucketPolicy('without'), undefined);
    await assert.rejects(
      own.bucketPolicy('nobody'),
      (error) => error instanceof AwsError && error.kind === 'missing',
    );
    assert.deepEqual(await own.ruleSets(), ['rules']);
  } finally {
    own.close();
    server.close();
    server.closeAllConnections();
  }
});
