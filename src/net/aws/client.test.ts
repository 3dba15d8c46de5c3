import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createPlainServer } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { startAws } from '../../../test/support/aws/emulator.ts';
import type { AwsEmulator } from '../../../test/support/aws/types.ts';
import { systemClock } from '../../base/clock.ts';
import { createSelfSigned } from '../tls-self-signed.ts';
import { createAws } from './client.ts';
import { type Aws, AwsError, type AwsErrorKind, type AwsSettings, type SesMessage } from './types.ts';

let emulator: AwsEmulator;
let aws: Aws;
const MESSAGE: SesMessage = {
  from: 'news@example.org',
  recipients: ['x@far.test'],
  raw: Buffer.from('From: news@example.org\r\nTo: x@far.test\r\nSubject: hi\r\n\r\nHello\r\n'),
};

before(async () => {
  emulator = await startAws({ ses: { identities: ['example.org', 'solo@else.test'] } });
  aws = createAws(emulator.settings, { clock: systemClock, answerMs: 3000 });
});
after(async () => {
  aws.close();
  await emulator.close();
});
afterEach(() => {
  emulator.clearFaults();
  assert.deepEqual(emulator.violations.splice(0), []);
});

function failsAs(kind: AwsErrorKind, words: RegExp = /./) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof AwsError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, words);
    assert.doesNotMatch(error.message, /[\r\n]/);
    return true;
  };
}

