import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import * as S3 from '@aws-sdk/client-s3';
import * as SNS from '@aws-sdk/client-sns';
import * as SQS from '@aws-sdk/client-sqs';
import { startFauxqs } from 'fauxqs';
import { createSelfSigned } from '../../../src/net/tls-self-signed.ts';
import { startAws } from './emulator.ts';
import { stringToSign } from './sns-sign.ts';
import type { AwsEmulator, AwsOptions, SnsEnvelope } from './types.ts';

/** The emulator and the SDK's own clients; at the end nothing may have been malformed. */
async function start(t: TestContext, options: AwsOptions = {}, clean = true) {
  const aws = await startAws(options);
  const clients = sdk(aws.settings);
  t.after(async () => {
    for (const client of Object.values(clients)) client.destroy();
    await aws.close();
    if (clean) assert.deepEqual([...aws.violations, ...aws.refusals], []);
  });
  return { aws, ...clients };
}

function sdk(settings: AwsEmulator['settings']) {
  const config = { ...settings, maxAttempts: 1 };
  return {
    s3: new S3.S3Client({ ...config, forcePathStyle: true }),
    sqs: new SQS.SQSClient(config),
    sns: new SNS.SNSClient(config),
  };
}

const named =
  (name: string, status?: number) => (error: Error & { $metadata?: { httpStatusCode?: number } }) => {
    assert.equal(error.name, name, error.message);
    if (status !== undefined) assert.equal(error.$metadata?.httpStatusCode, status);
    return true;
  };

test('S3 keeps octets under any key, in parts and in order', async (t) => {
  const { aws, s3 } = await start(t);
  const Bucket = 'mail';
  aws.s3.createBucket(Bucket);
  const Key = "new/a b+c?ü'(1)!.eml";
  const put = await s3.send(new S3.PutObjectCommand({ Bucket, Key, Body: 'hello world', IfNoneMatch: '*' }));
  assert.match(put.ETag ?? '', /^"[0-9a-f]{32}"$/);
  const got = await s3.send(new S3.GetObjectCommand({ Bucket, Key }));
  assert.equal(await got.Body?.transformToString(), 'hello world');
  assert.ok(Math.abs(Date.now() - (got.LastModified?.getTime() ?? 0)) < 60_000);
  const part = await s3.send(new S3.GetObjectCommand({ Bucket, Key, Range: 'bytes=6-8' }));
  assert.equal(await part.Body?.transformToString(), 'wor');
  assert.equal(part.ContentRange, 'bytes 6-8/11');
  const tail = await s3.send(new S3.GetObjectCommand({ Bucket, Key, Range: 'bytes=-3' }));
  assert.equal(await tail.Body?.transformToString(), 'rld');
  const head = await s3.send(new S3.HeadObjectCommand({ Bucket, Key }));
  assert.equal(head.ContentLength, 11);
  await assert.rejects(
    s3.send(new S3.PutObjectCommand({ Bucket, Key, Body: 'other', IfNoneMatch: '*' })),
    named('PreconditionFailed', 412),
  );
  assert.equal(aws.s3.get(Bucket, Key)?.toString(), 'hello world');
  const CopySource = `${Bucket}/${encodeURIComponent(Key)}`;
  await s3.send(new S3.CopyObjectCommand({ Bucket, Key: 'kept/1', CopySource }));
  await s3.send(new S3.DeleteObjectCommand({ Bucket, Key }));
  await s3.send(new S3.DeleteObjectCommand({ Bucket, Key }));
  assert.deepEqual(aws.s3.keys(Bucket), ['kept/1']);
  await assert.rejects(s3.send(new S3.GetObjectCommand({ Bucket, Key })), named('NoSuchKey', 404));
  await assert.rejects(s3.send(new S3.HeadObjectCommand({ Bucket, Key })), named('NotFound', 404));
  await assert.rejects(s3.send(new S3.GetObjectCommand({ Bucket: 'gone', Key })), named('NoSuchBucket', 404));
  await s3.send(new S3.DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'kept/1' }] } }));
  assert.deepEqual(aws.s3.keys(Bucket), []);
});

