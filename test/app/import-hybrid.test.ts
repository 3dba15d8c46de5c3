import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestServer, type TestServer } from '../support/server.ts';
import { lineClient } from '../support/smtp-client.ts';
import { type CliAnswer, runCommand } from '../support/cli.ts';

/** hybrid-cloud-email, taken over into a whole server: its people read and send as they did. */

const PASSWORD = 'correct horse';
/** Of that password, by doveadm pw -s CRAM-MD5. */
const CRAM = '{CRAM-MD5}38b57fd1a0c4b46c814aa05f20318edd71c455380655f2c0ac35c5b359528d29';

function ssha256(password: string): string {
  const salt = Buffer.from('pepper');
  const digest = createHash('sha256').update(password).update(salt).digest();
  return `{SSHA256}${Buffer.concat([digest, salt]).toString('base64')}`;
}

const ENV = `# where things are
SECRETS_PATH=./private   # no slash at the end
SSL_CERT="/etc/ssl/\${HOST_NAME:-mail}.pem"
SSL_KEY='/etc/ssl/mail.key'
HOST_NAME=mail
IMAPS_PORT=1993
AWS_REGION=eu-north-1
DEAD_LETTER_QUEUE_URL=https://sqs.eu-north-1.amazonaws.com/123456789012/dead
DEAD_LETTER_QUEUE_CHECK_INTERVAL=600
LOG_LEVEL=warning
`;

const COMPOSE = `services:
  postfix-ses-relay:
    environment:
      - AWS_IAM_CREDENTIALS_FILE=/run/secrets/aws_iam_credentials
      - AWS_REGION=\${AWS_REGION}
      - POSTFIX_LOOKUP_TABLE=pcre:/run/secrets/postfix_lookup_table
      MAX_MESSAGE_SIZE: "20971520"
`;

const TABLE = `# first match wins
/^(adam|jack)(\\+.*)?@(example\\.com|my\\.fqdn)$/ \${1}
/^ryan@example\\.com$/ ryan
/^(.*)@example\\.com$/ ryan
`;

