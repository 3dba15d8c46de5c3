import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import * as SES1 from '@aws-sdk/client-ses';
import * as SES2 from '@aws-sdk/client-sesv2';
import * as STS from '@aws-sdk/client-sts';
import {
  fromHttp,
  fromInstanceMetadata,
  fromTemporaryCredentials,
  fromTokenFile,
} from '@aws-sdk/credential-providers';
import { startAws } from './emulator.ts';
import type { AwsOptions, SesInbound } from './types.ts';

async function start(t: TestContext, options: AwsOptions = {}) {
  const aws = await startAws({ ...options, ses: { identities: ['example.org'], ...options.ses } });
  const config = { ...aws.settings, maxAttempts: 1 };
  const clients = {
    v1: new SES1.SESClient(config),
    v2: new SES2.SESv2Client(config),
    sts: new STS.STSClient(config),
  };
  t.after(async () => {
    for (const client of Object.values(clients)) client.destroy();
    await aws.close();
    assert.deepEqual([...aws.violations, ...aws.refusals], []);
  });
  const send = (version: 1 | 2, recipients: string[], message = MESSAGE, from = 'alice@example.org') =>
    version === 2
      ? clients.v2.send(sendV2(recipients, message, from))
      : clients.v1.send(sendV1(recipients, message, from));
  return { aws, ...clients, send };
}

const MESSAGE = Buffer.from(
  [
    'Return-Path: <alice@example.org>',
    'From: "Liddell, Alice" <alice@example.org>',
    'To: bob@example.net, success@simulator.amazonses.com',
    'Bcc: hidden@example.net',
    'Subject: A long subject',
    ' that is folded',
    'Date: Mon, 5 Jan 2026 10:00:00 +0000',
    'Message-ID: <mine@example.org>',
    '',
    'Hello\r\n.\r\n8bit: é',
    '',
  ].join('\r\n'),
  'latin1',
);

function sendV2(
  ToAddresses: string[],
  Data: Buffer,
  FromEmailAddress: string,
  more: Partial<SES2.SendEmailCommandInput> = {},
) {
  const input = { FromEmailAddress, Destination: { ToAddresses }, Content: { Raw: { Data } }, ...more };
  return new SES2.SendEmailCommand(input);
}

function sendV1(
  Destinations: string[],
  Data: Buffer,
  Source: string,
  more: Partial<SES1.SendRawEmailCommandInput> = {},
) {
  return new SES1.SendRawEmailCommand({ Source, Destinations, RawMessage: { Data }, ...more });
}

const refused =
  (name: string, text: RegExp, status = 400) =>
  (error: Error & { $metadata?: { httpStatusCode?: number } }) => {
    assert.equal(error.name, name, error.message);
    assert.match(error.message, text);
    assert.equal(error.$metadata?.httpStatusCode, status);
    return true;
  };

test('both versions send the octets as given, and recipients get SES’s Message-ID and Date', async (t) => {
  const { aws, v1, v2 } = await start(t);
  aws.ses.createConfigurationSet('mine');
  const first = await v2.send(
    sendV2(['bob@example.net'], MESSAGE, 'alice@example.org', {
      Destination: { ToAddresses: ['bob@example.net'], BccAddresses: ['hidden@example.net'] },
      ConfigurationSetName: 'mine',
      EmailTags: [{ Name: 'queue', Value: 'q-1' }],
    }),
  );
  const second = await v1.send(
    sendV1(['bob@example.net'], MESSAGE, 'alice@example.org', {
      ConfigurationSetName: 'mine',
      Tags: [{ Name: 'queue', Value: 'q-2' }],
    }),
  );
  assert.deepEqual(
    aws.ses.sent.map(({ messageId }) => messageId),
    [first.MessageId, second.MessageId],
  );
  assert.match(first.MessageId ?? '', /^0102[0-9a-f]{12}-[0-9a-f]{8}-[0-9a-f-]{27}-000000$/);
  const [one, two] = aws.ses.sent;
  assert.ok(MESSAGE.equals(one?.raw ?? Buffer.alloc(0)) && MESSAGE.equals(two?.raw ?? Buffer.alloc(0)));
  assert.deepEqual(one?.recipients, ['bob@example.net', 'hidden@example.net']);
  assert.deepEqual([one?.tags, two?.tags], [{ queue: 'q-1' }, { queue: 'q-2' }]);
  assert.equal(one?.configurationSet, 'mine');
  const delivered = one?.delivered.toString('latin1') ?? '';
  assert.match(delivered, new RegExp(`^Message-ID: <${first.MessageId}@eu-west-1.amazonses.com>\r$`, 'm'));
  assert.doesNotMatch(delivered, /^(Bcc|Return-Path):|mine@example\.org|10:00:00/m);
  assert.ok(delivered.endsWith('8bit: é\r\n'));
  assert.match(delivered, /^Subject: A long subject\r\n that is folded\r\n/m);
});

