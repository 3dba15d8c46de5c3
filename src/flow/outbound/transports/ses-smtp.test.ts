import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { startAws } from '../../../../test/support/aws/emulator.ts';
import type { AwsEmulator } from '../../../../test/support/aws/types.ts';
import { type FlowFixture, lines, openFlow } from '../../../../test/support/flow.ts';
import { type SmtpPeer, type SmtpPeerOptions, startSmtpPeer } from '../../../../test/support/smtp-peer.ts';
import type { QueueMessage, QueueRecipient } from '../../../data/queue/types.ts';
import { createAws } from '../../../net/aws/client.ts';
import { sesSmtpPassword } from '../../../net/aws/ses-smtp-password.ts';
import type { AwsSettings } from '../../../net/aws/types.ts';
import { createSelfSigned } from '../../../net/tls-self-signed.ts';
import { type SesSmtpSettings, transportSchema } from '../routing/settings.ts';
import type { MessageContent, Outcome, Transport } from '../transport.ts';
import { createSesSmtp } from './ses-smtp.ts';

const CERTIFICATE = createSelfSigned({
  commonName: 'localhost',
  names: ['localhost'],
  notBefore: Date.UTC(2020, 0, 1),
  notAfter: Date.UTC(2049, 0, 1),
});
const REMOTE_ID = '0102018f0a1b2c3d-9c1f1d2e-0000-4444-8888-abcdefabcdef-000000';
const TEXT = lines('From: Alice <alice@example.test>', 'To: you@far.test', 'Subject: hi', '', 'Hello');
const go = new AbortController().signal;

let aws: AwsEmulator;
let flow: FlowFixture;
let directory: string;
let peer: SmtpPeer | undefined;
let transport: Transport | undefined;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pst-ses-'));
  await writeFile(join(directory, 'ca.pem'), CERTIFICATE.cert);
});
after(() => rm(directory, { recursive: true }));
beforeEach(async () => {
  aws = await startAws({ ses: { identities: ['example.test'] } });
  flow = await openFlow();
});
afterEach(async () => {
  await transport?.close();
  await peer?.close();
  await flow.close();
  await aws.close();
  peer = transport = undefined;
});

/** A peer that speaks as SES's endpoint does, and the transport to it. */
async function open(
  options: SmtpPeerOptions = {},
  more: Partial<SesSmtpSettings> = {},
  client: Partial<AwsSettings> = {},
): Promise<Transport> {
  peer = await startSmtpPeer({
    tls: CERTIFICATE,
    capabilities: ['8BITMIME', 'AUTH PLAIN LOGIN', 'SIZE 41943040'],
    ...options,
    script: {
      AUTH: () => '235 Authentication successful.',
      BODY: () => `250 Ok ${REMOTE_ID}`,
      ...options.script,
    },
  });
  const settings = transportSchema.parse({
    kind: 'ses-smtp',
    region: 'eu-west-1',
    host: 'localhost',
    port: peer.port,
    ca_file: join(directory, 'ca.pem'),
    ...more,
  }) as SesSmtpSettings;
  const made = createAws({ ...aws.settings, ...client }, { clock: flow.clock });
  transport = createSesSmtp(() => flow.deps, 'amazon', settings, { aws: made });
  return transport;
}

function work(recipients: readonly string[], more: Partial<QueueMessage> = {}) {
  const message = {
    id: 1,
    queueId: 'q',
    trace: 't',
    reversePath: 'alice@example.test',
    requireTls: false,
    body: '8BITMIME',
    smtputf8: false,
    originated: true,
    ...more,
  } as QueueMessage;
  return {
    message,
    destination: 'far.test',
    recipients: recipients.map((address, id) => ({ id, address, notify: '' }) as QueueRecipient),
  };
}

function content(text: string): MessageContent {
  const octets = Buffer.from(text);
  return {
    size: octets.length,
    async *open() {
      yield octets;
    },
  };
}

async function one(ses: Transport, more: Partial<QueueMessage> = {}, text = TEXT): Promise<Outcome> {
  const told = (await ses.attempt(work(['x@far.test'], more), content(text), go)).get(0);
  assert.ok(told);
  return told;
}