async function makeSetup(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-hybrid-'));
  await mkdir(join(directory, 'private'));
  const passwd = [
    `adam:${ssha256(PASSWORD)}::`,
    `jack:${CRAM}::::::`,
    `ryan:{PLAIN}${PASSWORD}::`,
    'old:{DES-CRYPT}ab0123456789x::',
    'empty:::',
    '',
  ];
  const files: Record<string, string> = {
    '.env': ENV,
    'docker-compose.yml': COMPOSE,
    'private/dovecot_passwd': passwd.join('\n'),
    'private/postfix_lookup_table': TABLE,
    'private/aws_iam_credentials': 'AKIAEXAMPLE:secret/of+it\n',
    'private/sns_basic_auth_credentials': 'sns:pass:word\n',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

describe('postern import hybrid-cloud-email', () => {
  let server: TestServer;
  let directory = '';

  function run(...words: string[]): Promise<CliAnswer> {
    return runCommand(words, { data: server.directory, cwd: directory });
  }

  interface Report {
    readonly steps: readonly { what: string; state: string; note: string }[];
    readonly left: readonly { what: string; why: string; remedy: string }[];
  }

  const OPTIONS = ['--bucket', 'mail-bucket', '--topic', 'arn:aws:sns:eu-north-1:123456789012:new-mail'];

  async function importIt(...more: string[]): Promise<Report> {
    const said = await run('import', 'hybrid-cloud-email', '.', ...OPTIONS, '--json', ...more);
    assert.equal(said.status, 0, said.err + said.out);
    return JSON.parse(said.out) as Report;
  }

  before(async () => {
    directory = await makeSetup();
    server = await startTestServer({
      plaintextAuth: true,
      accounts: [{ address: 'boss@postern.test', role: 'admin' }],
    });
  });
  after(async () => {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('shows beforehand what would be, and changes nothing', async () => {
    const { steps } = await importIt('--dry-run');
    assert.ok(steps.length > 12);
    assert.deepEqual([...new Set(steps.map(({ state }) => state))], ['new']);
    const { read } = server.store;
    assert.equal((await read.run('directory.accounts', {})).length, 1);
    assert.equal((await read.run('directory.domains', null)).length, 1);
    assert.equal(await read.run('lookup.settings', null), undefined);
    assert.deepEqual(await readdir(server.directory).then((names) => names.includes('secrets')), false);
    const text = await run('import', 'hybrid-cloud-email', '.', '--dry-run');
    assert.match(text.out, /Would be added\n {2}domain example\.com/);
    assert.match(text.out, /Nothing was changed\.\n$/);
  });

  it('takes over people, tables, keys and ways, and says what it cannot', async () => {
    const { steps, left } = await importIt();
    assert.deepEqual(
      steps.filter(({ state }) => state !== 'new'),
      [],
    );
    const { read } = server.store;
    const addresses = (await read.run('directory.accounts', {})).map(({ address }) => address);
    assert.deepEqual(addresses.toSorted(), [
      'adam@example.com',
      'boss@postern.test',
      'jack@example.com',
      'ryan@example.com',
    ]);
    const key = join(server.directory, 'secrets/hybrid-aws-send');
    assert.equal(await readFile(key, 'utf8'), 'AKIAEXAMPLE:secret/of+it');
    assert.equal((await stat(key)).mode & 0o777, 0o600);
    const routing = JSON.parse((await read.run('routing.settings', null)) ?? '{}') as Record<string, unknown>;
    assert.deepEqual(routing['transports'], {
      ses: { kind: 'ses-smtp', region: 'eu-north-1', credentials_file: key },
    });
    const intake = JSON.parse((await read.run('intake.settings', null)) ?? '{}') as {
      sources: Record<string, unknown>[];
    };
    const { basic_auth_file: basic, credentials_file: credentials, ...source } = intake.sources[0] ?? {};
    assert.deepEqual(source, {
      name: 'hybrid',
      enabled: false,
      region: 'eu-north-1',
      bucket: 'mail-bucket',
      topic_arns: ['arn:aws:sns:eu-north-1:123456789012:new-mail'],
      dead_letter_queue_url: 'https://sqs.eu-north-1.amazonaws.com/123456789012/dead',
      dead_letter_interval: 600,
    });
    assert.equal(await readFile(String(basic), 'utf8'), 'sns:pass:word');
    assert.match(String(credentials), /hybrid-aws-mail$/);
    const said = left.map(({ what, why, remedy }) => `${what}: ${why} -> ${remedy}`).join('\n');
    for (const wanted of [
      /user old: dovecot_passwd:4: .*DES-CRYPT/,
      /user empty: .*no password/,
      /cert = "\/etc\/ssl\/mail\.pem", key = "\/etc\/ssl\/mail\.key"/,
      /message_size = 20971520/,
      /imaps = \["\*:1993"\]/,
      /\[log\] level = "warn"/,
      /taking mail from the bucket.*Stop the old/,
    ]) {
      assert.match(said, wanted);
    }
    const settings = JSON.stringify(await read.run('directory.audit', { limit: 100 }));
    assert.ok(!settings.includes('secret/of+it'), 'secrets are in no record');
    assert.match(settings, /secret\.keep.{1,40}hybrid-aws-send/);
  });

  it('changes nothing the second time, and leaves alone what was changed since', async () => {
    const again = await importIt();
    assert.deepEqual(
      again.steps.filter(({ state }) => state !== 'same'),
      [],
    );
    const [started, ...others] = (await importIt('--take-mail', '--dry-run')).steps.filter(
      ({ state }) => state !== 'same',
    );
    assert.match(started?.what ?? '', /^intake hybrid: mail from the bucket mail-bucket/);
    assert.equal(others.length, 0);
    await run('lookup', 'set', 'recipients.mode', 'also');
    const third = await importIt();
    const kept = third.steps.filter(({ state }) => state !== 'same');
    assert.deepEqual(
      kept.map(({ what, state }) => [what.split(' ')[1], state]),
      [['recipients.mode', 'kept']],
    );
    await run('lookup', 'set', 'recipients.mode', 'only');
  });

  it('answers the documented lookups', async () => {
    for (const [address, user] of [
      ['adam@example.com', 'adam'],
      ['jack+abc@my.fqdn', 'jack'],
      ['ryan@example.com', 'ryan'],
      ['xyz@example.com', 'ryan'],
    ] as const) {
      assert.deepEqual(await run('lookup', address), { status: 0, out: `${user}\n`, err: '' });
    }
    assert.deepEqual(await run('lookup', 'ryan@my.fqdn'), { status: 1, out: '', err: '' });
  });

  it('receives for addresses of the table, shown to people who sign in by their names alone', async () => {
    const client = await lineClient(server.ports.smtp ?? 0);
    await client.talk(
      ['', '220'],
      ['EHLO there.test\r\n', '250'],
      ['MAIL FROM:<a@remote.test>\r\n', '250'],
      ['RCPT TO:<jack+abc@my.fqdn>\r\n', '250'],
      ['RCPT TO:<xyz@example.com>\r\n', '250'],
      ['RCPT TO:<ryan@my.fqdn>\r\n', '550 5.1.1'],
      ['DATA\r\n', '354'],
      ['From: <a@remote.test>\r\nSubject: hello from outside\r\n\r\nhello\r\n.\r\n', '250'],
    );
    client.close();
    for (const name of ['jack', 'ryan']) assert.match(await inbox(name), /EXISTS/);
    assert.match(await inbox('adam'), /\* 0 EXISTS/);
  });

  async function inbox(name: string): Promise<string> {
    const client = await lineClient(server.ports.imap ?? 0);
    await client.line();
    client.send(`a LOGIN ${name} "${PASSWORD}"\r\n`);
    assert.match((await client.line()) ?? '', /^a OK/, name);
    client.send('b SELECT INBOX\r\n');
    const lines: string[] = [];
    for (let line = await client.line(); line !== undefined; line = await client.line()) {
      lines.push(line);
      if (line.startsWith('b ')) break;
    }
    client.close();
    return lines.join('\n');
  }

  it('lets them send as before, and as nobody else', async () => {
    const client = await lineClient(server.ports.submission ?? 0);
    const plain = Buffer.from(`\0jack\0${PASSWORD}`).toString('base64');
    await client.talk(['', '220'], ['EHLO there\r\n', '250'], [`AUTH PLAIN ${plain}\r\n`, '235']);
    await client.talk(['MAIL FROM:<jack@my.fqdn>\r\n', '250'], ['RSET\r\n', '250']);
    await client.talk(['MAIL FROM:<anything@example.com>\r\n', '553 5.7.1'], ['MAIL FROM:<>\r\n', '250']);
    client.close();
  });

  it('says what a directory lacks', async () => {
    const none = await run('import', 'hybrid-cloud-email', './private', '--dry-run');
    assert.equal(none.status, 1);
    assert.match(none.err, /no directory of hybrid-cloud-email: there is no .*dovecot_passwd/);
  });
});