for (const version of [1, 2] as const) {
  test(`what SES v${version} refuses`, async (t) => {
    const { aws, v1, v2, send } = await start(t);
    const bob = ['bob@example.net'];
    const bad = version === 1 ? 'InvalidParameterValue' : 'BadRequestException';
    const region =
      /^Email address is not verified\. The following identities failed the check in region EU-WEST-1: mallory@example\.com$/;
    await assert.rejects(
      send(version, bob, MESSAGE, 'mallory@example.com'),
      refused('MessageRejected', region),
    );
    const forged = Buffer.from(
      MESSAGE.toString('latin1').replace('<alice@example.org>\r\nTo', '<mallory@example.com>\r\nTo'),
    );
    await assert.rejects(send(version, bob, forged), refused('MessageRejected', region));
    await send(version, bob, MESSAGE, 'bounces@sub.example.org');
    const many = Array.from({ length: 51 }, (_, index) => `r${index}@example.net`);
    await assert.rejects(send(version, many), refused(bad, /exceeds 50/));
    await send(version, many.slice(1));
    const limit = (version === 1 ? 10 : 40) * 1024 * 1024;
    const large = Buffer.concat([
      MESSAGE,
      Buffer.alloc(limit - MESSAGE.length + 1, 'a line of some text\r\n'),
    ]);
    await assert.rejects(send(version, bob, large), refused(bad, new RegExp(`more than ${limit} bytes`)));
    await send(version, bob, large.subarray(0, limit));
    const set = { ConfigurationSetName: 'none' };
    if (version === 1) {
      const unknown = v1.send(sendV1(bob, MESSAGE, 'alice@example.org', set));
      await assert.rejects(
        unknown,
        refused('ConfigurationSetDoesNotExistException', /<none> does not exist/),
      );
    } else {
      const unknown = v2.send(sendV2(bob, MESSAGE, 'alice@example.org', set));
      await assert.rejects(unknown, refused('NotFoundException', /<none> does not exist/, 404));
    }
    aws.ses.sendingEnabled = false;
    const paused = version === 1 ? 'AccountSendingPausedException' : 'SendingPausedException';
    await assert.rejects(send(version, bob), refused(paused, /disabled/));
    aws.ses.sendingEnabled = true;
    aws.ses.production = false;
    await assert.rejects(send(version, bob), refused('MessageRejected', /not verified.*bob@example\.net/));
    await send(version, ['success@simulator.amazonses.com']);
    aws.ses.verify('bob@example.net');
    await send(version, bob);
    const throttled =
      version === 1 ? (['Throttling', 400] as const) : (['TooManyRequestsException', 429] as const);
    aws.ses.maxSendRate = 1;
    await send(version, bob);
    await assert.rejects(
      send(version, bob),
      refused(throttled[0], /Maximum sending rate exceeded\./, throttled[1]),
    );
    aws.ses.maxSendRate = Infinity;
    aws.ses.max24HourSend = aws.ses.sentLast24Hours;
    await assert.rejects(
      send(version, bob),
      refused(throttled[0], /Daily message quota exceeded\./, throttled[1]),
    );
    assert.equal(
      aws.ses.sentLast24Hours,
      aws.ses.sent.reduce((sum, { recipients }) => sum + recipients.length, 0),
    );
  });
}