describe('mail by SES’s SMTP endpoint', () => {
  it('logs in with the password derived from the key, over TLS, and keeps SES’s id', async () => {
    const ses = await open();
    const told = await one(ses);
    assert.deepEqual(told, {
      outcome: 'delivered',
      reply: `250 Ok ${REMOTE_ID}`,
      host: told.host,
      answered: true,
      success: 'relayed',
      tls: 'TLSv1.3 verified',
      remoteId: REMOTE_ID,
    });
    const password = sesSmtpPassword(aws.secretAccessKey, 'eu-west-1');
    const initial = Buffer.from(`\0${aws.accessKeyId}\0${password}`).toString('base64');
    assert.ok(peer?.commands.includes(`AUTH PLAIN ${initial}`));
    assert.equal(peer?.transactions[0]?.tls, true);
    assert.equal(peer?.transactions[0]?.data.toString(), TEXT);
    assert.equal(peer?.transactions[0]?.from, 'alice@example.test');
  });

  it('or with those of a file, TLS from the first octet', async () => {
    const file = join(directory, 'smtp');
    await writeFile(file, 'AKIAUSER:pass:word\n');
    const ses = await open(
      { tls: { ...CERTIFICATE, implicit: true } },
      { smtp_credentials_file: file, tls: 'implicit' },
    );
    assert.equal((await one(ses)).outcome, 'delivered');
    const initial = Buffer.from('\0AKIAUSER\0pass:word').toString('base64');
    assert.ok(peer?.commands.includes(`AUTH PLAIN ${initial}`));
    // Such a password tells nothing of the account: nobody is asked.
    assert.equal(aws.calls.length, 0);
  });

  it('configuration set, tags and ARNs travel as fields of ours; those of users do not', async () => {
    const arn = 'arn:aws:ses:eu-west-1:210987654321:identity/example.test';
    const ses = await open({}, { configuration_set: 'main', tags: { site: 'one' }, source_arn: arn });
    const evil = TEXT.replace('Subject', 'X-SES-CONFIGURATION-SET: evil\r\nBcc: z@y.test\r\nSubject');
    await ses.attempt(work(['x@far.test']), content(evil), go, { tag: 'attempt-1' });
    assert.equal(
      peer?.transactions[0]?.data.toString(),
      lines(
        'X-SES-CONFIGURATION-SET: main',
        'X-SES-MESSAGE-TAGS: site=one, postern-attempt=attempt-1',
        `X-SES-SOURCE-ARN: ${arn}`,
        `X-SES-FROM-ARN: ${arn}`,
        `X-SES-RETURN-PATH-ARN: ${arn}`,
      ) + TEXT,
    );
  });

  it('the null reverse-path becomes an address of ours', async () => {
    const ses = await open();
    assert.equal((await one(ses, { reversePath: '' })).outcome, 'delivered');
    assert.match(peer?.transactions[0]?.from ?? '', /^SRST=.*=0@example\.test$/);
  });

  it('fifty recipients a transaction', async () => {
    const ses = await open();
    const all = Array.from({ length: 60 }, (_, i) => `r${i}@far.test`);
    const found = await ses.attempt(work(all), content(TEXT), go);
    assert.ok([...found.values()].every(({ outcome }) => outcome === 'delivered'));
    assert.deepEqual(
      peer?.transactions.map(({ to }) => to.length),
      [50, 10],
    );
  });

  it('a foreign author is told before a try, by the identities of the account', async () => {
    const ses = await open();
    const told = await one(ses, {}, TEXT.replace('alice@example.test', 'joe@shop.test'));
    assert.ok(told.outcome === 'failed');
    assert.equal(told.cause, 'sender');
    assert.match(told.reply, /does not send for joe@shop\.test/);
    assert.equal(peer?.connections(), 0);
  });
});

