import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { SnsEnvelope } from '../support/aws/types.ts';
import { type IntakeWorld, openWorld, until } from './support.ts';

const LOGIN = 'sns:a secret';
const ALICE = 'alice@example.test';

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Record<string, unknown>;
}

interface Ask {
  readonly method?: string;
  readonly path?: string;
  readonly login?: string | undefined;
  readonly body?: string | Buffer | undefined;
  readonly chunked?: boolean;
}

describe('notices by HTTPS', () => {
  let world: IntakeWorld;
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-sns-'));
    const file = join(directory, 'login');
    await writeFile(file, `${LOGIN}\n`);
    world = await openWorld({
      queue: false,
      source: { basic_auth_file: file },
      server: { config: { listen: { sns: ['127.0.0.1:0'] } } },
    });
  });
  after(async () => {
    await world.close();
    await rm(directory, { recursive: true });
  });

  function ask({ method = 'POST', path = '/', login = LOGIN, body, chunked = false }: Ask): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers = {
        ...(login !== '' && { Authorization: `Basic ${Buffer.from(login).toString('base64')}` }),
        ...(body !== undefined && !chunked && { 'Content-Length': Buffer.byteLength(body) }),
      };
      const options = {
        host: '127.0.0.1',
        port: world.server.ports.sns,
        method,
        path,
        headers,
        rejectUnauthorized: false,
      };
      const asked = httpsRequest(options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece) => (text += piece));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }),
        );
        response.on('error', reject);
      });
      asked.on('error', reject);
      asked.end(body);
    });
  }

  function envelope(
    message: string,
    change: Partial<SnsEnvelope> = {},
    version: '1' | '2' = '1',
  ): SnsEnvelope {
    const type = (change.Type ?? 'Notification') as 'Notification';
    return world.aws.sns.envelope(world.topic, message, { type, version, change });
  }

  async function told(subject: string): Promise<string> {
    const received = world.mail({ subject, notify: false });
    return received.notification;
  }

  it('answers as the endpoints of today do, every path, plain texts, challenge before anything', async () => {
    const without = await ask({ login: '', method: 'GET', path: '/any/path' });
    assert.equal(without.status, 401);
    assert.equal(without.body, '401 Unauthorized\n');
    assert.equal(without.headers['www-authenticate'], 'Basic realm="sns"');
    assert.equal((await ask({ login: 'sns:wrong', method: 'POST', body: '{}' })).status, 401);
    assert.equal((await ask({ method: 'GET' })).body, '200 OK\n');
    assert.deepEqual(await ask({ method: 'HEAD' }).then(({ status, body }) => [status, body]), [200, '']);
    assert.equal((await ask({ method: 'PUT', body: 'x' })).status, 405);
    assert.equal((await ask({ body: 'no json' })).body, '400 Bad Request\n');
  });

  it('SNS subscribes, notifies (versions 1 and 2), and mail comes in, each once', async () => {
    const endpoint = `https://${LOGIN.replace(' ', '%20')}@127.0.0.1:${world.server.ports.sns}/mail`;
    const subscription = world.aws.sns.subscribe(world.topic, 'https', endpoint);
    await until(() => world.aws.sns.subscription(subscription).confirmed);
    world.mail({ subject: 'by https' });
    await world.settled();
    assert.ok((await world.subjects(ALICE)).includes('by https'));
    world.aws.sns.unsubscribe(subscription);
    await world.aws.idle();
    const message = await told('twice told');
    for (const version of ['1', '2', '2'] as const) {
      const answer = await ask({ body: JSON.stringify(envelope(message, {}, version)) });
      assert.equal(answer.body, '200 OK\n', version);
    }
    assert.equal((await world.subjects(ALICE)).filter((each) => each === 'twice told').length, 1);
    assert.equal(world.aws.s3.keys('mail-of-example').length, 0);
  });

  it('a wrong signature, certificate host, topic or time is refused, and nothing is fetched', async () => {
    const message = await told('never');
    const right = envelope(message);
    const calls = world.aws.calls.length;
    const cases: [string, SnsEnvelope][] = [
      ['changed message', { ...right, Message: `${message} ` }],
      ['no signature', { ...right, Signature: '' }],
      ['another version', { ...right, SignatureVersion: '3' }],
      [
        'another host',
        { ...right, SigningCertURL: 'https://sns.eu-west-1.amazonaws.com.evil.example/x.pem' },
      ],
      ['another region', { ...right, SigningCertURL: 'https://sns.us-east-1.amazonaws.com/x.pem' }],
      ['no TLS', { ...right, SigningCertURL: right.SigningCertURL.replace('https:', 'http:') }],
      ['a port', { ...right, SigningCertURL: right.SigningCertURL.replace('.com/', '.com:8443/') }],
      ['a user', { ...right, SigningCertURL: right.SigningCertURL.replace('https://', 'https://a@') }],
      ['another topic', envelope(message, { TopicArn: `${world.topic}-2` })],
      ['old', envelope(message, { Timestamp: new Date(Date.now() - 3 * 3_600_000).toISOString() })],
      ['of tomorrow', envelope(message, { Timestamp: new Date(Date.now() + 3_600_000).toISOString() })],
    ];
    for (const [what, each] of cases) {
      const { status } = await ask({ body: JSON.stringify(each) });
      assert.equal(status, 403, what);
    }
    assert.equal(world.aws.calls.length, calls, 'nothing was asked of anybody');
    assert.ok(!(await world.subjects(ALICE)).includes('never'));
    assert.equal((await ask({ body: JSON.stringify(right) })).status, 200);
    assert.ok((await world.subjects(ALICE)).includes('never'));
  });

  it('SubscribeURL of any other host, or for anything else, is not visited', async () => {
    const calls = world.aws.calls.length;
    const { region } = world.aws;
    const urls = [
      'http://169.254.169.254/latest/meta-data/',
      'http://127.0.0.1:25/',
      `https://sns.${region}.amazonaws.com@127.0.0.1/?Action=ConfirmSubscription&TopicArn=${world.topic}&Token=x`,
      `https://sns.${region}.amazonaws.com.evil.example/?Action=ConfirmSubscription&TopicArn=${world.topic}&Token=x`,
      `https://sns.us-east-2.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${world.topic}&Token=x`,
      `https://sns.${region}.amazonaws.com/?Action=DeleteTopic&TopicArn=${world.topic}`,
      `https://sns.${region}.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${world.topic}-other&Token=x`,
      'file:///etc/passwd',
    ];
    for (const url of urls) {
      const more = { Type: 'SubscriptionConfirmation', Token: 'x', SubscribeURL: url };
      const { status } = await ask({ body: JSON.stringify(envelope('subscribe', more)) });
      assert.equal(status, 403, url);
    }
    assert.equal(world.aws.calls.length, calls, 'nothing was asked of anybody');
  });

  it('a body beyond the limit is not read, with a length or without; a slow client holds nobody up', async () => {
    const large = Buffer.alloc(1024 * 1024, 0x61);
    assert.equal((await ask({ body: large }).catch(() => ({ status: 413 }))).status, 413);
    assert.equal((await ask({ body: large, chunked: true }).catch(() => ({ status: 413 }))).status, 413);
    // One that connects and says nothing, beside others.
    const silent = connect({ host: '127.0.0.1', port: world.server.ports.sns ?? 0 });
    silent.on('error', () => undefined);
    assert.equal((await ask({ method: 'GET' })).status, 200);
    silent.destroy();
  });

  it('what cannot be understood is kept, counted, and not tried again', async () => {
    for (const message of ['{"notificationType":"Bounce"}', 'hello', 'hello']) {
      assert.equal((await ask({ body: JSON.stringify(envelope(message)) })).status, 200);
    }
    const { problems } = await world.server.store.read.run('intake.problems', { limit: 10 });
    const bodies = problems.map(({ body, count }) => [body, count]);
    assert.deepEqual(
      bodies.toSorted((a, b) => String(a[0]).localeCompare(String(b[0]))),
      [
        ['hello', 2],
        ['{"notificationType":"Bounce"}', 1],
      ].toSorted((a, b) => String(a[0]).localeCompare(String(b[0]))),
    );
    const elsewhere = (await told('kept')).replaceAll('mail-of-example', 'somebody-elses');
    assert.equal((await ask({ body: JSON.stringify(envelope(elsewhere)) })).status, 200);
    const more = await world.server.store.read.run('intake.problems', { limit: 1 });
    assert.match(more.problems[0]?.reason ?? '', /names the bucket somebody-elses/);
  });

  it('trouble is told as such, so that SNS comes again; then it is taken', async () => {
    const message = await told('in trouble');
    const fault = world.aws.fault(
      { service: 's3', operation: 'GetObject' },
      { kind: 'status', status: 403, code: 'AccessDenied' },
      1,
    );
    const first = await ask({ body: JSON.stringify(envelope(message)) });
    assert.equal(first.body, '503 Service Unavailable\n');
    assert.equal(fault.hits, 1);
    assert.equal((await ask({ body: JSON.stringify(envelope(message)) })).status, 503, 'not before its time');
    const key = String(JSON.parse(message).receipt.action.objectKey);
    assert.equal((await world.server.intake.takeIn('main', { key, by: 'admin' })).outcome, 'taken');
    assert.equal((await ask({ body: JSON.stringify(envelope(message)) })).status, 200);
    assert.equal((await world.subjects(ALICE)).filter((each) => each === 'in trouble').length, 1);
  });

  it('the port that serves other things takes it too, under whatever name', async () => {
    const message = await told('by http');
    const body = JSON.stringify(envelope(message));
    const status = await new Promise((resolve, reject) => {
      const asked = httpRequest(
        {
          host: '127.0.0.1',
          port: world.server.ports.http,
          method: 'POST',
          path: '/hooks/sns',
          auth: LOGIN,
          headers: { Host: 'mail.example.test', 'Content-Length': Buffer.byteLength(body) },
        },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      asked.on('error', reject);
      asked.end(body);
    });
    assert.equal(status, 200);
    assert.ok((await world.subjects(ALICE)).includes('by http'));
  });
});
