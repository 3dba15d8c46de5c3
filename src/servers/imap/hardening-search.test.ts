import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImapClient } from '../../../test/support/imap-client.ts';
import { type ImapTestServer, imapTestServer } from '../../../test/support/imap-server.ts';

/** What other servers have fallen over, as far as it is searched, sorted or fetched; the rest is in hardening.test.ts. */

async function withServer(run: (server: ImapTestServer) => Promise<void>): Promise<void> {
  const server = await imapTestServer();
  try {
    await run(server);
    assert.deepEqual(server.logged, []);
  } finally {
    await server.close();
  }
}

async function filled(server: ImapTestServer, count: number): Promise<ImapClient> {
  const c = await server.ready();
  for (let i = 1; i <= count; i++) await c.append('INBOX', `Subject: m${i}\r\n\r\nbody ${i}\r\n`);
  await c.ok('SELECT INBOX');
  return c;
}

test('search keys of SORT, THREAD and ESEARCH nest no deeper than those of SEARCH (CVE-2026-27857)', () =>
  withServer(async (server) => {
    const c = await filled(server, 1);
    for (const head of ['SORT (DATE) UTF-8 ', 'THREAD REFERENCES UTF-8 ', 'ESEARCH IN (personal) ']) {
      for (const deep of ['('.repeat(3000), 'NOT '.repeat(1000), 'OR ALL '.repeat(1000)])
        await c.expect('BAD', `${head}${deep}ALL`);
      await c.ok(`${head}${'('.repeat(40)}ALL${')'.repeat(40)}`);
    }
  }));

test('many literals in one search count together (CVE-2024-34055)', () =>
  withServer(async (server) => {
    const c = await filled(server, 1);
    const word = Buffer.from('x'.repeat(300));
    const many = Array.from({ length: 400 }, () => ['BODY ', word]).flat();
    const { tagged } = await c.command('SORT (DATE) UTF-8 ', ...many);
    assert.match(tagged, /^BAD literal too large/);
    await c.ok('NOOP');
  }));

test('sets of all UIDs there can be cost nothing, wherever they stand', () =>
  withServer(async (server) => {
    const c = await filled(server, 3);
    await c.ok('ENABLE QRESYNC');
    const every = '1:4294967295';
    const sets = Array.from({ length: 200 }, () => every).join(',');
    assert.deepEqual(await c.ok(`UID FETCH ${sets} UID (PARTIAL -1:-4294967295)`), [
      '1 FETCH (UID 1)',
      '2 FETCH (UID 2)',
      '3 FETCH (UID 3)',
    ]);
    const [sorted = ''] = await c.ok(
      `UID SORT RETURN (PARTIAL 2:4294967295) (REVERSE ARRIVAL) UTF-8 UID ${sets}`,
    );
    assert.match(sorted, / UID PARTIAL \(2:4294967295 2,1\)$/);
    await c.ok(`UID FETCH ${sets} (FLAGS) (CHANGEDSINCE 1 VANISHED)`);
    const { accountId } = server;
    const inbox = await server.store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' });
    await c.ok(`SELECT INBOX (QRESYNC (${inbox?.uidvalidity} 1 ${sets} (${every} ${every})))`);
    assert.deepEqual(await c.ok(`UID COPY ${sets} Trash`), []);
  }));

test('STORE, EXPUNGE, SORT, THREAD and FETCH sent at once are done in their order (Stalwart 0.16.14)', () =>
  withServer(async (server) => {
    const c = await filled(server, 4);
    c.send(
      [
        'a UID STORE 2 +FLAGS.SILENT (\\Deleted)',
        'b UID SORT (REVERSE ARRIVAL) UTF-8 DELETED',
        'c EXPUNGE',
        'd SORT (REVERSE ARRIVAL) UTF-8 ALL',
        'e UID THREAD ORDEREDSUBJECT UTF-8 ALL',
        'f FETCH 2 UID',
        '',
      ].join('\r\n'),
    );
    const expected = [
      /^a OK /,
      '* SORT 2',
      /^b OK /,
      '* 2 EXPUNGE',
      /^c OK /,
      '* SORT 3 2 1',
      /^d OK /,
      '* THREAD (1)(3)(4)',
      /^e OK /,
      '* 2 FETCH (UID 3)',
      /^f OK /,
    ];
    for (const each of expected) await c.next(each);
  }));