test('identities of another account are used by their ARN', async (t) => {
  const { aws, v1, v2 } = await start(t);
  const theirs = Buffer.from(MESSAGE.toString('latin1').replaceAll('alice@example.org', 'carol@example.com'));
  const arn = 'arn:aws:ses:eu-west-1:210987654321:identity/example.com';
  const to = ['bob@example.net'];
  await v2.send(
    sendV2(to, theirs, 'carol@example.com', {
      FromEmailAddressIdentityArn: arn,
      FeedbackForwardingEmailAddressIdentityArn: arn,
    }),
  );
  await v1.send(
    sendV1(to, theirs, 'carol@example.com', { SourceArn: arn, FromArn: arn, ReturnPathArn: arn }),
  );
  assert.deepEqual(
    aws.ses.sent.map(({ sourceArn, fromArn, returnPathArn }) => [sourceArn, fromArn, returnPathArn]),
    [
      [arn, arn, arn],
      [arn, arn, arn],
    ],
  );
  const ours = 'arn:aws:ses:eu-west-1:123456789012:identity/example.com';
  const unverified = v1.send(sendV1(to, theirs, 'carol@example.com', { SourceArn: ours }));
  await assert.rejects(unverified, refused('MessageRejected', /not verified/));
});

test('account, identities and receipt rules as both versions tell them', async (t) => {
  const { aws, v1, v2 } = await start(t, { ses: { maxSendRate: 14, sentLast24Hours: 7, production: false } });
  aws.ses.verify('dave@example.com');
  aws.ses.unverify('pending.example');
  aws.ses.createReceiptRule({
    name: 'MailToS3',
    recipients: ['example.org'],
    bucket: 'mail',
    prefix: 'new/',
    scan: false,
  });
  const account = await v2.send(new SES2.GetAccountCommand({}));
  assert.deepEqual(account.SendQuota, { Max24HourSend: 50_000, MaxSendRate: 14, SentLast24Hours: 7 });
  assert.equal(account.ProductionAccessEnabled, false);
  const quota = await v1.send(new SES1.GetSendQuotaCommand({}));
  assert.deepEqual([quota.Max24HourSend, quota.MaxSendRate, quota.SentLast24Hours], [50_000, 14, 7]);
  assert.equal((await v1.send(new SES1.GetAccountSendingEnabledCommand({}))).Enabled, true);
  const { EmailIdentities: list } = await v2.send(new SES2.ListEmailIdentitiesCommand({}));
  assert.deepEqual(
    list?.map(({ IdentityName, IdentityType, VerificationStatus }) => [
      IdentityName,
      IdentityType,
      VerificationStatus,
    ]),
    [
      ['example.org', 'DOMAIN', 'SUCCESS'],
      ['dave@example.com', 'EMAIL_ADDRESS', 'SUCCESS'],
      ['pending.example', 'DOMAIN', 'PENDING'],
    ],
  );
  const page = await v2.send(new SES2.ListEmailIdentitiesCommand({ PageSize: 2 }));
  const rest = await v2.send(new SES2.ListEmailIdentitiesCommand({ PageSize: 2, NextToken: page.NextToken }));
  assert.equal(rest.EmailIdentities?.[0]?.IdentityName, 'pending.example');
  const dave = await v2.send(new SES2.GetEmailIdentityCommand({ EmailIdentity: 'dave@example.com' }));
  assert.equal(dave.VerifiedForSendingStatus, true);
  const none = v2.send(new SES2.GetEmailIdentityCommand({ EmailIdentity: 'none.example' }));
  await assert.rejects(none, refused('NotFoundException', /none\.example/, 404));
  const { Identities = [] } = await v1.send(new SES1.ListIdentitiesCommand({}));
  const { VerificationAttributes } = await v1.send(
    new SES1.GetIdentityVerificationAttributesCommand({ Identities }),
  );
  assert.equal(VerificationAttributes?.['example.org']?.VerificationStatus, 'Success');
  assert.equal(VerificationAttributes?.['pending.example']?.VerificationStatus, 'Pending');
  const rules = await v1.send(new SES1.DescribeActiveReceiptRuleSetCommand({}));
  assert.equal(rules.Metadata?.Name, 'default-rule-set');
  assert.equal(rules.Rules?.[0]?.ScanEnabled, false);
  assert.deepEqual(rules.Rules?.[0]?.Recipients, ['example.org']);
  assert.equal(rules.Rules?.[0]?.Actions?.[0]?.S3Action?.ObjectKeyPrefix, 'new/');
});

