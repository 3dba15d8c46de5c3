import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Output, run } from '../../bench/support/processes.ts';
import { shownCertificate } from '../support/certificate.ts';
import { corpusMessages, generatedMessages, skipWithoutCorpus } from '../support/corpus.ts';
import type { ImapClient } from '../support/imap-client.ts';
import { fetchBodies, openMailbox } from '../support/imap-mailbox.ts';
import { cleanEnvironment, skipWithout } from '../support/programs.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../support/server.ts';

/** mbsync: a Maildir and an account kept alike, both ways. */

const COUNT = 1000;

describe('mbsync', { skip: skipWithout('mbsync') }, () => {
  let home: string;
  let server: TestServer;
  let client: ImapClient;
  const wanted: Buffer[] = [];

  before(async () => {
    home = mkdtempSync(join(tmpdir(), 'postern-mbsync-'));
    const real = skipWithoutCorpus() === false;
    const messages = real ? corpusMessages('mail', COUNT) : generatedMessages(COUNT);
    mkdirSync(join(home, 'mail/INBOX/cur'), { recursive: true });
    for (const folder of ['new', 'tmp']) mkdirSync(join(home, 'mail/INBOX', folder));
    // A Maildir holds LF line ends; NUL cannot go into an IMAP literal (RFC 9051 section 4.3).
    for (const { octets } of messages.filter((message) => !message.octets.includes(0))) wanted.push(octets);
    server = await startTestServer();
    writeFileSync(join(home, 'certificate.pem'), await shownCertificate(server.ports.imaps ?? 0));
    writeFileSync(join(home, 'mbsyncrc'), configuration(home, server.ports.imap ?? 0));
    client = await openMailbox(server.ports.imaps, { user: 'alice@example.test', password: TEST_PASSWORD });
  });
  after(async () => {
    client.close();
    await server.close();
    rmSync(home, { recursive: true });
  });

  function sync(): Promise<Output> {
    return run('mbsync', ['-c', join(home, 'mbsyncrc'), '-V', '-a'], { env: cleanEnvironment(home) });
  }

  const folder = (name: string): string => join(home, 'mail/INBOX', name);

  /** Message-IDs are not unique in real mail, octets are. Maildir has LF only. */
  const text = (octets: Buffer): string => octets.toString('latin1').replaceAll('\r\n', '\n');

  /** mbsync marks what it puts into a store with a field of its own. */
  const unmarked = (value: string): string => value.replace(/^X-TUID: .*\n/m, '');

  function local(): Map<string, string> {
    const found = new Map<string, string>();
    for (const part of ['cur', 'new']) {
      for (const name of readdirSync(folder(part))) {
        found.set(name, readFileSync(join(folder(part), name), 'latin1'));
      }
    }
    return found;
  }

  async function flags(): Promise<Map<number, string>> {
    const lines = await client.ok('UID FETCH 1:* (UID FLAGS)');
    return new Map(
      lines.flatMap((line) => {
        const uid = /UID (\d+)/.exec(line)?.[1];
        return uid === undefined ? [] : [[Number(uid), /FLAGS \(([^)]*)\)/.exec(line)?.[1] ?? ''] as const];
      }),
    );
  }

  it(`carries ${COUNT} messages up and down, and then has nothing to do`, async (t) => {
    // One half begins here, the other there.
    const half = Math.floor(wanted.length / 2);
    wanted.slice(0, half).forEach((octets, i) => {
      writeFileSync(join(folder('cur'), `1700000000.${i}.here:2,S`), text(octets), 'latin1');
    });
    for (const octets of wanted.slice(half)) await client.append('INBOX', octets.toString('latin1'));
    const first = await sync();
    await client.ok('NOOP');
    const all = wanted.map(text).toSorted();
    const above = [...(await fetchBodies(client)).values()]
      .map((octets) => unmarked(text(octets)))
      .toSorted();
    assert.equal(above.length, all.length);
    assert.deepEqual(above.map(unmarked), all.map(unmarked), 'the account has all of them, byte for byte');
    const here = [...local().values()].map(unmarked).toSorted();
    assert.deepEqual(here, all.map(unmarked), 'the Maildir has all of them, byte for byte');

    const before = [await flags(), local()];
    const second = await sync();
    assert.deepEqual([await flags(), local()], before, 'a second run changes nothing');
    assert.doesNotMatch(second.stdout, /\+[1-9]\d* \*|\*[1-9]|#[1-9]/);
    t.diagnostic(
      `report: mbsync: ${all.length} messages both ways in ${Math.round(first.ms)} ms, second run ${Math.round(second.ms)} ms`,
    );
  });

  it('carries flags and deletions both ways', async () => {
    const uids = [...(await flags()).keys()];
    const [flagged = 0, deleted = 0] = uids.slice(-2);
    await client.ok(`UID STORE ${flagged} +FLAGS (\\Flagged \\Answered)`);
    await client.ok(`UID STORE ${deleted} +FLAGS (\\Deleted)`);
    await client.ok('EXPUNGE');
    const [read = '', gone = ''] = readdirSync(folder('cur')).filter((name) => name.endsWith(':2,S'));
    renameSync(join(folder('cur'), read), join(folder('cur'), read.replace(':2,S', ':2,FS')));
    rmSync(join(folder('cur'), gone));
    const names = (): string[] => ['cur', 'new'].flatMap((part) => readdirSync(folder(part)));
    await sync();
    await client.ok('NOOP');
    const here = names();
    assert.equal(here.length, uids.length - 2);
    assert.equal(here.filter((name) => /:2,\w*F\w*R/.test(name)).length, 1, 'flags came down');
    const above = await flags();
    assert.equal(above.size, uids.length - 2, 'the deletion here went up');
    assert.equal(
      [...above.values()].filter((value) => value.includes('\\Flagged')).length,
      2,
      'a flag went up',
    );
    const state = [await flags(), local()];
    await sync();
    assert.deepEqual([await flags(), local()], state);
  });
});