describe('SES by its API', () => {
  for (const version of [1, 2] as const) {
    it(`version ${version}: a message arrives octet by octet, with all that goes with it`, async () => {
      emulator.ses.createConfigurationSet('main');
      // Every octet, so that base64 has every character, and no even length.
      const raw = Buffer.concat([MESSAGE.raw as Buffer, randomBytes(100_001)]);
      const { messageId } = await aws.ses(version).send({
        ...MESSAGE,
        raw,
        recipients: ['x@far.test', 'y@far.test'],
        configurationSet: 'main',
        tags: { campaign: 'a-b', 'postern-attempt': 'abc' },
      });
      const sent = emulator.ses.sent.find((each) => each.messageId === messageId);
      assert.ok(sent);
      assert.equal(sent.api, version);
      assert.equal(sent.from, 'news@example.org');
      assert.deepEqual(sent.recipients, ['x@far.test', 'y@far.test']);
      assert.deepEqual(sent.raw, raw);
      assert.equal(sent.configurationSet, 'main');
      assert.deepEqual({ ...sent.tags }, { campaign: 'a-b', 'postern-attempt': 'abc' });
    });

    it(`version ${version}: account and identities`, async () => {
      Object.assign(emulator.ses, { maxSendRate: 14, max24HourSend: 5000, sentLast24Hours: 7 });
      const account = await aws.ses(version).account();
      assert.deepEqual(
        { ...account, sentLast24Hours: 7 },
        {
          production: true,
          sendingEnabled: true,
          maxSendRate: 14,
          max24HourSend: 5000,
          sentLast24Hours: 7,
          enforcement: 'HEALTHY',
        },
      );
      emulator.ses.unverify('later.test');
      const found = await aws.ses(version).identities();
      assert.deepEqual(
        found.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
        [
          { name: 'example.org', kind: 'domain', verified: true },
          { name: 'later.test', kind: 'domain', verified: false },
          { name: 'solo@else.test', kind: 'address', verified: true },
        ],
      );
    });

    it(`version ${version}: a send is never repeated, whatever went wrong`, async () => {
      const match = { service: 'ses', operation: version === 1 ? 'SendRawEmail' : 'SendEmail' } as const;
      const tries = async (kind: AwsErrorKind): Promise<void> => {
        const [calls, sent] = [emulator.calls.length, emulator.ses.sent.length];
        await assert.rejects(aws.ses(version).send(MESSAGE), failsAs(kind));
        assert.equal(emulator.calls.length - calls, 1, kind);
        assert.ok(emulator.ses.sent.length - sent <= 1);
        emulator.clearFaults();
      };
      emulator.fault(match, { kind: 'status', status: 500, code: 'InternalFailure' }, Infinity);
      await tries('server');
      emulator.fault(match, { kind: 'status', status: 504, code: 'GatewayTimeout' }, Infinity);
      await tries('unsure');
      emulator.fault(match, { kind: 'status', status: 429, code: 'TooManyRequestsException' }, Infinity);
      await tries('throttled');
      emulator.fault(match, { kind: 'cut', when: 'before-answer' }, Infinity);
      await tries('unsure');
      emulator.fault(match, { kind: 'cut', when: 'after-effect' }, Infinity);
      await tries('unsure');
      emulator.fault(match, { kind: 'slow', ms: Infinity }, Infinity);
      const quick = createAws(emulator.settings, { clock: systemClock, answerMs: 100 });
      await assert.rejects(quick.ses(version).send(MESSAGE), failsAs('unsure', /no answer/));
      quick.close();
    });

    it(`version ${version}: an answer that says yes and breaks off behind it is a yes`, async () => {
      const operation = version === 1 ? 'SendRawEmail' : 'SendEmail';
      emulator.fault({ service: 'ses', operation }, { kind: 'cut', when: 'mid-body' });
      const earlier = emulator.ses.sent.length;
      assert.deepEqual(await aws.ses(version).send(MESSAGE), { messageId: '' });
      assert.equal(emulator.ses.sent.length - earlier, 1);
    });
  }

  it('a request that could not be written to its end never was one', async () => {
    emulator.fault({ service: 'ses' }, { kind: 'drop' });
    const raw = randomBytes(24 * 1024 * 1024);
    const earlier = emulator.ses.sent.length;
    await assert.rejects(aws.ses(2).send({ ...MESSAGE, raw }), failsAs('network'));
    assert.equal(emulator.ses.sent.length, earlier);
  });

  it('a message goes out piece by piece, read once to sign them and once to send them', async () => {
    const piece = randomBytes(64 * 1024);
    const pieces = 5 * 16;
    let opened = 0;
    const raw = {
      async *open() {
        opened++;
        yield MESSAGE.raw as Buffer;
        for (let i = 0; i < pieces; i++) yield piece;
      },
    };
    const { messageId } = await aws.ses(2).send({ ...MESSAGE, raw });
    const sent = emulator.ses.sent.find((each) => each.messageId === messageId);
    assert.equal(sent?.size, pieces * piece.length + (MESSAGE.raw as Buffer).length);
    assert.equal(opened, 2);
    assert.ok(sent.raw.subarray(-100).equals(piece.subarray(-100)));
  });

  it('what the source of a message throws goes through as it is, and nothing was sent', async () => {
    const calls = emulator.calls.length;
    const raw = {
      // oxlint-disable-next-line require-yield
      async *open(): AsyncGenerator<Buffer> {
        throw new RangeError('the disk is gone');
      },
    };
    await assert.rejects(aws.ses(2).send({ ...MESSAGE, raw }), RangeError);
    assert.equal(emulator.calls.length, calls);
  });

  it('closing lets a send that is under way come to its end', async () => {
    const made = createAws(emulator.settings, { clock: systemClock });
    emulator.fault({ service: 'ses', operation: 'SendEmail' }, { kind: 'slow', ms: 200 });
    const arrived = emulator.next({ service: 'ses', operation: 'SendEmail' }, 'begin');
    const sending = made.ses(2).send(MESSAGE);
    await arrived;
    made.close();
    assert.notEqual((await sending).messageId, '');
    made.close();
  });

  it('an answer that comes before the end of the request is the answer', async () => {
    const server = createPlainServer((_, response) => {
      response.writeHead(413, {
        'content-type': 'application/json',
        'x-amzn-errortype': 'RequestEntityTooLarge',
      });
      response.end('{"message":"Request entity too large"}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const bound = server.address();
    const endpoint = `http://127.0.0.1:${bound !== null && typeof bound === 'object' ? bound.port : 0}`;
    const made = createAws({ ...emulator.settings, endpoint }, { clock: systemClock });
    const raw = randomBytes(30 * 1024 * 1024);
    await assert.rejects(made.ses(2).send({ ...MESSAGE, raw }), failsAs('rejected', /too large/));
    made.close();
    // Nobody writes the rest: the connection is given up, or the server would wait here.
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  it('an endpoint whose certificate is not right is sent nothing', async () => {
    const pair = createSelfSigned({
      commonName: 'x',
      names: ['x'],
      notBefore: 0,
      notAfter: Date.UTC(2049, 0, 1),
    });
    let requests = 0;
    const server = createServer(pair, () => requests++);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const bound = server.address();
    const endpoint = `https://127.0.0.1:${bound !== null && typeof bound === 'object' ? bound.port : 0}`;
    const made = createAws({ ...emulator.settings, endpoint }, { clock: systemClock });
    await assert.rejects(made.ses(2).send(MESSAGE), failsAs('network', /certificate/));
    assert.equal(requests, 0);
    made.close();
    server.close();
  });

  it('refusals keep Amazon’s name and words', async () => {
    await assert.rejects(aws.ses(2).send({ ...MESSAGE, from: 'a@other.test' }), (error: unknown) => {
      assert.ok(error instanceof AwsError);
      assert.equal(error.kind, 'rejected');
      assert.equal(error.code, 'MessageRejected');
      assert.match(error.message, /not verified.*a@other\.test/);
      return true;
    });
    const config = { ...MESSAGE, configurationSet: 'nowhere' };
    await assert.rejects(aws.ses(2).send(config), failsAs('missing', /nowhere/));
    await assert.rejects(aws.ses(1).send(config), failsAs('missing', /nowhere/));
  });

  it('nobody there is "network", wrong keys are "auth"', async () => {
    const nobody = createAws(
      { ...emulator.settings, endpoint: 'http://127.0.0.1:1' },
      { clock: systemClock },
    );
    await assert.rejects(
      nobody.ses(2).send(MESSAGE),
      failsAs('network', /could not be reached.*ECONNREFUSED/),
    );
    const keys = { accessKeyId: 'AKIAWRONGWRONGWRONG0', secretAccessKey: 'x' };
    const wrong = createAws({ ...emulator.settings, credentials: keys }, { clock: systemClock });
    await assert.rejects(wrong.ses(2).send(MESSAGE), failsAs('auth'));
    await assert.rejects(wrong.caller(), failsAs('auth'));
    emulator.refusals.length = 0;
    wrong.close();
  });
});

async function read(): Promise<number> {
  let octets = 0;
  for await (const part of (await aws.objects.get('cut', 'k')).body) octets += part.length;
  return octets;
}

describe('S3', () => {
  it('an object streams, is listed in pages, and is gone when it was removed', async () => {
    emulator.s3.createBucket('mail');
    const body = randomBytes(3_000_000);
    emulator.s3.put('mail', 'new/a b+c', body);
    const found = await aws.objects.get('mail', 'new/a b+c');
    assert.equal(found.size, body.length);
    const parts: Buffer[] = [];
    for await (const part of found.body) parts.push(part);
    assert.ok(Buffer.concat(parts).equals(body));
    for (let i = 0; i < 1200; i++) emulator.s3.put('mail', `page/${String(i).padStart(4, '0')}`, 'x');
    const first = await aws.objects.list('mail', 'page/');
    assert.equal(first.objects.length, 1000);
    assert.equal(first.more, true);
    const second = await aws.objects.list('mail', 'page/', first.objects.at(-1)?.key);
    assert.deepEqual(
      [second.objects.length, second.more, second.objects[0]?.key, second.objects[0]?.size],
      [200, false, 'page/1000', 1],
    );
    await aws.objects.remove('mail', 'new/a b+c');
    await aws.objects.remove('mail', 'new/a b+c');
    await assert.rejects(aws.objects.get('mail', 'new/a b+c'), failsAs('missing'));
    await assert.rejects(aws.objects.list('nobucket', ''), failsAs('missing'));
  });

  it('a stream that breaks off says so, and 500 is asked again', async () => {
    emulator.s3.createBucket('cut');
    emulator.s3.put('cut', 'k', randomBytes(1_000_000));
    emulator.fault({ service: 's3', operation: 'GetObject' }, { kind: 'cut', when: 'mid-body' });
    await assert.rejects(read(), failsAs('network', /broke off|ended after/));
    emulator.fault({ service: 's3' }, { kind: 'status', status: 500, code: 'InternalError' });
    assert.equal(await read(), 1_000_000);
  });
});

describe('SQS', () => {
  it('notices are received, hidden, shown again, removed and counted', async () => {
    const { url } = emulator.sqs.createQueue('notices');
    assert.deepEqual(await aws.notices.receive(url, { waitSeconds: 0, hideSeconds: 60 }), []);
    emulator.sqs.send('notices', 'hällo');
    const [notice] = await aws.notices.receive(url, { waitSeconds: 1, hideSeconds: 60 });
    assert.ok(notice);
    assert.equal(notice.body, 'hällo');
    assert.equal(notice.receives, 1);
    assert.ok(Math.abs(notice.sentAt - Date.now()) < 60_000);
    assert.deepEqual(await aws.notices.depth(url), { waiting: 0, hidden: 1 });
    await aws.notices.hide(url, notice.receipt, 0);
    const [again] = await aws.notices.receive(url, { waitSeconds: 1, hideSeconds: 60 });
    assert.equal(again?.receives, 2);
    await aws.notices.remove(url, again?.receipt ?? '');
    assert.deepEqual(await aws.notices.depth(url), { waiting: 0, hidden: 0 });
    await assert.rejects(aws.notices.depth(`${url}-none`), failsAs('missing'));
  });

  it('a long poll ends when it is given up', async () => {
    const { url } = emulator.sqs.createQueue('quiet');
    const stop = new AbortController();
    const arrived = emulator.next({ service: 'sqs', operation: 'ReceiveMessage' }, 'begin');
    const waiting = aws.notices.receive(url, { waitSeconds: 20, hideSeconds: 1, signal: stop.signal });
    await arrived;
    stop.abort();
    await assert.rejects(waiting, AwsError);
  });
});

describe('credentials', () => {
  const names = [
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_SESSION_TOKEN',
    'AWS_PROFILE',
    'AWS_SHARED_CREDENTIALS_FILE',
    'AWS_CONFIG_FILE',
    'AWS_WEB_IDENTITY_TOKEN_FILE',
    'AWS_ROLE_ARN',
    'AWS_CONTAINER_CREDENTIALS_FULL_URI',
    'AWS_CONTAINER_AUTHORIZATION_TOKEN',
    'AWS_EC2_METADATA_SERVICE_ENDPOINT',
    'AWS_EC2_METADATA_DISABLED',
    'AWS_EC2_METADATA_V1_DISABLED',
  ];
  const kept = new Map(names.map((name) => [name, process.env[name]]));
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pst-aws-'));
  });
  after(async () => {
    for (const [name, value] of kept) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    await rm(directory, { recursive: true });
  });

  /** Who we are by what the environment has, and nothing else. */
  async function arn(env: Record<string, string>, more: Partial<AwsSettings> = {}): Promise<string> {
    for (const name of names) delete process.env[name];
    const none = join(directory, 'none');
    Object.assign(process.env, { AWS_SHARED_CREDENTIALS_FILE: none, AWS_CONFIG_FILE: none, ...env });
    const { region, endpoint } = emulator.settings;
    const made = createAws({ region, endpoint, ...more }, { clock: systemClock });
    try {
      const { account, arn: name } = await made.caller();
      assert.equal(account, emulator.accountId);
      return name;
    } finally {
      made.close();
    }
  }
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(directory, name), text);
    return join(directory, name);
  };

  it('from the environment, temporary ones too', async () => {
    const { accessKeyId, secretAccessKey } = emulator;
    const long = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    assert.match(await arn(long), /^arn:aws:iam::\d{12}:/);
    emulator.sts.createRole('short');
    const short = emulator.sts.issue({ roleName: 'short' });
    const env = {
      AWS_ACCESS_KEY_ID: short.accessKeyId,
      AWS_SECRET_ACCESS_KEY: short.secretAccessKey,
      AWS_SESSION_TOKEN: short.sessionToken,
    };
    assert.match(await arn(env), /assumed-role\/short/);
  });

  it('from a file with "key:secret", from a shared file and its profiles', async () => {
    const { accessKeyId: key, secretAccessKey: secret } = emulator;
    const ours = await file('ours', `${key}:${secret}\n`);
    assert.match(await arn({}, { credentials: { file: ours } }), /:iam:/);
    const shared = await file(
      'shared',
      `[default]\naws_access_key_id=AKIANONE\naws_secret_access_key=x\n[mail]\naws_access_key_id=${key}\naws_secret_access_key=${secret}\n`,
    );
    assert.match(await arn({ AWS_SHARED_CREDENTIALS_FILE: shared }, { profile: 'mail' }), /:iam:/);
    assert.match(await arn({ AWS_SHARED_CREDENTIALS_FILE: shared, AWS_PROFILE: 'mail' }), /:iam:/);
    emulator.refusals.length = 0;
  });

  it('from ECS, EC2 (IMDSv2) and a web identity', async () => {
    emulator.sts.createRole('machine');
    emulator.sts.instanceRole = 'machine';
    const ecs = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: emulator.sts.containerUrl,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: emulator.sts.containerToken,
    };
    assert.match(await arn(ecs), /assumed-role\/machine/);
    const ec2 = { AWS_EC2_METADATA_SERVICE_ENDPOINT: emulator.sts.imdsEndpoint };
    assert.match(await arn(ec2), /assumed-role\/machine/);
    assert.ok(emulator.calls.some(({ service }) => service === 'imds'));
    const token = 'eyJhbGciOiJub25lIn0.e30.x';
    const role = emulator.sts.createRole('web', { webIdentityToken: token });
    const web = { AWS_WEB_IDENTITY_TOKEN_FILE: await file('token', token), AWS_ROLE_ARN: role };
    assert.match(await arn(web), /assumed-role\/web/);
  });

  it('and a role assumed with them, with its external id', async () => {
    const roleArn = emulator.sts.createRole('far', { externalId: 'agreed' });
    const { credentials } = emulator.settings;
    assert.match(await arn({}, { credentials, roleArn, externalId: 'agreed' }), /assumed-role\/far\/postern/);
    await assert.rejects(
      arn({}, { credentials, roleArn, externalId: 'guess' }),
      failsAs('auth', /could not be assumed/),
    );
    emulator.refusals.length = 0;
  });

  it('none at all is told with the places to put them', async () => {
    const env = { AWS_EC2_METADATA_DISABLED: 'true' };
    await assert.rejects(arn(env), failsAs('auth', /no AWS credentials.*"key:secret"/));
    const missing = { file: join(directory, 'gone') };
    await assert.rejects(arn({}, { credentials: missing }), failsAs('auth', /no such file/));
    const bad = { file: await file('bad', 'no colon') };
    await assert.rejects(arn({}, { credentials: bad }), failsAs('auth', /"key:secret" in one line/));
  });
});

