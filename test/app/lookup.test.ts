import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { manualClock } from '../support/manual-clock.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../support/server.ts';
import { lineClient } from '../support/smtp-client.ts';
import { type CliAnswer, runCommand } from '../support/cli.ts';

/** Postfix lookup tables of a whole server: who gets mail, who may send, who signs in by a bare name. */

const TABLE = `/^(adam|jack)(\\+.*)?@(example\\.com|my\\.fqdn)$/ \${1}
/^all@example\\.com$/ adam, ryan
/^lost@example\\.com$/ nobody
/^away@example\\.com$/ friend@elsewhere.test
/^ryan@example\\.com$/ ryan
/^(.*)@example\\.com$/ ryan
`;

describe('lookup tables of a server', () => {
  let server: TestServer;
  let directory = '';
  let file = '';
  const on = (...words: string[]): Promise<CliAnswer> => runCommand([...words, '--data', server.directory]);
  const must = async (...words: string[]): Promise<CliAnswer> => {
    const said = await on(...words);
    assert.equal(said.status, 0, said.err);
    return said;
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-lookup-'));
    file = join(directory, 'users');
    await writeFile(file, TABLE);
    server = await startTestServer({
      // Where mail goes is asked here, not what it is worth.
      filter: (settings) => ({ ...settings, enabled: false }),
      plaintextAuth: true,
      accounts: [
        { address: 'adam@example.com', role: 'admin' },
        'jack@example.com',
        'ryan@example.com',
        'eve@example.com',
      ],
      domains: ['my.fqdn'],
    });
    await must('lookup', 'set', 'primary_domain', 'example.com');
    await must('lookup', 'set', 'recipients.domains', '["example.com", "my.fqdn"]');
    await must('lookup', 'set', 'recipients.mode', 'only');
    await must('lookup', 'set', 'recipients.tables', JSON.stringify([`pcre:${file}`]));
  });
  after(async () => {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function rcpt(...addresses: string[]): Promise<string[]> {
    const client = await lineClient(server.ports.smtp ?? 0);
    await client.talk(['', '220'], ['EHLO there.test\r\n', '250'], ['MAIL FROM:<a@remote.test>\r\n', '250']);
    const answers: string[] = [];
    for (const address of addresses) answers.push(await client.command(`RCPT TO:<${address}>`));
    client.close();
    return answers;
  }

  async function deliver(address: string): Promise<void> {
    const client = await lineClient(server.ports.lmtp ?? 0);
    await client.talk(
      ['', '220'],
      ['LHLO remote.test\r\n', '250'],
      ['MAIL FROM:<a@remote.test>\r\n', '250'],
      [`RCPT TO:<${address}>\r\n`, '250'],
      ['DATA\r\n', '354'],
      ['Subject: hello\r\n\r\nhello\r\n.\r\n', '250'],
    );
    client.close();
  }

  async function inbox(address: string): Promise<number> {
    const { id: accountId } = await server.account(address);
    const mailbox = await server.store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' });
    return mailbox?.messages ?? 0;
  }

  it('answers like postmap -q', async () => {
    for (const [address, wanted] of [
      ['adam@example.com', 'adam'],
      ['jack+abc@my.fqdn', 'jack'],
      ['ryan@example.com', 'ryan'],
      ['xyz@example.com', 'ryan'],
      ['ADAM@example.com', 'ADAM'],
      ['all@example.com', 'adam, ryan'],
    ] as const) {
      for (const said of [
        await on('lookup', address),
        await runCommand(['lookup', '--table', `pcre:${file}`, address]),
      ]) {
        assert.deepEqual(said, { status: 0, out: `${wanted}\n`, err: '' });
      }
    }
    for (const said of [
      await on('lookup', 'ryan@my.fqdn'),
      await runCommand(['lookup', '--table', `pcre:${file}`, 'ryan@my.fqdn']),
    ]) {
      assert.deepEqual(said, { status: 1, out: '', err: '' });
    }
    const many = await runCommand(['lookup', '--table', `pcre:${file}`, '-'], {
      input: 'adam@example.com\nryan@my.fqdn\n\nx@example.com\n',
    });
    assert.deepEqual(many, { status: 0, out: 'adam@example.com\tadam\nx@example.com\tryan\n', err: '' });
    const json = await on('lookup', 'ryan@my.fqdn', '--json');
    assert.deepEqual([json.status, JSON.parse(json.out)], [1, { key: 'ryan@my.fqdn', result: null }]);
  });

  it('says where a table is wrong', async () => {
    const bad = join(directory, 'bad');
    await writeFile(bad, '# comment\n/^(?!x)a@/ ann\n');
    const said = await runCommand(['lookup', '--table', `pcre:${bad}`, 'a@b']);
    assert.equal(said.status, 1);
    assert.match(said.err, /bad:2: this pattern cannot be used: it has a negative lookahead/);
    const kept = await on('lookup', 'store', 'bad', `pcre:${bad}`);
    assert.match(kept.err, /stored:bad|bad:2/);
    assert.equal(kept.status, 1);
    assert.match(
      (await runCommand(['lookup', '--table', 'pcre:/nonexistent/x', 'a@b'])).err,
      /there is no such file/,
    );
  });

  it('delivers to whom the table names, and to nobody else', async () => {
    const answers = await rcpt(
      'adam@example.com',
      'jack+abc@my.fqdn',
      'XYZ@example.com',
      'ryan@my.fqdn',
      'lost@example.com',
      'postmaster@my.fqdn',
      'away@example.com',
    );
    assert.deepEqual(
      answers.map((line) => line.slice(0, 9)),
      ['250 2.1.5', '250 2.1.5', '250 2.1.5', '550 5.1.1', '550 5.1.1', '250 2.1.5', '250 2.1.5'],
    );
    await deliver('all@example.com');
    assert.deepEqual(
      [await inbox('adam@example.com'), await inbox('ryan@example.com'), await inbox('eve@example.com')],
      [1, 1, 0],
    );
  });

  it('makes no domain ours that is not', async () => {
    const open = join(directory, 'open');
    await writeFile(open, '/@foreign\\.test$/ ryan, friend@elsewhere.test\n');
    await must('lookup', 'set', 'recipients.tables', JSON.stringify([`regexp:${open}`]));
    await must('lookup', 'set', 'recipients.domains', '["foreign.test"]');
    for (const mode of ['only', 'also']) {
      await must('lookup', 'set', 'recipients.mode', mode);
      assert.match((await rcpt('anybody@foreign.test'))[0] ?? '', /^550 5\.7\.1/, mode);
    }
    await must('lookup', 'set', 'recipients.mode', 'only');
    await must('lookup', 'set', 'recipients.domains', '["example.com", "my.fqdn"]');
    await must('lookup', 'set', 'recipients.tables', JSON.stringify([`pcre:${file}`]));
  });

  it('asks it after accounts and aliases where it is one of two', async () => {
    await must('lookup', 'set', 'recipients.mode', 'also');
    await must('domain', 'catch-all', 'my.fqdn', 'eve@example.com');
    const before = await inbox('ryan@example.com');
    await deliver('eve@example.com'); // an account, although the table says ryan
    await deliver('xyz@example.com'); // the table
    await deliver('xyz@my.fqdn'); // the catch-all
    assert.deepEqual([await inbox('eve@example.com'), await inbox('ryan@example.com')], [2, before + 1]);
    await must('domain', 'catch-all', 'my.fqdn', '--off');
    await must('lookup', 'set', 'recipients.mode', 'only');
  });

  async function submission(login: string): Promise<Awaited<ReturnType<typeof lineClient>>> {
    const client = await lineClient(server.ports.submission ?? 0);
    await client.talk(['', '220'], ['EHLO there\r\n', '250']);
    const plain = Buffer.from(`\0${login}\0${TEST_PASSWORD}`).toString('base64');
    assert.match(await client.command(`AUTH PLAIN ${plain}`), /^235/);
    return client;
  }

  it('says who may send as whom', async () => {
    const client = await submission('adam@example.com');
    const mail = async (from: string): Promise<string> => {
      const answer = await client.command(`MAIL FROM:<${from}>`);
      await client.command('RSET');
      return answer.slice(0, 9);
    };
    assert.equal(await mail('adam@my.fqdn'), '250 2.1.0');
    assert.equal(await mail('all@example.com'), '250 2.1.0');
    assert.equal(await mail('ryan@example.com'), '553 5.7.1');
    assert.equal(await mail(''), '250 2.1.0');
    await client.talk(
      ['MAIL FROM:<adam@my.fqdn>\r\n', '250'],
      ['RCPT TO:<adam@example.com>\r\n', '250'],
      ['DATA\r\n', '354'],
      ['From: ryan@example.com\r\nSubject: x\r\n\r\nhello\r\n.\r\n', '553 5.7.1'],
      ['MAIL FROM:<adam@my.fqdn>\r\n', '250'],
      ['RCPT TO:<adam@example.com>\r\n', '250'],
      ['DATA\r\n', '354'],
      ['From: ADAM+news@my.fqdn\r\nSubject: x\r\n\r\nhello\r\n.\r\n', '250'],
    );
    client.close();
    // Where the table alone decides, an account's own address counts no more than another.
    await must('lookup', 'set', 'sender_login.mode', 'only');
    const eve = await submission('eve@example.com');
    assert.match(await eve.command('MAIL FROM:<eve@example.com>'), /^553 5\.7\.1/);
    eve.close();
    await must('lookup', 'set', 'sender_login.mode', 'default');
  });

  it('lets people sign in by their names alone once that is wanted', async () => {
    const login = async (): Promise<string> => {
      const client = await lineClient(server.ports.imap ?? 0);
      await client.line();
      client.send(`a LOGIN adam "${TEST_PASSWORD}"\r\n`);
      const answer = (await client.line()) ?? '';
      client.close();
      return answer;
    };
    assert.match(await login(), /^a NO/);
    await must('lookup', 'set', 'login_domain', 'example.com');
    assert.match(await login(), /^a OK/);
    (await submission('Jack')).close();
  });

  it('refuses settings that name what is not there', async () => {
    const said = await on('lookup', 'set', 'recipients.tables', '["stored:none"]');
    assert.equal(said.status, 1);
    assert.match(said.err, /no stored table "none"/);
    assert.match((await on('lookup', 'set', 'recipients.tables', '["pcre:users"]')).err, /full path/);
  });

  it('keeps tables in the server', async () => {
    await must('lookup', 'store', 'users', `pcre:${file}`);
    assert.match((await must('lookup', 'store', 'users', `pcre:${file}`)).out, /as it was/);
    await must('lookup', 'set', 'recipients.tables', '["stored:users"]');
    assert.equal((await must('lookup', 'xyz@example.com')).out, 'ryan\n');
    assert.equal((await must('lookup', 'show', 'users')).out, TABLE);
    assert.match((await on('lookup', 'forget', 'users')).err, /in use/);
    await writeFile(join(directory, 'next'), '/^/ jack\n');
    await must('lookup', 'store', 'users', `pcre:${join(directory, 'next')}`);
    assert.equal((await must('lookup', 'xyz@example.com')).out, 'jack\n');
    await must('lookup', 'set', 'recipients.tables', JSON.stringify([`pcre:${file}`]));
    await must('lookup', 'forget', 'users');
  });
});

describe('the file of a table', () => {
  it('is read again when it changes; a bad one leaves the last good version, none at all puts mail off', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'postern-lookup-'));
    const file = join(directory, 'users');
    const clock = manualClock();
    const { createLookup } = await import('../../src/flow/lookup/lookup.ts');
    const { silentLogger } = await import('../../src/base/log.ts');
    const settings = JSON.stringify({ recipients: { tables: [`regexp:${file}`], domains: ['a.test'] } });
    const read = { run: async (name: string) => (name === 'lookup.settings' ? settings : undefined) };
    const lookup = await createLookup({
      store: { read: read as never },
      clock,
      logger: silentLogger,
      delimiter: () => '+',
    });
    const ask = async (): Promise<string> => {
      await clock.advance(3000);
      const answer = await lookup.ask('recipients', { localPart: 'ann', domain: 'a.test' });
      return answer.status === 'found' ? answer.result : answer.status;
    };
    try {
      assert.equal(await ask(), 'unavailable');
      await writeFile(file, '/^ann@/ one\n');
      assert.equal(await ask(), 'one');
      await writeFile(file, '/^ann@/ two\n');
      assert.equal(await ask(), 'two');
      await writeFile(file, '/^(ann@/ three\n');
      assert.equal(await ask(), 'two');
      const [state] = await lookup.states();
      assert.equal(state?.state, 'old');
      assert.match(state?.problems[0] ?? '', /users:1: /);
      await rm(file);
      assert.equal(await ask(), 'two');
      await writeFile(file, '/^nobody@/ x\n');
      await chmod(file, 0o600);
      assert.equal(await ask(), 'none');
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it('defers mail with 451 while it was never there', async () => {
    await using server = await startTestServer();
    const set = async (name: string, value: string): Promise<void> => {
      const said = await runCommand(['lookup', 'set', name, value, '--data', server.directory]);
      assert.equal(said.status, 0, said.err);
    };
    await set('recipients.domains', '["example.test"]');
    await set('recipients.tables', '["pcre:/nonexistent/users"]');
    const client = await lineClient(server.ports.smtp ?? 0);
    await client.talk(['', '220'], ['EHLO there.test\r\n', '250'], ['MAIL FROM:<a@remote.test>\r\n', '250']);
    assert.match(await client.command('RCPT TO:<nobody@example.test>'), /^451 4\.3\.0/);
    assert.match(await client.command('RCPT TO:<bob@example.test>'), /^250/, 'accounts are asked first');
    client.close();
    const status = await runCommand(['status', '--data', server.directory]);
    assert.match(status.out, /LOOKUP .*no such file/s);
    const check = await runCommand(['lookup', 'check', '--data', server.directory]);
    assert.equal(check.status, 1);
  });
});