describe('mbsync with folders', { skip: skipWithout('mbsync') }, () => {
  it('makes, fills and empties folders with names in UTF-8 on both sides', async (t) => {
    const home = mkdtempSync(join(tmpdir(), 'postern-mbsync-'));
    await using server = await startTestServer();
    const client = await openMailbox(server.ports.imaps, {
      user: 'alice@example.test',
      password: TEST_PASSWORD,
    });
    t.after(() => {
      client.close();
      rmSync(home, { recursive: true });
    });
    mkdirSync(join(home, 'mail'));
    writeFileSync(join(home, 'certificate.pem'), await shownCertificate(server.ports.imaps ?? 0));
    const all = configuration(home, server.ports.imap ?? 0)
      .replace('Patterns INBOX\nCreate Near', 'Patterns *\nCreate Both\nRemove Both')
      .replace(`Path ${home}/mail/`, `Path ${home}/mail/\nSubFolders Verbatim`);
    writeFileSync(join(home, 'mbsyncrc'), all);
    const sync = () =>
      run('mbsync', ['-c', join(home, 'mbsyncrc'), '-V', '-a'], { env: cleanEnvironment(home) });
    const names = (folder: string): string[] =>
      ['cur', 'new'].flatMap((part) => readdirSync(join(home, 'mail', folder, part)));

    // Above: a deep name; here: another one. A Maildir of mbsync 1.4 has names as they are on the wire.
    await client.ok('CREATE "Gr&APwA3w-e/&ZeVnLA-"');
    await client.append('"Gr&APwA3w-e/&ZeVnLA-"', 'Subject: above\r\n\r\ntext\r\n', '\\Flagged');
    for (const part of ['cur', 'new', 'tmp'])
      mkdirSync(join(home, 'mail/B&APw-ro', part), { recursive: true });
    writeFileSync(join(home, 'mail/B&APw-ro/cur/1.1.here:2,S'), 'Subject: here\n\ntext\n');
    await sync();
    const deep = 'Gr&APwA3w-e/&ZeVnLA-';
    assert.match(names(deep).join(), /:2,F$/);
    assert.deepEqual(await client.ok('STATUS "B&APw-ro" (MESSAGES UNSEEN)'), [
      'STATUS "B&APw-ro" (MESSAGES 1 UNSEEN 0)',
    ]);
    for (const name of ['Sent', 'Trash', 'Drafts']) assert.deepEqual(names(name), []);

    // Deleted on the one side, and on the other.
    // A flagged one that nobody has read lies in "new".
    const [gone = ''] = names(deep);
    for (const part of ['cur', 'new']) rmSync(join(home, 'mail', deep, part, gone), { force: true });
    await client.ok('SELECT "B&APw-ro"');
    await client.ok('STORE 1 +FLAGS (\\Deleted)');
    await client.ok('EXPUNGE');
    await sync();
    assert.deepEqual(names('B&APw-ro'), []);
    assert.match((await client.ok(`STATUS "${deep}" (MESSAGES)`)).join(), /MESSAGES 0/);

    // A folder that goes above, empty by now, goes here too.
    await client.ok('UNSELECT');
    await client.ok('DELETE "B&APw-ro"');
    await sync();
    assert.ok(!readdirSync(join(home, 'mail')).includes('B&APw-ro'));
    const again = await sync();
    assert.doesNotMatch(again.stdout, /\+[1-9]\d* \*|\*[1-9]|#[1-9]/);
  });
});

function configuration(home: string, port: number): string {
  return `IMAPAccount server
Host 127.0.0.1
Port ${port}
User alice@example.test
Pass "${TEST_PASSWORD}"
SSLType STARTTLS
CertificateFile ${home}/certificate.pem
SystemCertificates no

IMAPStore there
Account server

MaildirStore here
Path ${home}/mail/
Inbox ${home}/mail/INBOX

Channel both
Far :there:
Near :here:
Patterns INBOX
Create Near
Expunge Both
Sync All
SyncState *
CopyArrivalDate yes
`;
}
