import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ImapClient } from '../../../test/support/imap-client.ts';
import { type ImapTestServer, imapTestServer } from '../../../test/support/imap-server.ts';

/** What is told from memory, in columns, is what is told row by row. */
let server: ImapTestServer;

before(async () => {
  server = await imapTestServer();
});

after(async () => {
  assert.deepEqual(server.logged, []);
  await server.close();
});

/** A long field makes a header that no row of the quick way has room for. */
const LONG = `X-Long: ${'a'.repeat(900)}\r\n`.repeat(80);

async function mailbox(name: string): Promise<ImapClient> {
  const writer = await server.ready();
  await writer.ok(`CREATE ${name}`);
  for (let n = 1; n <= 12; n++) {
    const flags = ['', '\\Seen', '$Work', '\\Answered \\Flagged own'][n % 4] ?? '';
    const more = n === 5 ? LONG : '';
    await writer.append(name, `Subject: number ${n}\r\nFrom: a@x.test\r\n${more}\r\nbody ${n}\r\n`, flags);
  }
  await writer.ok(`SELECT ${name}`);
  await writer.ok('STORE 3,7 +FLAGS (\\Deleted)');
  await writer.ok('EXPUNGE');
  return writer;
}

const isFetch = (line: string): boolean => / FETCH /.test(line);

test('flags and numbers are the same with and without CHANGEDSINCE, which has rows read one by one', async () => {
  const c = await mailbox('Numbers');
  for (const items of [
    'UID FLAGS INTERNALDATE RFC822.SIZE SAVEDATE EMAILID MODSEQ',
    'FLAGS MODSEQ',
    'RFC822.SIZE UID MODSEQ',
  ]) {
    for (const set of ['1:*', '2:4,7', '10']) {
      const quick = (await c.ok(`FETCH ${set} (${items})`)).filter(isFetch);
      const rows = (await c.ok(`FETCH ${set} (${items}) (CHANGEDSINCE 1)`)).filter(isFetch);
      assert.deepEqual(quick, rows);
      assert.ok(quick.length > 0);
    }
    assert.deepEqual(
      (await c.ok(`UID FETCH 2:9 (${items})`)).filter(isFetch),
      (await c.ok(`UID FETCH 2:9 (${items}) (CHANGEDSINCE 1)`)).filter(isFetch),
    );
  }
});

test('headers and fields are the same the first time, the next time and among others that were never read', async () => {
  const c = await mailbox('Headers');
  const items = 'UID BODY.PEEK[HEADER.FIELDS (SUBJECT X-NONE)] FLAGS BODY.PEEK[HEADER]';
  const third = (await c.ok(`FETCH 3 (${items})`)).filter(isFetch);
  const first = (await c.ok(`FETCH 1:* (${items})`)).filter(isFetch);
  const next = (await c.ok(`FETCH 1:* (${items})`)).filter(isFetch);
  assert.equal(first.length, 10);
  assert.deepEqual(first[2], third[0]);
  assert.deepEqual(next, first);
  assert.match(
    first[9] ?? '',
    /^10 FETCH \(UID 12 BODY\[HEADER\.FIELDS \(SUBJECT X-NONE\)\] \{22\}\r\nSubject: number 12\r\n/,
  );
  const long = first[3] ?? '';
  assert.equal(long.split('X-Long').length, 81);
});

test('envelopes and structures are the same the first time and the next', async () => {
  const c = await mailbox('Envelopes');
  const items = 'UID FLAGS ENVELOPE INTERNALDATE BODYSTRUCTURE';
  const one = (await c.ok(`FETCH 6 (${items})`)).filter(isFetch);
  const first = (await c.ok(`FETCH 1:* (${items})`)).filter(isFetch);
  assert.deepEqual((await c.ok(`FETCH 1:* (${items})`)).filter(isFetch), first);
  assert.equal(first.length, 10);
  assert.equal(first[5], one[0]);
  assert.match(first[5] ?? '', /ENVELOPE \(NIL "number 8" .* BODYSTRUCTURE \("text" "plain"/i);
});

test('who reads while another session changes flags is told the newest ones, and of what went', async () => {
  const a = await mailbox('Both');
  const b = await server.ready('Both');
  await b.ok('FETCH 1:* (UID FLAGS)');
  await a.ok('STORE 1:* FLAGS.SILENT (\\Draft)');
  const seen = (await b.ok('FETCH 1:* (UID FLAGS)')).filter(isFetch);
  assert.deepEqual(
    seen.slice(0, 10).map((line) => /FLAGS \((.*?)\)/.exec(line)?.[1]),
    Array.from({ length: 10 }, () => '\\Draft'),
  );
  await a.ok('STORE 2 +FLAGS (\\Deleted)');
  await a.ok('EXPUNGE');
  const last = await b.command('FETCH 1:3 (UID)');
  assert.match(last.tagged, /^NO \[EXPUNGEISSUED\]/);
  assert.deepEqual(
    last.untagged.filter((line) => /^\d+ FETCH \(UID \d+\)$/.test(line)),
    ['1 FETCH (UID 1)', '3 FETCH (UID 4)'],
  );
  assert.ok((await b.ok('NOOP')).includes('2 EXPUNGE'));
});