test('a chain of hundreds, a ring and a flood of references are threaded, nobody lost and nobody twice', () =>
  withServer(async (server) => {
    const c = await server.ready();
    const mail = (id: string, references: readonly string[], subject: string): string =>
      `Message-ID: <${id}>\r\nSubject: ${subject}\r\nReferences: ${references.map((each) => `<${each}>`).join(' ')}\r\n\r\nx\r\n`;
    // Newest first, so that each parent is known by name alone until it comes.
    for (let i = 300; i > 0; i--) await c.append('INBOX', mail(`c${i}@x`, [`c${i - 1}@x`], `s${i}`));
    for (let i = 0; i < 20; i++) await c.append('INBOX', mail(`r${i}@x`, [`r${(i + 1) % 20}@x`], `r${i}`));
    const flood = Array.from({ length: 3000 }, (_, i) => `f${i}@x`);
    for (let i = 0; i < 5; i++) await c.append('INBOX', mail(`f${i}@x`, flood.toReversed(), `f${i}`));
    await c.ok('SELECT INBOX');
    const [answer = ''] = await c.ok('UID THREAD REFERENCES UTF-8 ALL');
    const chain = Array.from({ length: 300 }, (_, i) => i + 1).toReversed();
    assert(answer.includes(chain.join(' ')), 'the chain is one thread');
    const numbers = answer.match(/\d+/g)?.map(Number) ?? [];
    assert.deepEqual(
      numbers.toSorted((a, b) => a - b),
      Array.from({ length: 325 }, (_, i) => i + 1),
    );
  }));

test('subjects made of brackets and marks are taken apart in linear time', () =>
  withServer(async (server) => {
    const c = await server.ready();
    const subjects = [
      '[]'.repeat(20_000),
      '[fwd:'.repeat(10_000),
      're[]:'.repeat(10_000),
      `${'[a]'.repeat(9000)}re: x`,
    ];
    for (const subject of subjects) await c.append('INBOX', `Subject: ${subject}\r\n\r\nx\r\n`);
    await c.ok('SELECT INBOX');
    const [sorted = ''] = await c.ok('SORT (SUBJECT) UTF-8 ALL');
    assert.equal(sorted.split(' ').length, 5);
    await c.ok('THREAD REFERENCES UTF-8 ALL');
  }));

test('searches kept up to date are bounded, and end with the mailbox', () =>
  withServer(async (server) => {
    const c = await filled(server, 2);
    let refused = 0;
    for (let i = 0; i < 50; i++) {
      const told = await c.ok('UID SEARCH RETURN (UPDATE COUNT) ALL');
      if (told.some((line) => line.startsWith('NO [NOUPDATE'))) refused++;
    }
    assert.equal(refused, 42);
    await c.ok('SELECT Trash');
    await c.append('INBOX', 'Subject: x\r\n\r\nx\r\n');
    assert.deepEqual(await c.ok('NOOP'), []);
  }));

test('sort keys without end are refused', () =>
  withServer(async (server) => {
    const c = await filled(server, 1);
    await c.expect('BAD', `SORT (${'DATE '.repeat(1000)}DATE) UTF-8 ALL`);
    await c.expect('BAD', `SORT (${'REVERSE '.repeat(1000)}DATE) UTF-8 ALL`);
  }));

test('ESEARCH is no oracle of what its user may not read (Cyrus CVE-2026-47081 to 47089)', async () => {
  const server = await imapTestServer();
  try {
    await server.addAccount('bob@example.test');
    const alice = await filled(server, 2);
    await alice.ok('CREATE Secret');
    await alice.append('Secret', 'Subject: needle\r\n\r\nneedle\r\n');
    const bob = await server.ready(undefined, 'bob@example.test');
    for (const name of ['Secret', 'INBOX', 'None'])
      assert.deepEqual(
        await bob.ok(`ESEARCH IN (mailboxes "Other Users/alice@example.test/${name}") TEXT needle`),
        [],
      );
    for (const from of ['subtree "Other Users"', 'subtree ""', 'personal', 'subscribed', 'inboxes'])
      assert.deepEqual(await bob.ok(`ESEARCH IN (${from}) RETURN (COUNT ALL) TEXT needle`), []);
    assert.deepEqual(server.logged, []);
  } finally {
    await server.close();
  }
});

test('UID COPY into the selected mailbox copies what was there, once, and it is sorted in (Stalwart 0.16.17)', () =>
  withServer(async (server) => {
    const c = await filled(server, 3);
    assert.deepEqual(await c.ok('UID COPY 1:* INBOX'), ['6 EXISTS', '6 RECENT']);
    assert.deepEqual(await c.ok('UID SORT (SUBJECT ARRIVAL) UTF-8 ALL'), ['SORT 1 4 2 5 3 6']);
  }));
