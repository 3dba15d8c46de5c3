import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { program } from '../app/program.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { cliOf, imported, mailOf, type Said } from './cli.ts';
import { skipUnlessLong } from '../support/programs.ts';

/** Mail in files of other systems, brought into a whole server by the command line. */

const ALICE = ['--account', 'alice@example.test'];
const BOB = ['--account', 'bob@example.test'];

function message(subject: string, body = 'hello\n'): string {
  return `From: <a@remote.test>\nSubject: ${subject}\nMessage-ID: <${subject}@remote.test>\nDate: Mon, 5 Feb 2024 10:00:00 +0000\n\n${body}`;
}

describe('postern import maildir, mbox, eml', () => {
  let server: TestServer;
  let directory = '';
  let run: (...words: string[]) => Promise<Said>;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-import-'));
    server = await startTestServer({ plaintextAuth: true });
    run = cliOf(server, directory);
  });
  after(async () => {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function put(path: string, octets: string | Buffer, at?: number): Promise<void> {
    await mkdir(join(directory, path, '..'), { recursive: true });
    await writeFile(join(directory, path), octets);
    if (at !== undefined) await utimes(join(directory, path), at / 1000, at / 1000);
  }

  const T = Date.UTC(2021, 5, 1, 12, 0, 0);

  async function makeMaildir(): Promise<void> {
    await put('Maildir/cur/100.a.host,S=10:2,S', message('one'), T);
    await put('Maildir/cur/101.b.host:2,FRSa', message('two'), T + 1000);
    await put('Maildir/new/102.c.host', gzipSync(message('three')), T + 2000);
    await put('Maildir/dovecot-keywords', '0 $Label1\n1 other\n');
    await put('Maildir/subscriptions', 'Lists.Big\n');
    await put('Maildir/.Sent Items/cur/103.d.host:2,S', message('sent'), T);
    await put('Maildir/.Lists.Big/cur/104.e.host:2,PT', message('list'), T);
    await put('Maildir/.Entw&APw-rfe/cur/105.f.host:2,D', message('draft'), T);
    await mkdir(join(directory, 'Maildir/.Empty/cur'), { recursive: true });
  }

  it('shows what a Maildir would bring, and changes nothing', async () => {
    await makeMaildir();
    const said = await run('import', 'maildir', 'Maildir', ...ALICE, '--dry-run');
    assert.equal(said.status, 0, said.err);
    assert.match(said.out, /INBOX +INBOX +3 +3/);
    assert.match(said.out, /Would add 6 message/);
    assert.deepEqual(await mailOf(server, 'alice@example.test'), []);
  });

  it('brings folders, flags, keywords and dates of a Maildir, and proves it', async () => {
    const report = await imported(run, 'maildir', 'Maildir', ...ALICE, '--verify');
    assert.equal(
      report.accounts[0]?.parity?.every(({ sameOctets, there }) => sameOctets === there),
      true,
    );
    const held = await mailOf(server, 'alice@example.test');
    assert.deepEqual(
      held.map(({ mailbox, subject, flags, receivedAt }) => [mailbox, subject, flags, receivedAt - T]),
      [
        ['Entwürfe', 'draft', 'D', 0],
        ['INBOX', 'one', 'S', 0],
        ['INBOX', 'two', 'SRF $Label1', 1000],
        ['INBOX', 'three', '', 2000],
        ['Lists/Big', 'list', 'T $Forwarded', 0],
        ['Sent', 'sent', 'S', 0],
      ],
    );
    assert.equal(held[1]?.octets, message('one').replaceAll('\n', '\r\n'));
    const { id: accountId } = await server.account('alice@example.test');
    const boxes = await server.store.read.run('mailstore.mailboxes', { accountId });
    assert.equal(boxes.find(({ name }) => name === 'Lists/Big')?.subscribed, true);
    assert.equal(boxes.find(({ name }) => name === 'Entwürfe')?.subscribed, false);
    assert.ok(boxes.some(({ name }) => name === 'Empty'));
  });

  it('brings along whom one wrote to: proposed when writing, no strangers to the filter', async () => {
    const name = 'Maildir/.Sent Items/cur/104.d.host:2,S';
    const to = 'To: =?utf-8?q?J=C3=BCrg?= Meier <juerg@far.test>, ann@far.test\n';
    await put(name, `From: alice@example.test\n${to}Cc: undisclosed:;\nSubject: to friends\n\nHi\n`, T);
    await put('Maildir/cur/105.d.host:2,S', 'From: eve@far.test\nTo: others@far.test\n\nread\n', T);
    await imported(run, 'maildir', 'Maildir', ...ALICE);
    const { id: accountId } = await server.account('alice@example.test');
    const found = await server.store.read.run('account.contacts', { accountId, q: '', limit: 10 });
    assert.deepEqual(
      found.filter(({ address }) => address.endsWith('@far.test')),
      [
        { name: '', address: 'ann@far.test', times: 1, lastAt: T },
        { name: 'Jürg Meier', address: 'juerg@far.test', times: 1, lastAt: T },
      ],
    );
    await rm(join(directory, name));
    await rm(join(directory, 'Maildir/cur/105.d.host:2,S'));
    await imported(run, 'maildir', 'Maildir', ...ALICE, '--mirror');
  });

  it('brings only what is new the second time, and the flags that changed there', async () => {
    await rename(join(directory, 'Maildir/new/102.c.host'), join(directory, 'Maildir/cur/102.c.host:2,RS'));
    await put('Maildir/cur/110.z.host:2,', message('late'), T);
    // Marked here since: it stays so, for there nothing changed.
    const { id: accountId } = await server.account('alice@example.test');
    const inbox = await server.store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' });
    await server.store.write.run('mailstore.storeFlags', {
      accountId,
      mailboxId: inbox?.id ?? 0,
      ranges: [{ from: 1, to: 1 }],
      mode: 'add',
      set: { flags: 4, keywords: [] },
    });
    const { accounts } = await imported(run, 'maildir', 'Maildir', ...ALICE);
    const found = accounts[0]?.folders.find(({ folder }) => folder === 'INBOX');
    assert.deepEqual([found?.added, found?.known, found?.changed], [1, 3, 1]);
    const held = await mailOf(server, 'alice@example.test');
    const inInbox = held.filter(({ mailbox }) => mailbox === 'INBOX');
    assert.deepEqual(
      inInbox.map(({ subject, flags }) => [subject, flags]),
      [
        ['one', 'SF'],
        ['two', 'SRF $Label1'],
        ['three', 'SR'],
        ['late', ''],
      ],
    );
  });

  it('says how here and there differ', async () => {
    await put('Maildir/cur/111.y.host:2,', message('later still'), T);
    await run('import', 'maildir', 'Maildir', ...ALICE);
    await rm(join(directory, 'Maildir/cur/111.y.host:2,'));
    const said = await run('import', 'maildir', 'Maildir', ...ALICE, '--verify');
    assert.equal(said.status, 1);
    assert.match(said.out, /message 100\.a\.host,S=10: marked otherwise here/);
    assert.match(said.out, /INBOX +4 +4 +3 +4 +0 +0 +1 +DIFFERS/);
    const mirrored = await imported(run, 'maildir', 'Maildir', ...ALICE, '--mirror');
    assert.equal(mirrored.accounts[0]?.folders.find(({ folder }) => folder === 'INBOX')?.removed, 1);
    const subjects = (await mailOf(server, 'alice@example.test')).map(({ subject }) => subject);
    assert.ok(!subjects.includes('later still'));
  });

  it('knows mail again that lies at another path', async () => {
    await rename(join(directory, 'Maildir'), join(directory, 'Moved'));
    const { accounts } = await imported(run, 'maildir', 'Moved', ...ALICE);
    const sums = accounts[0]?.folders.map(({ added, linked }) => [added, linked]) ?? [];
    assert.equal(
      sums.reduce((sum, [added = 0]) => sum + added, 0),
      0,
    );
    assert.equal(
      sums.reduce((sum, [, linked = 0]) => sum + linked, 0),
      7,
    );
  });

  it('reads an mbox: quoting, flags, copies, and a "From " that begins no message', async () => {
    const one = message('m1', 'text\n>From here\n>>From there\n\nFrom me to you\nend\n').replace(
      '\n\n',
      '\nStatus: RO\nX-Status: AF\nX-Keywords: work\n\n',
    );
    const box = [
      `From a@remote.test Tue Jun  1 12:00:00 2021\n${one}`,
      `From a@remote.test Tue Jun  1 12:00:01 2021\n${message('m2')}`,
      `From a@remote.test Tue Jun  1 12:00:02 2021\n${message('m2')}`,
    ].join('\n');
    await put('mail/Projects.mbox', box);
    await put(
      'mail/Thunder',
      `From - Tue Jun 01 12:00:00 2021\nX-Mozilla-Status: 0009\n${message('gone')}\nFrom - Tue Jun 01 12:00:00 2021\nX-Mozilla-Status: 0005\n${message('kept')}`,
    );
    await put('mail/notes.txt', 'no mail at all\n');
    await imported(run, 'mbox', 'mail', ...BOB, '--verify');
    const held = await mailOf(server, 'bob@example.test');
    assert.deepEqual(
      held.map(({ mailbox, subject, flags, receivedAt }) => [mailbox, subject, flags, receivedAt - T]),
      [
        ['Projects', 'm1', 'SRF work', 0],
        ['Projects', 'm2', '', 1000],
        ['Projects', 'm2', '', 2000],
        ['Thunder', 'kept', 'SF', 0],
      ],
    );
    const text = message('m1', 'text\nFrom here\n>From there\n\nFrom me to you\nend\n').replaceAll(
      '\n',
      '\r\n',
    );
    assert.equal(held[0]?.octets, text);
    await put('mail/Projects.mbox', `${box}\nFrom b@c Tue Jun  1 13:00:00 2021\n${message('m4')}`);
    const again = await imported(run, 'mbox', 'mail', ...BOB);
    assert.deepEqual(
      again.accounts[0]?.folders.map(({ added }) => added),
      [1, 0],
    );
  });

  it('puts mail of Google Takeout into the folders of its labels', async () => {
    const labelled = (subject: string, labels: string): string =>
      `From 1@xxx Tue Jun 01 12:00:00 +0000 2021\nX-GM-THRID: 1\nX-Gmail-Labels: ${labels}\n${message(subject)}`;
    await put(
      'takeout.mbox',
      [
        labelled('g1', 'Inbox,Unread,Work/Big'),
        labelled('g2', 'Archived,Opened'),
        labelled('g3', 'Sent'),
      ].join('\n'),
    );
    await imported(run, 'mbox', 'takeout.mbox', ...BOB, '--verify');
    const held = await mailOf(server, 'bob@example.test');
    assert.deepEqual(
      held
        .filter(({ subject }) => subject.startsWith('g'))
        .map(({ mailbox, subject, flags }) => [mailbox, subject, flags]),
      [
        ['Archive', 'g2', 'S'],
        ['INBOX', 'g1', ''],
        ['Sent', 'g3', 'S'],
        ['Work/Big', 'g1', ''],
      ],
    );
  });

  it('reads a tree of EML files', async () => {
    await put('eml/10.eml', message('e10').replaceAll('\n', '\r\n'));
    await put('eml/2.eml', message('e2'));
    await put('eml/Old/x.EML', message('old'));
    await put('eml/Old/picture.jpg', 'not mail');
    await put('eml/empty.eml', '');
    const said = await run('import', 'eml', 'eml', ...BOB, '--into', 'Imported');
    assert.equal(said.status, 1);
    assert.match(said.out, /FAILED: Imported, message empty\.eml: it is empty/);
    assert.match(said.out, /Left: Imported\/Old: no messages: picture\.jpg/);
    const held = (await mailOf(server, 'bob@example.test')).filter(({ mailbox }) =>
      mailbox.startsWith('Imported'),
    );
    assert.deepEqual(
      held.map(({ mailbox, subject, flags, receivedAt }) => [mailbox, subject, flags, receivedAt]),
      [
        ['Imported', 'e2', 'S', Date.UTC(2024, 1, 5, 10)],
        ['Imported', 'e10', 'S', Date.UTC(2024, 1, 5, 10)],
        ['Imported/Old', 'old', 'S', Date.UTC(2024, 1, 5, 10)],
      ],
    );
  });

  it('says so where there is no mail, and fails unless somebody else has some', async () => {
    const none = await run('import', 'mbox', 'nowhere.mbox', ...BOB);
    assert.deepEqual([none.status, none.err], [1, '']);
    assert.match(none.out, /No mail is there: .*nowhere\.mbox: there is no such file or folder/);
    await put('of/alice/cur/900.z.host:2,S', message('of alice'), T);
    const some = await run('import', 'maildir', 'of/%n');
    assert.equal(some.status, 0, some.out);
    assert.match(some.out, /bob@example\.test from .*\n  No mail is there: .*of\/bob/);
    assert.equal((await run('import', 'maildir', 'off/%n')).status, 1);
  });

  it('goes on where it was killed, and where the room had ended', { skip: skipUnlessLong() }, async () => {
    const count = 1100;
    await mkdir(join(directory, 'Many/cur'), { recursive: true });
    for (let i = 0; i < count; i++) await put(`Many/cur/${1000 + i}.x.host:2,S`, message(`many ${i}`), T);
    const args = ['import', 'maildir', join(directory, 'Many'), ...BOB, '--only', 'INBOX'];
    const killed = program([...args, '--data', server.directory]);
    killed.child.stderr?.once('data', () => killed.child.kill('SIGKILL'));
    assert.equal(await killed.ended, 'SIGKILL');
    const many = async (): Promise<string[]> =>
      (await mailOf(server, 'bob@example.test'))
        .map(({ subject }) => subject)
        .filter((subject) => subject.startsWith('many'));
    const before = (await many()).length;
    assert.ok(before > 0 && before < count, `${before} of ${count}`);
    const address = 'bob@example.test';
    const actor = { name: 'system', role: 'system', domainId: undefined } as const;
    const { used } = await server.account(address);
    await server.store.write.run('directory.setQuota', { actor, address, quota: used + 500 });
    const full = await run(...args);
    assert.equal(full.status, 1);
    assert.match(full.out, /FAILED: INBOX, message \d+\.x\.host: the account has no room left/);
    await server.store.write.run('directory.setQuota', { actor, address, quota: 0 });
    await imported(run, ...args.slice(1), '--verify');
    const after = await many();
    assert.equal(after.length, count);
    assert.equal(new Set(after).size, count);
  });
});