test('S3 takes 45 MB, as a buffer and as a stream with a checksum behind it', async (t) => {
  const { aws, s3 } = await start(t);
  const Bucket = 'mail';
  aws.s3.createBucket(Bucket);
  const Body = Buffer.alloc(45 * 1024 * 1024, 'postern ');
  await s3.send(new S3.PutObjectCommand({ Bucket, Key: 'buffer', Body }));
  const halves = [Body.subarray(0, 20_000_000), Body.subarray(20_000_000)];
  await s3.send(
    new S3.PutObjectCommand({
      Bucket,
      Key: 'stream',
      Body: Readable.from(halves),
      ContentLength: Body.length,
    }),
  );
  for (const Key of ['buffer', 'stream']) {
    const got = await s3.send(new S3.GetObjectCommand({ Bucket, Key }));
    assert.ok(Body.equals(await buffer(got.Body as Readable)), Key);
  }
});

test('S3 lists by prefix, from a key on, page by page', async (t) => {
  const { aws, s3 } = await start(t);
  const Bucket = 'mail';
  for (const name of ['b', 'a', 'ä', 'c', 'd<&>']) aws.s3.put(Bucket, `new/${name}`, name);
  aws.s3.put(Bucket, 'old/x', '');
  const seen: (string | undefined)[] = [];
  let ContinuationToken: string | undefined;
  do {
    const input = { Bucket, Prefix: 'new/', MaxKeys: 2, ContinuationToken };
    const page = await s3.send(new S3.ListObjectsV2Command(input));
    seen.push(...(page.Contents ?? []).map(({ Key }) => Key));
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  assert.deepEqual(seen, ['new/a', 'new/b', 'new/c', 'new/d<&>', 'new/ä']);
  const rest = await s3.send(new S3.ListObjectsV2Command({ Bucket, Prefix: 'new/', StartAfter: 'new/b' }));
  assert.deepEqual(
    rest.Contents?.map(({ Key }) => Key),
    ['new/c', 'new/d<&>', 'new/ä'],
  );
  assert.equal(rest.IsTruncated, false);
  const groups = await s3.send(new S3.ListObjectsV2Command({ Bucket, Delimiter: '/' }));
  assert.deepEqual(
    groups.CommonPrefixes?.map(({ Prefix }) => Prefix),
    ['new/', 'old/'],
  );
});

test('a wrong secret, an unknown key, an old date and an expired token are refused by every service', async (t) => {
  const { aws } = await start(t, { clockSkewMs: 2000 }, false);
  aws.s3.createBucket('mail');
  const ask = async (credentials: object, systemClockOffset = 0): Promise<string[]> => {
    const config = {
      ...aws.settings,
      credentials: { ...aws.settings.credentials, ...credentials },
      maxAttempts: 1,
      systemClockOffset,
    };
    const clients = [
      new S3.S3Client({ ...config, forcePathStyle: true }).send(
        new S3.ListObjectsV2Command({ Bucket: 'mail' }),
      ),
      new SQS.SQSClient(config).send(new SQS.ListQueuesCommand({})),
      new SNS.SNSClient(config).send(new SNS.ListTopicsCommand({})),
    ];
    const results = await Promise.allSettled(clients);
    return results.map((result) =>
      result.status === 'fulfilled' ? 'fine' : String((result.reason as Error).name),
    );
  };
  assert.deepEqual(await ask({}), ['fine', 'fine', 'fine']);
  const wrong = ['SignatureDoesNotMatch', 'InvalidSignatureException', 'SignatureDoesNotMatch'];
  assert.deepEqual(await ask({ secretAccessKey: 'wrong' }), wrong);
  assert.deepEqual(await ask({ accessKeyId: 'AKIAUNKNOWN' }), [
    'InvalidAccessKeyId',
    'UnrecognizedClientException',
    'InvalidClientTokenId',
  ]);
  const skewed = ['RequestTimeTooSkewed', 'InvalidSignatureException', 'SignatureDoesNotMatch'];
  assert.deepEqual(await ask({}, -3_600_000), skewed);
  const issued = aws.sts.issue();
  assert.deepEqual(await ask(issued), ['fine', 'fine', 'fine']);
  assert.equal((await ask({ ...issued, sessionToken: 'other' }))[0], 'InvalidToken');
  aws.sts.expire(issued.accessKeyId);
  assert.deepEqual(await ask(issued), ['ExpiredToken', 'ExpiredTokenException', 'ExpiredToken']);
  assert.equal(aws.refusals.length, 15);
  const unsigned = await fetch(`${aws.endpoint}/mail/key`, { method: 'PUT', body: 'x' });
  assert.equal(unsigned.status, 403);
  assert.equal(aws.s3.keys('mail').length, 0);
  assert.deepEqual(aws.violations, []);
});

test('malformed requests are answered and remembered', async (t) => {
  const { aws, sqs, s3 } = await start(t, {}, false);
  const { QueueUrl } = await sqs.send(new SQS.CreateQueueCommand({ QueueName: 'q' }));
  await assert.rejects(sqs.send(new SQS.ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 11 })));
  await assert.rejects(s3.send(new S3.GetBucketAclCommand({ Bucket: 'mail' })));
  assert.deepEqual(
    aws.violations.map(({ service, operation }) => `${service} ${operation}`),
    ['sqs ReceiveMessage', 's3 Unknown'],
  );
});