describe('the SDK', () => {
  it('is not loaded until it is needed, and prints nothing', () => {
    const client = new URL('./client.ts', import.meta.url).href;
    const clock = new URL('../../base/clock.ts', import.meta.url).href;
    const script = `
      import { registerHooks } from 'node:module';
      const seen = [];
      registerHooks({ load(url, context, next) { if (/aws-sdk|smithy/.test(url)) seen.push(url); return next(url, context); } });
      const { createAws } = await import(${JSON.stringify(client)});
      const { systemClock } = await import(${JSON.stringify(clock)});
      const aws = createAws(${JSON.stringify(emulator.settings)}, { clock: systemClock });
      aws.ses(2); aws.ses(1);
      if (seen.length > 0) throw new Error('loaded ' + seen[0]);
      try { await aws.ses(2).account(); } catch {}
      if (seen.length === 0) throw new Error('the hook sees nothing');
      aws.close();
    `;
    const settings = { endpoint: 'http://127.0.0.1:1' };
    const run = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', script.replace(emulator.endpoint, settings.endpoint)],
      {
        encoding: 'utf8',
        env: { ...process.env, AWS_PROFILE: 'x', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' },
        timeout: 20_000,
      },
    );
    assert.deepEqual([run.status, run.stdout, run.stderr], [0, '', '']);
  });
});