interface Event {
  readonly eventType: string;
  readonly mail: {
    messageId: string;
    source: string;
    destination: string[];
    tags: Record<string, string[]>;
    headers: { name: string; value: string }[];
  };
  readonly bounce?: {
    bounceType: string;
    bouncedRecipients: { emailAddress: string; diagnosticCode: string }[];
  };
  readonly complaint?: { complainedRecipients: { emailAddress: string }[] };
}

test('events of a configuration set reach its topic and its queue', async (t) => {
  const { aws, v2 } = await start(t);
  const topicArn = aws.sns.createTopic('events');
  const queue = aws.sqs.createQueue('events', { allowTopic: topicArn });
  aws.sns.subscribe(topicArn, 'sqs', queue.arn);
  aws.sqs.createQueue('bounces');
  aws.ses.createConfigurationSet('mine', [{ topicArn }, { queue: 'bounces', events: ['Bounce'] }]);
  aws.ses.suppressed.add('former@example.net');
  const to = ['success', 'bounce+1', 'complaint', 'suppressionlist'].map(
    (name) => `${name}@simulator.amazonses.com`,
  );
  const { MessageId } = await v2.send(
    sendV2([...to, 'former@example.net'], MESSAGE, 'alice@example.org', {
      ConfigurationSetName: 'mine',
      EmailTags: [{ Name: 'queue', Value: 'q-1' }],
    }),
  );
  await aws.idle();
  aws.ses.bounce(MessageId ?? '', {
    recipients: ['bob@example.net'],
    type: 'Transient',
    diagnosticCode: 'smtp; 452 4.2.2 full',
  });
  aws.ses.delay(MessageId ?? '');
  aws.ses.reject(MessageId ?? '');
  await aws.idle();
  const events = aws.sqs
    .messages('events')
    .map(({ body }) => JSON.parse((JSON.parse(body) as { Message: string }).Message) as Event);
  assert.deepEqual(
    events.map(({ eventType }) => eventType),
    [
      'Send',
      'Delivery',
      'Bounce',
      'Delivery',
      'Complaint',
      'Bounce',
      'Bounce',
      'Bounce',
      'DeliveryDelay',
      'Reject',
    ],
  );
  const bounced = events.find(({ bounce }) => bounce !== undefined);
  assert.equal(bounced?.mail.messageId, MessageId);
  assert.equal(bounced?.mail.source, 'alice@example.org');
  assert.equal(bounced?.mail.destination.length, 5);
  assert.deepEqual(bounced?.mail.tags['queue'], ['q-1']);
  assert.ok(
    bounced?.mail.headers.some(({ name, value }) => name === 'Message-ID' && value === '<mine@example.org>'),
  );
  assert.equal(bounced?.bounce?.bounceType, 'Permanent');
  assert.match(bounced?.bounce?.bouncedRecipients[0]?.diagnosticCode ?? '', /^smtp; 550 5\.1\.1/);
  const complained = events.find(({ complaint }) => complaint !== undefined);
  assert.deepEqual(complained?.complaint?.complainedRecipients, [{ emailAddress: to[2] }]);
  assert.equal(aws.sqs.messages('bounces').length, 4);
});