test('SQS hides what it hands out, shows it again, deletes it, and sends what keeps failing to its dead letters', async (t) => {
  const { aws, sqs } = await start(t, { timeFactor: 0.01 });
  const dead = aws.sqs.createQueue('dead');
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 2 });
  const created = await sqs.send(
    new SQS.CreateQueueCommand({ QueueName: 'mail', Attributes: { RedrivePolicy } }),
  );
  const QueueUrl = created.QueueUrl;
  assert.equal((await sqs.send(new SQS.GetQueueUrlCommand({ QueueName: 'mail' }))).QueueUrl, QueueUrl);
  await sqs.send(new SQS.SendMessageCommand({ QueueUrl, MessageBody: 'one ü' }));
  const receive = (WaitTimeSeconds = 20) =>
    sqs.send(
      new SQS.ReceiveMessageCommand({
        QueueUrl,
        WaitTimeSeconds,
        VisibilityTimeout: 30,
        MaxNumberOfMessages: 10,
        MessageSystemAttributeNames: ['SentTimestamp', 'ApproximateReceiveCount'],
      }),
    );
  const first = (await receive()).Messages?.[0];
  assert.equal(first?.Body, 'one ü');
  assert.equal(first?.Attributes?.['ApproximateReceiveCount'], '1');
  assert.ok(Math.abs(Number(first?.Attributes?.['SentTimestamp']) - Date.now()) < 60_000);
  assert.equal((await receive(0)).Messages, undefined);
  const depth = await sqs.send(new SQS.GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
  assert.equal(depth.Attributes?.['ApproximateNumberOfMessages'], '0');
  assert.equal(depth.Attributes?.['ApproximateNumberOfMessagesNotVisible'], '1');
  // 30 s are 0.3 s here, a long poll of 20 s is 0.2 s: the second one sees it again.
  let again: SQS.Message | undefined;
  while (again === undefined) again = (await receive()).Messages?.[0];
  assert.equal(again.Attributes?.['ApproximateReceiveCount'], '2');
  const handle = { QueueUrl, ReceiptHandle: again.ReceiptHandle };
  await sqs.send(new SQS.ChangeMessageVisibilityCommand({ ...handle, VisibilityTimeout: 0 }));
  assert.equal((await receive(0)).Messages, undefined);
  assert.deepEqual(
    aws.sqs.messages('dead').map(({ body }) => body),
    ['one ü'],
  );
  const waiting = receive();
  aws.sqs.send('mail', 'two');
  const two = (await waiting).Messages?.[0];
  assert.equal(two?.Body, 'two');
  await sqs.send(new SQS.DeleteMessageCommand({ QueueUrl, ReceiptHandle: two?.ReceiptHandle }));
  assert.deepEqual(aws.sqs.messages('mail'), []);
  const Entries = [1, 2].map((n) => ({ Id: `e${n}`, MessageBody: `batch ${n}` }));
  await sqs.send(new SQS.SendMessageBatchCommand({ QueueUrl, Entries }));
  const both = (await receive()).Messages ?? [];
  const removed = await sqs.send(
    new SQS.DeleteMessageBatchCommand({
      QueueUrl,
      Entries: both.map(({ ReceiptHandle }, index) => ({ Id: `d${index}`, ReceiptHandle })),
    }),
  );
  assert.equal(removed.Successful?.length, 2);
  const missing = new SQS.GetQueueUrlCommand({ QueueName: 'nowhere' });
  await assert.rejects(sqs.send(missing), (error) => error instanceof SQS.QueueDoesNotExist);
});

