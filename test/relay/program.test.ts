import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSelfSigned } from '../../src/net/tls-self-signed.ts';
import {
  assertOneLine,
  freePort,
  KILL_MS,
  type Program,
  program,
  runProgram,
  scratch,
} from '../app/program.ts';
import { startAws } from '../support/aws/emulator.ts';
import type { AwsEmulator } from '../support/aws/types.ts';
import { skipUnlessLong, skipWithout } from '../support/programs.ts';
import { lineClient } from '../support/smtp-client.ts';

/** The program as people start it: exit statuses, standard output and error, real clients, signals. */

function environment({
  endpoint,
  accessKeyId,
  secretAccessKey,
  region,
}: AwsEmulator): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: region,
    AWS_EC2_METADATA_DISABLED: 'true',
    HOSTNAME: 'relay.example',
    METRICS_LISTEN_ADDRESS: 'off',
  };
}

interface Running extends AsyncDisposable {
  readonly program: Program;
  readonly port: number;
}

async function until(what: () => boolean, running: Program): Promise<void> {
  for (let i = 0; i < 1500 && !what(); i++) {
    assert(running.child.exitCode === null, `ended: ${running.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert(what(), `in vain:\n${running.stdout}${running.stderr}`);
}

async function relay(
  aws: AwsEmulator,
  flags: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Running> {
  const port = await freePort();
  const started = program(['relay', '-a', `127.0.0.1:${port}`, ...flags], {
    env: { ...environment(aws), ...env },
    killAfterMs: 3 * KILL_MS,
  });
  await until(() => started.stderr.includes('listening on'), started);
  return {
    program: started,
    port,
    async [Symbol.asyncDispose]() {
      started.child.kill('SIGKILL');
      await started.ended;
    },
  };
}

async function emulator(): Promise<AwsEmulator & AsyncDisposable> {
  const aws = await startAws({ ses: { identities: ['example.org'] } });
  return Object.assign(aws, { [Symbol.asyncDispose]: () => aws.close() });
}

async function sendOne(port: number, recipient: string, words = 'hello'): Promise<string> {
  const client = await lineClient(port);
  await client.talk(
    ['', '220'],
    ['EHLO client.test\r\n', '250'],
    ['MAIL FROM:<a@example.org>\r\n', '250'],
    [`RCPT TO:<${recipient}>\r\n`, '250'],
    ['DATA\r\n', '354'],
  );
  const reply = await client.command(`From: a@example.org\r\n\r\n${words}\r\n.`);
  client.close();
  return reply;
}

test('mistakes are told in one line on stderr, status 1; a command line Go could not read has status 2', async () => {
  const env = { AWS_REGION: 'eu-west-1' };
  const [open, flag, help] = await Promise.all([
    runProgram(['relay', '-a', ':1025'], { env, killAfterMs: KILL_MS }),
    runProgram(['relay', '-y'], { env, killAfterMs: KILL_MS }),
    runProgram(['relay', '--help'], { killAfterMs: KILL_MS }),
  ]);
  assertOneLine(open, /^anybody could send mail through :1025: add a login \(-u.*\(-i\).*--allow-open/);
  assert.deepEqual([flag.status, flag.stdout], [2, '']);
  assert.match(flag.stderr, /^flag provided but not defined: -y\n/);
  assert.equal(help.status, 0);
  for (const words of ['-d REGEXP', 'DENIED_RECIPIENTS_REGEX', '--spool DIR', 'BCRYPT_HASH']) {
    assert(help.stdout.includes(words), words);
  }
});

test('only the JSON log goes to stdout; /metrics and /health; SIGTERM ends what is under way and status 0', async () => {
  await using aws = await emulator();
  const http = await freePort();
  await using running = await relay(aws, ['--metrics-listen', `127.0.0.1:${http}`]);
  assert.match(await sendOne(running.port, 'bob@example.net'), /^250 2\.0\.0 Ok: queued/);
  const health = await fetch(`http://127.0.0.1:${http}/health`);
  assert.deepEqual([health.status, await health.text()], [200, 'ok\n']);
  const metrics = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text();
  for (const line of [
    'aws_smtp_relay_send_success_total{service="ses"} 1',
    'aws_smtp_relay_send_error_total{service="ses"} 0',
    'aws_smtp_relay_client_auth_failed_total 0',
    'aws_smtp_relay_client_denied_ip_total 0',
    'aws_smtp_relay_client_denied_sender_total 0',
  ])
    assert(metrics.includes(`\n${line}\n`), line);
  assert.equal((await fetch(`http://127.0.0.1:${http}/`)).status, 404);

  aws.ses.latencyMs = 400;
  const begun = aws.next({ service: 'ses', operation: 'SendEmail' }, 'begin');
  const late = sendOne(running.port, 'late@example.net');
  await begun;
  running.program.child.kill('SIGTERM');
  assert.match(await late, /^250/);
  assert.equal(await running.program.ended, 0);
  const lines = running.program.stdout.trimEnd().split('\n');
  const time = /^\{"Time":"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z",/;
  assert.deepEqual(
    lines.map((line) => line.replace(time, '{"Time":"",')),
    ['bob', 'late'].map(
      (name) =>
        `{"Time":"","IP":"127.0.0.1","From":"a@example.org","To":["${name}@example.net"],"Error":null}`,
    ),
  );
  assert.deepEqual(aws.violations, []);
});

/** A script for Python's smtplib: CRAM-MD5 in clear, then LOGIN and PLAIN under TLS. */
const SMTPLIB = `
import smtplib, ssl, sys
port = int(sys.argv[1])
s = smtplib.SMTP('127.0.0.1', port)
s.ehlo()
assert s.esmtp_features['auth'].split() == ['CRAM-MD5'], s.esmtp_features
s.login('relay', 'secret')
print(s.sendmail('a@example.org', ['bob@example.net'], 'From: a@example.org\\r\\n\\r\\ncram\\r\\n'))
s.quit()
for mechanism in ('LOGIN', 'PLAIN'):
    s = smtplib.SMTP('127.0.0.1', port)
    c = ssl.create_default_context(); c.check_hostname = False; c.verify_mode = ssl.CERT_NONE
    s.starttls(context=c)
    s.ehlo()
    s.user, s.password = 'relay', 'secret'
    print(s.auth(mechanism, getattr(s, 'auth_' + mechanism.lower()))[0])
    print(s.sendmail('a@example.org', ['bob@example.net'], 'From: a@example.org\\r\\n\\r\\n%s\\r\\n' % mechanism))
    s.quit()
s = smtplib.SMTP('127.0.0.1', port)
try:
    s.login('relay', 'wrong')
except smtplib.SMTPAuthenticationError as e:
    print(e.smtp_code)
`;

test('Python and swaks log in by CRAM-MD5, LOGIN and PLAIN; the key is encrypted', async (t) => {
  if (spawnSync('python3', ['-c', 'import smtplib']).status !== 0) return t.skip('python3 is not installed');
  await using aws = await emulator();
  await using folder = await scratch();
  const { cert, key } = writePair(folder.path, 'open sesame');
  const env = { PASSWORD: 'secret', TLS_KEY_PASS: 'open sesame' };
  await using running = await relay(aws, ['-u', 'relay', '-c', cert, '-k', key], env);
  const python = spawn('python3', ['-c', SMTPLIB, String(running.port)], { timeout: KILL_MS });
  let said = '';
  python.stdout.on('data', (text: Buffer) => (said += text.toString()));
  python.stderr.on('data', (text: Buffer) => (said += text.toString()));
  await new Promise((resolve) => python.on('close', resolve));
  assert.equal(said, '{}\n235\n{}\n235\n{}\n535\n');
  assert.deepEqual(
    aws.ses.sent.map(({ raw }) => raw.toString().split('\r\n\r\n')[1]?.trim()),
    ['cram', 'LOGIN', 'PLAIN'],
  );
  if (skipWithout('swaks') !== false) return t.diagnostic('swaks is not installed');
  const login = ['--auth', 'CRAM-MD5', '--auth-user', 'relay', '--auth-password', 'secret'];
  const envelope = [
    '--server',
    `127.0.0.1:${running.port}`,
    '--from',
    'a@example.org',
    '--to',
    'amy@example.net',
  ];
  const swaks = spawn('swaks', [...envelope, ...login], { timeout: KILL_MS });
  assert.equal(await new Promise((resolve) => swaks.on('close', resolve)), 0);
  assert.deepEqual(aws.ses.sent[3]?.recipients, ['amy@example.net']);
});

/** A certificate and its encrypted key in files. */
function writePair(folder: string, passphrase: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const pair = createSelfSigned({
    commonName: 'relay.example',
    names: ['relay.example'],
    notBefore: Date.UTC(2020, 0, 1),
    notAfter: Date.UTC(2049, 0, 1),
  });
  const locked = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc' } as const;
  writeFileSync(cert, pair.cert);
  writeFileSync(key, createPrivateKey(pair.key).export({ ...locked, passphrase }));
  return { cert, key };
}

const KILLED =
  'a spool: killed while mail comes and goes, nothing that was answered 250 is lost or sent twice';
test(KILLED, { skip: skipUnlessLong() }, async () => {
  await using aws = await emulator();
  await using folder = await scratch();
  const spool = join(folder.path, 'spool');
  const answered: string[] = [];
  // SES takes nothing and never answers: all stays in the spool, much of it in the middle of an attempt.
  aws.fault({ service: 'ses' }, { kind: 'slow', ms: Number.POSITIVE_INFINITY }, Number.POSITIVE_INFINITY);
  for (let round = 0; round < 2; round++) {
    await using running = await relay(aws, ['--spool', spool]);
    const clients = Array.from({ length: 4 }, async (_, client) => {
      for (let i = 0; i < 25; i++) {
        const name = `r${round}-${client}-${i}@example.net`;
        const reply = await sendOne(running.port, name).catch(() => '');
        if (!reply.startsWith('250')) return;
        answered.push(name);
        // In the middle of the work of all four.
        if (client === 0 && i === 15) running.program.child.kill('SIGKILL');
      }
    });
    await Promise.all(clients);
  }
  assert(answered.length > 80, `only ${answered.length} were answered`);
  assert(answered.length < 200, 'it was killed too late');
  assert.equal(aws.ses.sent.length, 0);
  aws.clearFaults();
  await using running = await relay(aws, ['--spool', spool]);
  const all = (): string[] => aws.ses.sent.flatMap(({ recipients }) => recipients);
  const left = (): string[] => answered.filter((name) => !all().includes(name));
  const second = runProgram(['relay', '-a', '127.0.0.1:0', '--spool', spool], {
    env: environment(aws),
    killAfterMs: KILL_MS,
  });
  await until(() => left().length === 0, running.program);
  assert.equal(all().length, new Set(all()).size, 'a message went out twice');
  assertOneLine(await second, /in use by another Postern/);
});