test('a message comes in: object, header fields and notification', async (t) => {
  const { aws } = await start(t);
  const topicArn = aws.sns.createTopic('mail');
  const queue = aws.sqs.createQueue('mail', { allowTopic: topicArn });
  aws.sns.subscribe(topicArn, 'sqs', queue.arn, { raw: true });
  aws.ses.createReceiptRule({
    name: 'MailToS3',
    recipients: ['example.org', '.example.org'],
    bucket: 'mail',
    prefix: 'new/',
    topicArn,
  });
  aws.ses.setupNotification();
  const inbound: SesInbound = {
    raw: MESSAGE,
    recipients: ['bob@example.org', 'carol@sub.example.org', 'eve@example.com'],
    clientAddress: '203.0.113.7',
    clientName: 'out.example.net',
    helo: 'helo.example.net',
    mailFrom: 'sender@example.net',
    spamVerdict: 'FAIL',
    dmarcVerdict: 'FAIL',
    dmarcPolicy: 'quarantine',
  };
  const got = aws.ses.receive(inbound);
  await aws.idle();
  assert.equal(got.key, `new/${got.messageId}`);
  assert.match(got.messageId, /^[a-z0-9]{40}$/);
  const object = aws.s3.get('mail', got.key);
  assert.ok(object?.equals(got.object));
  assert.ok(object?.subarray(-MESSAGE.length).equals(MESSAGE));
  const header = got.object.subarray(0, -MESSAGE.length).toString('latin1');
  const day = String.raw`\w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000 \(UTC\)`;
  const received = `Received: from helo.example.net (out.example.net [203.0.113.7])\r\n by inbound-smtp.eu-west-1.amazonaws.com with SMTP id ${got.messageId}\r\n for bob@example.org;\r\n `;
  assert.ok(header.startsWith(`Return-Path: <sender@example.net>\r\n${received}`));
  assert.match(header, new RegExp(day));
  assert.match(header, /^X-SES-Spam-Verdict: FAIL\r\nX-SES-Virus-Verdict: PASS\r$/m);
  assert.match(
    header,
    /^Received-SPF: pass .*client-ip=203\.0\.113\.7; envelope-from=sender@example\.net; helo=helo\.example\.net;\r$/m,
  );
  assert.match(header, /^Authentication-Results: amazonses\.com;\r\n spf=pass /m);
  const notice = JSON.parse(aws.sqs.messages('mail')[0]?.body ?? '{}') as {
    notificationType: string;
    receipt: { recipients: string[]; spamVerdict: object; dmarcPolicy: string; action: object };
    mail: {
      source: string;
      destination: string[];
      commonHeaders: { subject: string; from: string[] };
      headers: object[];
    };
  };
  assert.equal(notice.notificationType, 'Received');
  assert.deepEqual(notice.receipt.recipients, ['bob@example.org', 'carol@sub.example.org']);
  assert.deepEqual(notice.mail.destination, inbound.recipients);
  assert.deepEqual(notice.receipt.spamVerdict, { status: 'FAIL' });
  assert.equal(notice.receipt.dmarcPolicy, 'quarantine');
  assert.deepEqual(notice.receipt.action, {
    type: 'S3',
    topicArn,
    bucketName: 'mail',
    objectKeyPrefix: 'new/',
    objectKey: got.key,
  });
  assert.equal(notice.mail.commonHeaders.subject, 'A long subject that is folded');
  assert.deepEqual(notice.mail.commonHeaders.from, ['"Liddell, Alice" <alice@example.org>']);
  assert.throws(() => aws.ses.receive({ raw: MESSAGE, recipients: ['x@example.com'] }), /550 5\.1\.1/);
  aws.ses.receive({ ...inbound, notify: false, mailFrom: '' });
  aws.ses.receive({ ...inbound, store: false });
  await aws.idle();
  assert.equal(aws.s3.keys('mail').length, 3);
  assert.equal(aws.sqs.messages('mail').length, 2);
  assert.ok(aws.s3.keys('mail').includes('new/AMAZON_SES_SETUP_NOTIFICATION'));
});

test('the answer of a send that was done is lost, late, or a 503', async (t) => {
  const { aws, send } = await start(t);
  const bob = ['bob@example.net'];
  for (const version of [1, 2] as const) {
    aws.fault({ service: 'ses', key: 'bob@example.net' }, { kind: 'cut', when: 'after-effect' });
    await assert.rejects(send(version, bob), /socket hang up|ECONNRESET/);
    assert.equal(aws.ses.sent.length, version);
  }
  const down = { kind: 'status', status: 503, code: 'ServiceUnavailableException' } as const;
  aws.fault({ service: 'ses', operation: ['SendEmail', 'SendRawEmail'] }, down, 2);
  await assert.rejects(send(1, bob), refused('ServiceUnavailableException', /./, 503));
  await assert.rejects(send(2, bob), refused('ServiceUnavailableException', /./, 503));
  aws.fault({ service: 'ses', operation: 'SendRawEmail' }, { kind: 'drop' });
  await send(2, bob);
  await assert.rejects(send(1, bob));
  assert.equal(aws.ses.sent.length, 3);
  aws.ses.latencyMs = 30;
  const done = aws.next({ service: 'ses', key: 'carol@example.net' }, 'begin');
  const before = performance.now();
  await send(2, ['carol@example.net']);
  assert.ok(performance.now() - before >= 29);
  assert.equal((await done).operation, 'SendEmail');
  assert.deepEqual(
    aws.calls.map(({ version, status }) => [version, status]),
    [
      [1, 0],
      [2, 0],
      [1, 503],
      [2, 503],
      [2, 200],
      [1, 0],
      [2, 200],
    ],
  );
});