test('SNS reaches a queue only if its policy says so', async (t) => {
  const { aws, sns, sqs } = await start(t);
  const { TopicArn } = await sns.send(new SNS.CreateTopicCommand({ Name: 'mail' }));
  const open = aws.sqs.createQueue('open', { allowTopic: TopicArn ?? '' });
  const shut = aws.sqs.createQueue('shut');
  for (const { arn } of [open, shut]) {
    await sns.send(new SNS.SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: arn }));
  }
  await sns.send(new SNS.PublishCommand({ TopicArn, Message: 'hello "you"', Subject: 'S' }));
  await aws.idle();
  assert.equal(aws.sqs.messages('shut').length, 0);
  assert.match(aws.sns.lost[0]?.reason ?? '', /policy/);
  const got = await sqs.send(new SQS.ReceiveMessageCommand({ QueueUrl: open.url, WaitTimeSeconds: 1 }));
  const envelope = JSON.parse(got.Messages?.[0]?.Body ?? '{}') as SnsEnvelope;
  assert.equal(envelope.Message, 'hello "you"');
  assert.ok(signed(aws, envelope));
  const raw = aws.sqs.createQueue('raw', { allowTopic: '*' });
  aws.sns.subscribe(TopicArn ?? '', 'sqs', raw.arn, { raw: true });
  aws.sns.publish(TopicArn ?? '', 'bare');
  await aws.idle();
  assert.equal(aws.sqs.messages('raw')[0]?.body, 'bare');
});

function signed(aws: AwsEmulator, envelope: SnsEnvelope): boolean {
  const algorithm = envelope.SignatureVersion === '2' ? 'sha256' : 'sha1';
  const signature = Buffer.from(envelope.Signature, 'base64');
  return verify(algorithm, Buffer.from(stringToSign(envelope)), aws.sns.certificatePem, signature);
}

interface Post {
  readonly headers: IncomingHttpHeaders;
  readonly envelope: SnsEnvelope;
}