describe('what SES says by SMTP', () => {
  const cases: readonly [reply: string, cause: string, outcome: string, words: RegExp][] = [
    ['454 Throttling failure: Maximum sending rate exceeded.', 'rate', 'deferred', /more slowly/],
    ['454 Throttling failure: Daily message quota exceeded.', 'quota', 'deferred', /24 hours/],
    ['451 Temporary service failure', 'network', 'deferred', /trouble of its own/],
    ['552 Message is too long.', 'size', 'failed', /too large/],
    [
      '554 Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: alice@example.test',
      'sender',
      'failed',
      /verify the domain example\.test/,
    ],
    [
      '554 Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: x@far.test',
      'sender',
      'failed',
      /sandbox.*production access/,
    ],
    [
      "554 Access denied: User `arn:aws:iam::1:user/x' is not authorized to perform `ses:SendRawEmail' on resource",
      'auth',
      'deferred',
      /IAM policy/,
    ],
    [
      '554 Transaction failed: Configuration set does not exist: main',
      'ours',
      'deferred',
      /configuration set/,
    ],
    ["554 Transaction failed: Duplicate header 'Date'.", 'message', 'failed', /Duplicate/],
    ['554 Message rejected: Sending paused for this account.', 'auth', 'deferred', /Account dashboard/],
  ];
  for (const [reply, cause, outcome, words] of cases) {
    it(reply.slice(0, 80), async () => {
      const told = await one(await open({ script: { BODY: () => reply } }));
      assert.equal(told.cause, cause);
      assert.equal(told.outcome, outcome);
      assert.match(told.reply, words);
      assert.equal(told.pauseMs !== undefined, cause === 'rate' || cause === 'quota');
    });
  }

  it('a login that fails, at once or for good, defers with the remedy and never the password', async () => {
    for (const reply of ['535 Authentication Credentials Invalid', '454 Temporary authentication failure']) {
      const told = await one(await open({ script: { AUTH: () => reply } }));
      assert.ok(told.outcome === 'deferred');
      assert.equal(told.cause, 'auth');
      assert.match(told.reply, new RegExp(`login at SES in eu-west-1 failed: ${reply}`));
      assert.ok(!told.reply.includes(sesSmtpPassword(aws.secretAccessKey, 'eu-west-1')));
      await transport?.close();
      await peer?.close();
    }
  });

  it('in the sandbox those who are verified get their mail', async () => {
    const said =
      '554 Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: x@far.test';
    let times = 0;
    const ses = await open({ script: { BODY: () => (times++ === 0 ? said : `250 Ok ${REMOTE_ID}`) } });
    const found = await ses.attempt(work(['x@far.test', 'friend@far.test']), content(TEXT), go);
    assert.equal(found.get(0)?.outcome, 'failed');
    assert.equal(found.get(1)?.outcome, 'delivered');
    assert.deepEqual(
      peer?.transactions.map(({ to }) => to),
      [['x@far.test', 'friend@far.test'], ['friend@far.test']],
    );
  });

  it('an answer that never came is unsure', async () => {
    const told = await one(await open({ script: { BODY: { do: 'close' } } }));
    assert.ok(told.outcome === 'deferred');
    assert.equal(told.lostReply, true);
  });

  it('temporary keys make no password, and the way to send all the same is told', async () => {
    aws.sts.createRole('short');
    const { accessKeyId, secretAccessKey, sessionToken } = aws.sts.issue({ roleName: 'short' });
    const ses = await open({}, {}, { credentials: { accessKeyId, secretAccessKey, sessionToken } });
    const told = await one(ses);
    assert.ok(told.outcome === 'deferred');
    assert.equal(told.cause, 'auth');
    assert.match(told.reply, /temporary.*"ses-api"/);
  });

  it('a certificate of somebody else, and files that are missing, keep the mail', async () => {
    const wrong = await open({}, { ca_file: undefined });
    assert.equal((await one(wrong)).cause, 'tls');
    await transport?.close();
    await peer?.close();
    const gone = await open({}, { ca_file: join(directory, 'none.pem') });
    const told = await one(gone);
    assert.ok(told.outcome === 'deferred');
    assert.match(told.reply, /none\.pem/);
  });
});
