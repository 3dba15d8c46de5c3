import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import { type Output, run } from '../../bench/support/processes.ts';
import { cleanEnvironment, skipWithout } from '../support/programs.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../support/server.ts';

/** swaks, as an administrator uses it to try a server: each way in, and what must be refused. */

/** Its exit status says which command was refused (swaks(1), EXIT CODES). */
const EXIT = { recipients: 24, auth: 28 } as const;

const env = cleanEnvironment(tmpdir());

function swaks(port: number | undefined, ...args: string[]): Promise<Output> {
  const common = [
    '--server',
    '127.0.0.1',
    '--port',
    String(port),
    '--from',
    'carol@remote.test',
    '--timeout',
    '10',
  ];
  return run('swaks', [...common, ...args], { env, allowFailure: true });
}

async function emailsOf(server: TestServer, address: string): Promise<number> {
  return (await server.account(address)).emails;
}

function took(output: Output, pattern: RegExp): void {
  assert.equal(output.code, 0, output.stdout + output.stderr);
  assert.match(output.stdout, pattern);
}

describe('swaks', { skip: skipWithout('swaks') }, () => {
  it('delivers in clear, with STARTTLS and pipelined', async () => {
    await using server = await startTestServer();
    const { smtp } = server.ports;
    took(await swaks(smtp, '--to', 'bob@example.test'), /<-  250 2\.\d\.\d /);
    took(await swaks(smtp, '--to', 'bob@example.test', '--tls'), /=== TLS started with cipher TLSv1\.3/);
    took(
      await swaks(smtp, '--to', 'bob@example.test', '--pipeline'),
      /^ -> RCPT TO:.*\n -> DATA\n<- {2}250/m,
    );
    took(await swaks(smtp, '--to', 'bob@example.test,alice@example.test', '--tls', '--pipeline'), /250/);
    assert.equal(await emailsOf(server, 'bob@example.test'), 4);
    assert.equal(await emailsOf(server, 'alice@example.test'), 1);
  });

  it('is refused relaying and unknown recipients, and the known one beside them gets its mail', async () => {
    await using server = await startTestServer();
    const { smtp } = server.ports;
    const relay = await swaks(smtp, '--to', 'dave@elsewhere.test');
    assert.equal(relay.code, EXIT.recipients);
    assert.match(relay.stdout, /<\*\* 550 5\.7\.1 /);
    const unknown = await swaks(smtp, '--to', 'nobody@example.test');
    assert.equal(unknown.code, EXIT.recipients);
    assert.match(unknown.stdout, /<\*\* 550 5\.1\.1 /);
    took(await swaks(smtp, '--to', 'nobody@example.test,bob@example.test'), /<\*\* 550 5\.1\.1 /);
    assert.equal(await emailsOf(server, 'bob@example.test'), 1);
  });

  it('delivers by LMTP, with an answer for each recipient', async () => {
    await using server = await startTestServer();
    const both = await swaks(
      server.ports.lmtp,
      '--protocol',
      'LMTP',
      '--to',
      'alice@example.test,bob@example.test',
    );
    took(both, /LHLO/);
    const [, afterData = ''] = both.stdout.split(/^ -> \.$/m);
    assert.equal(afterData.match(/^<- {2}250 2\./gm)?.length, 2, both.stdout);
    assert.equal(await emailsOf(server, 'alice@example.test'), 1);
    assert.equal(await emailsOf(server, 'bob@example.test'), 1);
  });

  it('logs in by PLAIN and LOGIN after STARTTLS and on a TLS port, and only there', async () => {
    await using server = await startTestServer();
    const { submission, submissions } = server.ports;
    const login = (method: string, password = TEST_PASSWORD): string[] => {
      const who = ['--auth-user', 'alice@example.test', '--auth-password', password];
      return [...who, '--auth', method, '--from', 'alice@example.test', '--to', 'bob@example.test'];
    };
    for (const method of ['PLAIN', 'LOGIN']) {
      took(await swaks(submission, '--tls', ...login(method)), /<~ {2}235 2\.7\.0/);
      took(await swaks(submissions, '--tls-on-connect', ...login(method)), /<~ {2}235 2\.7\.0/);
    }
    const clear = await swaks(submission, ...login('PLAIN'));
    assert.equal(clear.code, EXIT.auth, 'no login without TLS');
    const wrong = await swaks(submission, '--tls', ...login('PLAIN', 'wrong'));
    assert.equal(wrong.code, EXIT.auth);
    assert.match(wrong.stdout, /535 5\.7\.8/);
    assert.equal(await emailsOf(server, 'bob@example.test'), 4);
  });

  it('may send only as itself', async () => {
    await using server = await startTestServer();
    const who = ['--auth', 'PLAIN', '--auth-user', 'alice@example.test', '--auth-password', TEST_PASSWORD];
    const args = ['--tls-on-connect', ...who, '--from', 'bob@example.test', '--to', 'bob@example.test'];
    const output = await swaks(server.ports.submissions, ...args);
    assert.match(output.stdout, /553 5\.7\.1/);
    assert.notEqual(output.code, 0);
    assert.equal(await emailsOf(server, 'bob@example.test'), 0);
  });
});