/** An endpoint that asks for a password, answers each authorized POST with the next status, and keeps what came. */
async function endpoint(t: TestContext, statuses: number[]) {
  const { cert, key } = createSelfSigned({
    commonName: 'localhost',
    names: ['localhost'],
    notBefore: Date.now() - 86_400_000,
    notAfter: Date.now() + 86_400_000,
  });
  const posts: Post[] = [];
  const unauthorized: IncomingHttpHeaders[] = [];
  const server = createTlsServer({ cert, key }, (request, response) => {
    void buffer(request).then((body) => {
      if (request.headers.authorization === undefined) {
        unauthorized.push(request.headers);
        response.writeHead(401, { 'www-authenticate': 'Basic realm="sns"' }).end();
        return;
      }
      posts.push({ headers: request.headers, envelope: JSON.parse(body.toString()) as SnsEnvelope });
      response.writeHead(statuses.shift() ?? 200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `https://us%40er:p%3Ass@localhost:${port}/sns`, cert, posts, unauthorized };
}

for (const version of ['1', '2'] as const) {
  test(`SNS over HTTPS: confirmation, signature version ${version}, credentials when asked, retries, end`, async (t) => {
    const peer = await endpoint(t, [200, 500, 503, 200]);
    const { aws, sns } = await start(t, { timeFactor: 0.0001, deliveryCa: peer.cert });
    const TopicArn = aws.sns.createTopic('mail', { signatureVersion: version });
    const subscribed = await sns.send(
      new SNS.SubscribeCommand({ TopicArn, Protocol: 'https', Endpoint: peer.url }),
    );
    assert.equal(subscribed.SubscriptionArn, 'pending confirmation');
    await aws.idle();
    const confirmation = peer.posts[0];
    assert.equal(confirmation?.headers['x-amz-sns-message-type'], 'SubscriptionConfirmation');
    assert.equal(
      confirmation?.headers.authorization,
      `Basic ${Buffer.from('us@er:p:ss').toString('base64')}`,
    );
    assert.equal(peer.unauthorized.length, 1);
    assert.ok(signed(aws, confirmation.envelope));
    assert.match(
      confirmation.envelope.SubscribeURL ?? '',
      /^https:\/\/sns\.eu-west-1\.amazonaws\.com\/\?Action=ConfirmSubscription/,
    );
    await sns.send(new SNS.PublishCommand({ TopicArn, Message: 'too early' }));
    await aws.idle();
    assert.equal(peer.posts.length, 1);
    assert.equal((await aws.fetch(confirmation.envelope.SubscribeURL ?? '')).status, 200);
    await sns.send(new SNS.PublishCommand({ TopicArn, Message: 'mail!' }));
    await aws.idle();
    assert.deepEqual(
      aws.sns.deliveries.map(({ status }) => status),
      [200, 500, 503, 200],
    );
    const last = peer.posts.at(-1);
    assert.equal(last?.envelope.Message, 'mail!');
    assert.equal(last?.envelope.SignatureVersion, version);
    assert.ok(signed(aws, last.envelope));
    assert.ok(!signed(aws, { ...last.envelope, Message: 'other' }));
    const certificate = await aws.fetch(last.envelope.SigningCertURL);
    assert.equal(await certificate.text(), aws.sns.certificatePem);
    const list = await sns.send(new SNS.ListSubscriptionsByTopicCommand({ TopicArn }));
    const SubscriptionArn = list.Subscriptions?.[0]?.SubscriptionArn;
    assert.equal(list.Subscriptions?.[0]?.Endpoint, peer.url.replace('p%3Ass', '****'));
    const facts = await sns.send(new SNS.GetTopicAttributesCommand({ TopicArn }));
    assert.equal(facts.Attributes?.['SubscriptionsConfirmed'], '1');
    await sns.send(new SNS.UnsubscribeCommand({ SubscriptionArn }));
    await aws.idle();
    assert.equal(peer.posts.at(-1)?.envelope.Type, 'UnsubscribeConfirmation');
  });
}

test('SNS gives up by its policy and then uses the dead-letter queue; 4xx are not tried again', async (t) => {
  const peer = await endpoint(t, [500, 500, 500, 404]);
  const { aws } = await start(t, { timeFactor: 0.0001 });
  const topic = aws.sns.createTopic('mail');
  const dead = aws.sqs.createQueue('dead', { allowTopic: topic });
  aws.sns.subscribe(topic, 'https', peer.url, {
    confirmed: true,
    deadLetterArn: dead.arn,
    deliveryPolicy: {
      healthyRetryPolicy: {
        numRetries: 2,
        minDelayTarget: 60,
        maxDelayTarget: 3540,
        numMinDelayRetries: 1,
        numMaxDelayRetries: 1,
      },
    },
  });
  aws.sns.publish(topic, 'one');
  await aws.idle();
  assert.equal(aws.sns.deliveries.length, 3);
  aws.sns.tamper = (envelope) => ({ ...envelope, Message: 'forged' });
  aws.sns.publish(topic, 'two');
  await aws.idle();
  assert.equal(aws.sns.deliveries.length, 4);
  const bodies = aws.sqs.messages('dead').map(({ body }) => JSON.parse(body) as SnsEnvelope);
  assert.deepEqual(
    bodies.map(({ Message }) => Message),
    ['one', 'forged'],
  );
  assert.deepEqual(
    bodies.map((each) => signed(aws, each)),
    [true, false],
  );
  assert.deepEqual(aws.sns.lost, []);
});

test('at least once: SQS hands out twice, SNS delivers twice, when told to', async (t) => {
  const { aws, sqs } = await start(t);
  const topic = aws.sns.createTopic('mail');
  const { arn, url: QueueUrl } = aws.sqs.createQueue('mail', { allowTopic: topic });
  aws.sns.subscribe(topic, 'sqs', arn, { raw: true });
  aws.sqs.duplicates = 1;
  aws.sns.duplicates = 1;
  aws.sns.publish(topic, 'mail');
  await aws.idle();
  assert.equal(aws.sqs.messages('mail').length, 2);
  const bodies: (string | undefined)[] = [];
  for (;;) {
    const { Messages } = await sqs.send(new SQS.ReceiveMessageCommand({ QueueUrl }));
    if (Messages === undefined) break;
    bodies.push(...Messages.map(({ Body }) => Body));
  }
  assert.deepEqual(bodies, ['mail', 'mail', 'mail', 'mail']);
});

test('links of messages may point at the emulator itself', async (t) => {
  const peer = await endpoint(t, []);
  const { aws } = await start(t, { localUrls: true });
  const arn = aws.sns.subscribe(aws.sns.createTopic('mail'), 'https', peer.url);
  await aws.idle();
  const { SubscribeURL = '', SigningCertURL = '' } = peer.posts[0]?.envelope ?? {};
  assert.equal(await (await fetch(SigningCertURL)).text(), aws.sns.certificatePem);
  assert.equal(aws.sns.subscription(arn).confirmed, false);
  assert.match(await (await fetch(SubscribeURL)).text(), /<SubscriptionArn>arn:aws:sns:/);
  assert.equal(aws.sns.subscription(arn).confirmed, true);
  await assert.rejects(aws.fetch('https://sns.example.com/SimpleNotificationService-0.pem'), TypeError);
});

test('faults strike where they are planned', async (t) => {
  const { aws, s3, sqs } = await start(t);
  const Bucket = 'mail';
  for (const key of ['a', 'b']) aws.s3.put(Bucket, key, `content of ${key}`.repeat(1000));
  const get = async (Key: string) => {
    const { Body } = await s3.send(new S3.GetObjectCommand({ Bucket, Key }));
    return (await buffer(Body as Readable)).length;
  };
  const busy = {
    kind: 'status',
    status: 503,
    code: 'SlowDown',
    message: 'Please reduce your request rate.',
  } as const;
  const handle = aws.fault({ service: 's3', operation: 'GetObject', key: 'a', skip: 1 }, busy);
  assert.equal(await get('a'), 12_000);
  await assert.rejects(get('a'), named('SlowDown', 503));
  assert.equal(await get('a'), 12_000);
  assert.equal(handle.hits, 1);
  aws.fault({ service: 's3', operation: 'GetObject' }, { kind: 'cut', when: 'mid-body' });
  await assert.rejects(get('b'));
  aws.fault({ service: 's3', operation: 'DeleteObject' }, { kind: 'cut', when: 'before-answer' });
  await assert.rejects(s3.send(new S3.DeleteObjectCommand({ Bucket, Key: 'a' })));
  assert.deepEqual(aws.s3.keys(Bucket), ['a', 'b']);
  aws.fault({ service: 's3', operation: 'DeleteObject' }, { kind: 'cut', when: 'after-effect' });
  await assert.rejects(s3.send(new S3.DeleteObjectCommand({ Bucket, Key: 'a' })));
  assert.deepEqual(aws.s3.keys(Bucket), ['b']);
  aws.fault({ service: 's3' }, { kind: 'drop' });
  await assert.rejects(get('b'));
  assert.deepEqual(
    aws.calls.slice(-3).map(({ operation, status }) => [operation, status]),
    [
      ['DeleteObject', 0],
      ['DeleteObject', 0],
      ['GetObject', 0],
    ],
  );
  aws.sqs.createQueue('q');
  const seen: string[] = [];
  const stop = aws.on('call', ({ operation, phase }) => void seen.push(`${operation} ${phase}`));
  const QueueUrl = aws.sqs.queue('q').url;
  aws.fault({ service: 'sqs', key: 'q' }, { kind: 'slow', ms: 20 });
  await sqs.send(new SQS.SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
  stop();
  aws.fault({ service: 'sqs' }, { kind: 'slow', ms: Infinity });
  const never = sqs.send(new SQS.SendMessageCommand({ QueueUrl, MessageBody: 'y' }), {
    abortSignal: AbortSignal.timeout(50),
  });
  await assert.rejects(never, named('AbortError'));
  assert.equal(aws.sqs.messages('q').length, 1);
  assert.deepEqual(seen, ['SendMessage begin', 'SendMessage done', 'SendMessage answered']);
});

test('answers have the shape of another emulator of the same services', async (t) => {
  const other = await startFauxqs({ port: 0, logger: false });
  const { aws } = await start(t);
  const theirs = {
    region: 'eu-west-1',
    endpoint: other.address,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  };
  t.after(() => other.stop());
  const [ours, reference] = [await shapes({ ...theirs, ...aws.settings }), await shapes(theirs)];
  for (const [operation, members] of Object.entries(reference)) {
    const missing = members.filter((member) => !ours[operation]?.includes(member));
    assert.deepEqual(missing, [], operation);
  }
});

/** Members of each answer, over the SDK. */
async function shapes(settings: AwsEmulator['settings']): Promise<Record<string, string[]>> {
  const { s3, sqs, sns } = sdk(settings);
  const found: Record<string, string[]> = {};
  const note = (name: string, answer: object): void => {
    found[name] = Object.entries(answer).flatMap(([key, value]) =>
      key === '$metadata' || value === undefined ? [] : [key],
    );
  };
  const Bucket = 'shapes';
  await s3.send(new S3.CreateBucketCommand({ Bucket }));
  const Key = 'new/1';
  note('PutObject', await s3.send(new S3.PutObjectCommand({ Bucket, Key, Body: 'x' })));
  note('HeadObject', await s3.send(new S3.HeadObjectCommand({ Bucket, Key })));
  note('GetObject', await s3.send(new S3.GetObjectCommand({ Bucket, Key })));
  const list = await s3.send(new S3.ListObjectsV2Command({ Bucket, Prefix: 'new/' }));
  note('ListObjectsV2', list);
  note('ListObjectsV2 Contents', list.Contents?.[0] ?? {});
  note(
    'CopyObject',
    await s3.send(new S3.CopyObjectCommand({ Bucket, Key: 'c', CopySource: `${Bucket}/${Key}` })),
  );
  note('DeleteObject', await s3.send(new S3.DeleteObjectCommand({ Bucket, Key })));
  const { QueueUrl } = await sqs.send(new SQS.CreateQueueCommand({ QueueName: 'shapes' }));
  const MessageAttributes = { kind: { DataType: 'String', StringValue: 'v' } };
  note(
    'SendMessage',
    await sqs.send(new SQS.SendMessageCommand({ QueueUrl, MessageBody: 'x', MessageAttributes })),
  );
  const all = { AttributeNames: ['All' as const], MessageAttributeNames: ['All'] };
  const received = await sqs.send(new SQS.ReceiveMessageCommand({ QueueUrl, ...all }));
  note('ReceiveMessage', received.Messages?.[0] ?? {});
  const queue = await sqs.send(new SQS.GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
  note('GetQueueAttributes', queue.Attributes ?? {});
  const { TopicArn } = await sns.send(new SNS.CreateTopicCommand({ Name: 'shapes' }));
  const Endpoint = queue.Attributes?.['QueueArn'];
  note('Subscribe', await sns.send(new SNS.SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint })));
  note('Publish', await sns.send(new SNS.PublishCommand({ TopicArn, Message: 'x' })));
  const subscriptions = await sns.send(new SNS.ListSubscriptionsByTopicCommand({ TopicArn }));
  note('ListSubscriptionsByTopic', subscriptions.Subscriptions?.[0] ?? {});
  const gone = await sqs
    .send(new SQS.GetQueueUrlCommand({ QueueName: 'gone' }))
    .catch((error: unknown) => error);
  note('no queue', { [gone instanceof Error ? gone.name : 'none']: true });
  for (const client of [s3, sqs, sns]) client.destroy();
  return found;
}

test('a closed emulator comes back on its port', async () => {
  const first = await startAws();
  await first.close();
  const second = await startAws({ port: first.port });
  assert.equal(second.endpoint, first.endpoint);
  await second.close();
});
