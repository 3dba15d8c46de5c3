import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ImapClient } from '../../src/net/imap-client/client.ts';
import { skipUnlessLong, skipUnlessRoot } from '../support/programs.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { cliOf, imported, mailOf, type Said } from './cli.ts';
import {
  type Cyrus,
  CYRUS_ADMIN,
  CYRUS_PASSWORD,
  type CyrusOptions,
  startCyrus,
  unpackedCyrus,
} from './cyrus.ts';

/** A move from Cyrus while its people go on using it, with each way it has to name folders. */

const ALICE = 'alice@example.test';
const BOB = 'bob@example.test';
/** Cyrus writes the dot of the name as "^" where "." parts levels. */
const ANNA = 'anna.lang@example.test';
const EARLY = 60;
const T = Date.UTC(2020, 1, 3, 4, 5, 6);

const unpacked = skipUnlessLong() || skipUnlessRoot() ? undefined : await unpackedCyrus();
const skip =
  skipUnlessLong() || skipUnlessRoot() || (unpacked !== undefined && 'why' in unpacked && unpacked.why);
const root = unpacked !== undefined && 'root' in unpacked ? unpacked.root : '';

function message(subject: string, size = 500): Buffer {
  const head = `From: <a@remote.test>\r\nSubject: ${subject}\r\nMessage-ID: <${subject.replaceAll(' ', '.')}@x>\r\n\r\n`;
  return Buffer.from(`${head}${'line of text \u00e9\r\n'.repeat(Math.ceil(size / 15))}`, 'latin1');
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

const WAYS: readonly (readonly [name: string, options: CyrusOptions])[] = [
  ['INBOX.Sub', { altnamespace: false, unixhierarchysep: false }],
  ['Sub/Sub', { altnamespace: true, unixhierarchysep: true, quietUses: true }],
  ['INBOX/Sub', { altnamespace: false, unixhierarchysep: true }],
  ['Sub.Sub', { altnamespace: true, unixhierarchysep: false }],
];

for (const [name, options] of WAYS)
  describe(`a move from Cyrus with folders named ${name}, while mail arrives`, { skip }, () => {
    const separator = options.unixhierarchysep ? '/' : '.';
    const box = (...levels: string[]): string =>
      [...(options.altnamespace ? [] : ['INBOX']), ...levels].join(separator);
    let server: TestServer;
    let cyrus: Cyrus;
    let alice: ImapClient;
    let directory = '';
    let run: (...words: string[]) => Promise<Said>;
    let place: string[] = [];

    before(async () => {
      directory = await mkdtemp(join(tmpdir(), 'postern-from-cyrus-'));
      await writeFile(join(directory, 'secret'), `${CYRUS_PASSWORD}\n`);
      await writeFile(join(directory, 'wrong'), 'not it\n');
      cyrus = await startCyrus(root, [ALICE, BOB, ANNA], options);
      server = await startTestServer({ plaintextAuth: true, accounts: [ALICE, BOB, ANNA] });
      run = cliOf(server, directory);
      place = [`127.0.0.1:${cyrus.port}`, '--tls', 'none', '--password-file', 'secret'];
      alice = await cyrus.client(ALICE);
      for (const levels of [['Lists'], ['Lists', 'B&APw-cher'], ['R&-D'], ['&ZeVnLIqe-']])
        await alice.create(box(...levels));
      await alice.subscribe(box('Lists', 'B&APw-cher'));
      await alice.command([`CREATE "${box('Gesendet')}" (USE (\\Sent))`]);
      await alice.command([`CREATE "${box('Rubbish')}" (USE (\\Trash))`]);
      for (let i = 0; i < EARLY; i++)
        await append(alice, 'INBOX', `early ${i}`, i % 3 === 0 ? '\\Seen $Label1 NonJunk' : '');
      await append(alice, box('Gesendet'), 'sent', '\\Seen');
      await append(alice, box('Rubbish'), 'thrown away', '\\Deleted');
      await append(alice, box('Lists', 'B&APw-cher'), 'list', '\\Answered');
      await append(alice, box('R&-D'), 'plans', '\\Draft');
      await append(alice, box('&ZeVnLIqe-'), 'far', '\\Flagged');
      await append(alice, 'INBOX', 'large', '\\Flagged', 3_000_000);
      for (const [user, subject] of [
        [BOB, 'for bob'],
        [ANNA, 'for anna'],
      ] as const) {
        const client = await cyrus.client(user);
        await append(client, 'INBOX', subject, '\\Seen');
        await client.logout();
      }
      await shareFolders();
    });
    after(async () => {
      await alice?.logout();
      await server?.close();
      await cyrus?.stop();
      await rm(directory, { recursive: true, force: true });
    });

    /** One folder of Bob and one of nobody that Alice may read. */
    async function shareFolders(): Promise<void> {
      const admin = await cyrus.client(CYRUS_ADMIN);
      const team = ['user', 'bob', 'team'].join(separator);
      for (const each of [team, 'pub']) {
        await admin.create(each);
        for (const who of [CYRUS_ADMIN, 'alice'])
          await admin.command([`SETACL "${each}" ${who} lrswipkxtecda`]);
        await append(admin, each, `in ${each === team ? 'team' : 'pub'}`);
      }
      await admin.logout();
    }

    it('shows what would come, and what would not', async () => {
      const said = await run('import', 'imap', ...place, '--account', ALICE, '--dry-run');
      assert.equal(said.status, 0, said.err + said.out);
      assert.match(said.out, new RegExp(`Would add ${EARLY + 6} message`));
      assert.match(said.out, /Left: .*team: it is not of this account/);
      assert.match(said.out, /Left: .*pub: it is not of this account/);
      assert.deepEqual(await mailOf(server, ALICE), []);
    });

    it('goes on while mail arrives and is marked, and ends in parity', async () => {
      let arriving = true;
      let late = 0;
      const arrival = (async () => {
        for (; arriving && late < 80; late++) await cyrus.deliver(ALICE, message(`late ${late}`));
      })();
      await imported(run, 'imap', ...place, '--account', ALICE);
      arriving = false;
      await arrival;
      assert.ok(late > 0);
      // Meanwhile there: one is read, one goes for good, one is moved, and one more comes before the cut-over.
      await alice.open('INBOX', 'SELECT');
      await alice.command(['UID STORE 2 +FLAGS (\\Seen \\Answered)']);
      await alice.command(['UID STORE 4 -FLAGS (\\Seen)']);
      await alice.command(['UID STORE 5 +FLAGS (\\Deleted)']);
      await alice.command(['EXPUNGE']);
      await alice.command([`UID MOVE 8 "${box('Lists')}"`]);
      await cyrus.deliver(ALICE, message('the last one'));
      const last = await imported(run, 'imap', ...place, '--account', ALICE, '--mirror', '--verify');
      const parity = last.accounts[0]?.parity ?? [];
      const counted = parity.map((each) => [
        each.mailbox,
        each.there,
        each.here,
        each.sameFlags,
        each.sameOctets,
      ]);
      const full = (mailbox: string, count: number): unknown[] => [mailbox, count, count, count, count];
      const inbox = EARLY + late;
      const want = [
        full('INBOX', inbox),
        full('Gesendet', 1),
        full('Lists', 1),
        full('Lists/Bücher', 1),
        full('R&D', 1),
        full('Rubbish', 1),
        full('日本語', 1),
      ];
      const byName = (a: unknown[], b: unknown[]): number => (String(a[0]) < String(b[0]) ? -1 : 1);
      assert.deepEqual(counted.toSorted(byName), want.toSorted(byName));
      assert.ok(parity.every(({ missing, moved, extra }) => missing + moved + extra === 0));
      await checkHeld();
      const again = await imported(run, 'imap', ...place, '--account', ALICE);
      const sums = again.accounts[0]?.folders.map(({ added, changed, failed }) => added + changed + failed);
      assert.deepEqual([...new Set(sums)], [0]);
    });

    async function checkHeld(): Promise<void> {
      const held = await mailOf(server, ALICE);
      const of = (subject: string) => held.find((each) => each.subject === subject);
      assert.deepEqual(
        [of('early 1')?.flags, of('early 0')?.flags, of('early 3')?.flags, of('large')?.flags],
        ['SR', 'S $Label1 NonJunk', '$Label1 NonJunk', 'F'],
      );
      assert.equal(of('early 4'), undefined);
      assert.deepEqual(
        ['sent', 'thrown away', 'list', 'plans', 'far', 'early 7'].map((subject) => of(subject)?.mailbox),
        ['Sent', 'Trash', 'Lists/Bücher', 'R&D', '日本語', 'Lists'],
      );
      assert.deepEqual([of('plans')?.flags, of('far')?.receivedAt], ['D', T]);
      assert.equal(of('large')?.octets, message('large', 3_000_000).toString('latin1'));
      assert.match(of('the last one')?.octets ?? '', /^Return-Path: <a@remote\.test>\r\nReceived: /);
      assert.equal(new Set(held.map(({ subject }) => subject)).size, held.length, 'nothing came twice');
    }

    it('takes many accounts from a list, by an administrator of Cyrus, over TLS', async () => {
      await writeFile(join(directory, 'people.csv'), `address,user\n${ALICE},\n${BOB},${BOB}\n`);
      const there = [`localhost:${cyrus.port}`, '--tls', 'starttls', '--ca', cyrus.certificate];
      const words = [...there, '--accounts', 'people.csv', '--master', CYRUS_ADMIN];
      const { accounts } = await imported(run, 'imap', ...words, '--password-file', 'secret', '--verify');
      assert.deepEqual(
        accounts.map(({ account, parity }) => [account, parity?.reduce((sum, { here }) => sum + here, 0)]),
        [
          [ALICE, (await mailOf(server, ALICE)).length],
          [BOB, 2],
        ],
      );
      assert.equal(
        accounts[0]?.folders.reduce((sum, { added }) => sum + added, 0),
        0,
        'known again by its octets',
      );
      assert.deepEqual(
        (await mailOf(server, BOB)).map(({ mailbox, subject, flags }) => [mailbox, subject, flags]),
        [
          ['INBOX', 'for bob', 'S'],
          ['team', 'in team', ''],
        ],
      );
    });

    it('brings the inbox where the server does not list it, and says that there may be more', async () => {
      const said = await run('import', 'imap', ...place, '--account', ANNA);
      const [only] = await mailOf(server, ANNA);
      assert.deepEqual([only?.mailbox, only?.subject, only?.flags], ['INBOX', 'for anna', 'S']);
      // Cyrus lists nothing for a name with a dot where dots part levels.
      assert.equal(said.status, options.unixhierarchysep ? 0 : 1, said.out);
      assert.equal(
        /FAILED: \*: the server does not list the inbox/.test(said.out),
        !options.unixhierarchysep,
      );
    });

    // Cyrus takes its time to refuse.
    it('tells of a password that is wrong', { skip: name !== 'INBOX.Sub' && 'once is enough' }, async () => {
      const wrong = ['--password-file', 'wrong', '--account', BOB];
      const refused = await run('import', 'imap', ...place.slice(0, 3), ...wrong);
      assert.equal(refused.status, 1);
      assert.match(refused.out, /FAILED: the server refuses/);
    });

    it('gives mail back to Cyrus, below what its names begin with, once', async () => {
      const to = ['export', 'imap', ...place, '--user', BOB, '--account', ALICE];
      const said = await run(...to);
      assert.equal(said.status, 0, said.err);
      const bob = await cyrus.client(BOB);
      const ours = (await mailOf(server, ALICE)).filter(({ mailbox }) => mailbox === 'INBOX').length;
      assert.equal((await bob.open('INBOX')).exists, ours + 1);
      assert.equal((await bob.open(box('Lists', 'B&APw-cher'))).exists, 1);
      await bob.logout();
      const again = await run(...to, '--json');
      const { mailboxes } = JSON.parse(again.out) as { mailboxes: { written: number }[] };
      assert.ok(mailboxes.every(({ written }) => written === 0));
    });

    it('brings folders of others where that is asked for', async () => {
      const { accounts } = await imported(run, 'imap', ...place, '--account', ALICE, '--shared', '--verify');
      assert.deepEqual(accounts[0]?.passed, []);
      const subjects = (await mailOf(server, ALICE)).map(({ subject }) => subject);
      assert.ok(subjects.includes('in pub') && subjects.includes('in team'));
    });
  });