test('bounces and complaints as mail return the message under the id that SES gave it', async (t) => {
  const { aws, send } = await start(t);
  const { MessageId = '' } = await send(2, ['bob@example.net']);
  const bounce = aws.ses.bounceMail(MessageId).toString('latin1');
  assert.match(bounce, /^To: alice@example\.org\r$/m);
  assert.match(bounce, /^Content-Type: multipart\/report; report-type=delivery-status; boundary=/m);
  assert.match(bounce, /^Final-Recipient: rfc822;bob@example\.net\r\nAction: failed\r\nStatus: 5\.1\.1\r$/m);
  const complaint = aws.ses.complaintMail(MessageId).toString('latin1');
  assert.match(complaint, /^Feedback-Type: abuse\r$/m);
  for (const report of [bounce, complaint]) {
    assert.ok(report.includes(`Message-ID: <${MessageId}@eu-west-1.amazonses.com>\r\n`));
  }
});

test('as a process of its own it tells where it is and ends with its input', async (t) => {
  const options: AwsOptions = { keepRaw: false, ses: { identities: ['example.org'] } };
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), JSON.stringify(options)]);
  t.after(() => child.kill());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const settings = JSON.parse(String((await lines.next()).value)) as SES2.SESv2ClientConfig;
  const client = new SES2.SESv2Client(settings);
  await client.send(sendV2(['bob@example.net'], MESSAGE, 'alice@example.org'));
  client.destroy();
  child.stdin.end();
  const summary = JSON.parse(String((await lines.next()).value)) as object;
  assert.deepEqual(summary, { sent: 1, octets: MESSAGE.length, calls: 1, violations: [] });
});

test('roles: assumed with the external id, by web identity, from the metadata of a machine and of a container', async (t) => {
  const { aws, sts } = await start(t);
  const who = async (credentials: STS.STSClientConfig['credentials']) => {
    const client = new STS.STSClient({
      ...aws.settings,
      ...(credentials === undefined ? {} : { credentials }),
      maxAttempts: 1,
    });
    const { Arn } = await client.send(new STS.GetCallerIdentityCommand({}));
    client.destroy();
    return Arn;
  };
  assert.equal(await who(undefined), 'arn:aws:iam::123456789012:user/postern');
  const RoleArn = aws.sts.createRole('mailer', { externalId: 'secret-id' });
  const input = { RoleArn, RoleSessionName: 'test' };
  await assert.rejects(
    sts.send(new STS.AssumeRoleCommand(input)),
    refused('AccessDenied', /sts:AssumeRole/, 403),
  );
  const assumed = fromTemporaryCredentials({
    params: { ...input, ExternalId: 'secret-id' },
    masterCredentials: aws.settings.credentials,
    clientConfig: aws.settings,
  });
  assert.equal(await who(assumed), 'arn:aws:sts::123456789012:assumed-role/mailer/test');
  const dir = await mkdtemp(join(tmpdir(), 'postern-aws-'));
  t.after(() => rm(dir, { recursive: true }));
  const webIdentityTokenFile = join(dir, 'token');
  await writeFile(webIdentityTokenFile, 'web-token');
  const roleArn = aws.sts.createRole('pod', { webIdentityToken: 'web-token' });
  const web = fromTokenFile({
    webIdentityTokenFile,
    roleArn,
    roleSessionName: 'pod',
    clientConfig: { ...aws.settings, maxAttempts: 1 },
  });
  assert.equal(await who(web), 'arn:aws:sts::123456789012:assumed-role/pod/pod');
  aws.sts.instanceRole = 'machine';
  process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = aws.sts.imdsEndpoint;
  t.after(() => delete process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT']);
  assert.equal(
    await who(fromInstanceMetadata({ maxRetries: 0 })),
    'arn:aws:sts::123456789012:assumed-role/machine/test',
  );
  const container = fromHttp({
    awsContainerCredentialsFullUri: aws.sts.containerUrl,
    awsContainerAuthorizationToken: aws.sts.containerToken,
  });
  assert.equal(await who(container), 'arn:aws:sts::123456789012:assumed-role/machine/test');
});
