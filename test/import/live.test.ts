import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ImapClient } from '../../src/net/imap-client/client.ts';
import { skipUnlessRoot, skipWithout, skipUnlessLong } from '../support/programs.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { cliOf, imported, mailOf, type Said } from './cli.ts';
import { type Dovecot, DOVECOT_PASSWORD, startDovecot } from './dovecot.ts';

/** A move from Dovecot while its people go on using it, with proof that nothing is missing. */

const ALICE = 'alice@example.test';
const BOB = 'bob@example.test';
const EARLY = 120;
const T = Date.UTC(2020, 1, 3, 4, 5, 6);

function message(subject: string, size = 500): Buffer {
  const head = `From: <a@remote.test>\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@x>\r\n\r\n`;
  return Buffer.from(`${head}${'line of text \u00e9\r\n'.repeat(Math.ceil(size / 14))}`, 'latin1');
}

async function append(
  client: ImapClient,
  box: string,
  subject: string,
  flags = '',
  size = 500,
): Promise<void> {
  const octets = message(subject, size);
  const all = async function* (): AsyncGenerator<Buffer> {
    yield octets;
  };
  await client.append(box, { flags, at: T, size: octets.length }, all());
}

describe('a move from Dovecot while mail arrives', {
  skip: skipUnlessLong() || skipWithout('dovecot') || skipUnlessRoot(),
}, () => {
  let server: TestServer;
  let dovecot: Dovecot;
  let alice: ImapClient;
  let directory = '';
  let run: (...words: string[]) => Promise<Said>;
  let place: string[] = [];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-live-'));
    await writeFile(join(directory, 'secret'), `${DOVECOT_PASSWORD}\n`);
    dovecot = await startDovecot([ALICE, BOB]);
    server = await startTestServer({ plaintextAuth: true });
    run = cliOf(server, directory);
    place = [`127.0.0.1:${dovecot.port}`, '--tls', 'none', '--password-file', 'secret'];
    alice = await dovecot.client(ALICE);
    const bob = await dovecot.client(BOB);
    await append(bob, 'INBOX', 'for bob', '\\Flagged');
    await bob.logout();
    await alice.create('Lists');
    await alice.create('Lists/B&APw-cher');
    await alice.subscribe('Lists/B&APw-cher');
    for (let i = 0; i < EARLY; i++)
      await append(alice, 'INBOX', `early ${i}`, i % 3 === 0 ? '\\Seen $Label1' : '');
    await append(alice, 'Sent Messages', 'sent', '\\Seen');
    await append(alice, 'Rubbish', 'thrown away', '\\Deleted');
    await append(alice, 'Lists/B&APw-cher', 'list', '\\Answered');
    await append(alice, 'INBOX', 'large', '\\Flagged', 3_000_000);
  });
  after(async () => {
    await alice?.logout();
    await server?.close();
    await dovecot?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('shows what would come', async () => {
    const said = await run('import', 'imap', ...place, '--account', ALICE, '--dry-run');
    assert.equal(said.status, 0, said.err);
    assert.match(said.out, /Would add 124 message/);
    assert.deepEqual(await mailOf(server, ALICE), []);
  });

  it('goes on while mail arrives and is marked, and ends in parity', async () => {
    let arriving = true;
    let late = 0;
    const arrival = (async () => {
      for (; arriving && late < 80; late++) await append(alice, 'INBOX', `late ${late}`);
    })();
    await imported(run, 'imap', ...place, '--account', ALICE);
    arriving = false;
    await arrival;
    assert.ok(late > 0);
    // Meanwhile there: one is read, one goes for good.
    await alice.open('INBOX', 'SELECT');
    await alice.command(['UID STORE 2 +FLAGS (\\Seen \\Answered)']);
    await alice.command(['UID STORE 5 +FLAGS (\\Deleted)']);
    await alice.command(['EXPUNGE']);
    const last = await imported(run, 'imap', ...place, '--account', ALICE, '--mirror', '--verify');
    const inbox = last.accounts[0]?.parity?.find(({ folder }) => folder === 'INBOX');
    const count = EARLY + late;
    assert.deepEqual(
      [inbox?.there, inbox?.here, inbox?.sameFlags, inbox?.sameOctets, inbox?.missing, inbox?.extra],
      [count, count, count, count, 0, 0],
    );
    const held = await mailOf(server, ALICE);
    const of = (subject: string) => held.find((each) => each.subject === subject);
    assert.deepEqual(
      [of('early 1')?.flags, of('early 0')?.flags, of('large')?.flags],
      ['SR', 'S $Label1', 'F'],
    );
    assert.equal(of('early 4'), undefined);
    assert.deepEqual([of('sent')?.mailbox, of('list')?.mailbox], ['Sent', 'Lists/Bücher']);
    assert.deepEqual([of('thrown away')?.mailbox, of('thrown away')?.receivedAt], ['Trash', T]);
    assert.equal(of('large')?.octets, message('large', 3_000_000).toString('latin1'));
    assert.equal(new Set(held.map(({ subject }) => subject)).size, held.length, 'nothing came twice');
    const again = await imported(run, 'imap', ...place, '--account', ALICE);
    const sums = again.accounts[0]?.folders.map(({ added, changed, failed }) => added + changed + failed);
    assert.deepEqual([...new Set(sums)], [0]);
  });

  it('takes many accounts from a list, by a master user, over TLS', async () => {
    await writeFile(join(directory, 'people.csv'), `address,user\n${ALICE},\n${BOB},${BOB}\n`);
    const options = [
      '--tls',
      'starttls',
      '--ca',
      dovecot.certificate,
      '--accounts',
      'people.csv',
      '--master',
      'boss',
    ];
    const { accounts } = await imported(
      run,
      'imap',
      `localhost:${dovecot.port}`,
      ...options,
      '--password-file',
      'secret',
    );
    assert.deepEqual(
      accounts.map(({ account }) => account),
      [ALICE, BOB],
    );
    // The same mail under another name of the server: known again by its octets.
    assert.equal(
      accounts[0]?.folders.reduce((sum, { added }) => sum + added, 0),
      0,
    );
    const [only] = await mailOf(server, BOB);
    assert.deepEqual([only?.subject, only?.flags], ['for bob', 'F']);
    const wrong = await run(
      'import',
      'imap',
      `localhost:${dovecot.port}`,
      '--tls',
      'starttls',
      '--account',
      BOB,
      '--password-file',
      'secret',
    );
    assert.match(wrong.out, /FAILED: the certificate is not accepted/);
    await writeFile(join(directory, 'wrong'), 'not it\n');
    const refused = await run(
      'import',
      'imap',
      ...place.slice(0, 3),
      '--password-file',
      'wrong',
      '--account',
      BOB,
    );
    assert.equal(refused.status, 1);
    assert.match(refused.out, /FAILED: the server refuses/);
  });

  it('reads the Maildir of Dovecot itself and finds nothing new in it', async () => {
    // What is used as Trash there is told by its configuration alone, not by the Maildir.
    const { accounts } = await imported(
      run,
      'maildir',
      dovecot.maildir(ALICE),
      '--account',
      ALICE,
      '--verify',
      '--except',
      'Rubbish',
    );
    const sum = (name: 'added' | 'linked'): number =>
      accounts[0]?.folders.reduce((total, folder) => total + folder[name], 0) ?? 0;
    assert.equal(sum('added'), 0);
    assert.ok(sum('linked') > EARLY);
  });

  it('takes passwords along: people sign in here as they did there, and get a hash of ours', async () => {
    const hash = (scheme: string): string =>
      execFileSync('doveadm', ['pw', '-s', scheme, '-p', 'old secret'], { encoding: 'utf8' }).trim();
    const schemes = ['SHA512-CRYPT', 'SSHA256', 'BLF-CRYPT', 'PBKDF2', 'ARGON2ID', 'PLAIN'];
    const lines = schemes.map((scheme, i) => `carol${i}@moved.test:${hash(scheme)}:::\n`);
    await writeFile(join(directory, 'passwd'), lines.join(''));
    const said = await run('import', 'dovecot-passwd', 'passwd');
    assert.equal(said.status, 0, said.err + said.out);
    for (const [i, scheme] of schemes.entries()) {
      const login = `carol${i}@moved.test`;
      const attempt = {
        login,
        password: 'old secret',
        protocol: 'imap',
        remoteAddress: '127.0.0.1',
        trace: 't',
      };
      assert.equal((await server.authenticator.password(attempt)).address, login, scheme);
      for (let tries = 0; ; tries++) {
        const now = await server.store.read.run('directory.credential', { login });
        if (now?.hash.startsWith('$argon2id$')) break;
        assert.ok(tries < 100, `${scheme} was not made one of ours`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  });

  it('gives mail back to Dovecot, by IMAP and as a Maildir that it reads', async () => {
    const to = ['export', 'imap', ...place, '--user', BOB, '--account', ALICE];
    const said = await run(...to);
    assert.equal(said.status, 0, said.err);
    const bob = await dovecot.client(BOB);
    const ours = (await mailOf(server, ALICE)).filter(({ mailbox }) => mailbox === 'INBOX').length;
    assert.equal((await bob.open('INBOX')).exists, ours + 1);
    await bob.logout();
    const again = await run(...to, '--json');
    const { mailboxes } = JSON.parse(again.out) as { mailboxes: { written: number }[] };
    assert.ok(mailboxes.every(({ written }) => written === 0));
  });
});
