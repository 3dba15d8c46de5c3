import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ImapClient } from '../../../test/support/imap-client.ts';
import { type ImapTestServer, imapTestServer } from '../../../test/support/imap-server.ts';

/** URLs that let others in (RFC 4467): to whom, until when, and what forged ones get. */

const BODY = 'PGI+aGVsbG88L2I+\r\n';
const MESSAGE = [
  'Subject: two\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n',
  '--b\r\nContent-Type: text/plain\r\n\r\nplain text\r\n',
  `--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n${BODY}`,
  '--b\r\nContent-Type: text/x\r\nContent-Transfer-Encoding: x-none\r\n\r\nx\r\n--b--\r\n',
].join('');

let server: ImapTestServer;
let alice: ImapClient;
let bob: ImapClient;
let carol: ImapClient;

before(async () => {
  server = await imapTestServer();
  await server.addAccount('bob@example.test');
  await server.addAccount('carol@example.test');
  alice = await server.ready();
  bob = await server.ready(undefined, 'bob@example.test');
  carol = await server.ready(undefined, 'carol@example.test');
  await alice.append('INBOX', MESSAGE);
});
after(() => server.close());

const HOST = 'imap://alice%40example.test@mail.example.test';

/** Alice authorizes a URL. */
async function authorized(rest: string): Promise<string> {
  const [line = ''] = await alice.ok(`GENURLAUTH "${HOST}${rest}" INTERNAL`);
  return line.replace(/^GENURLAUTH "(.*)"$/, '$1');
}

/** What somebody gets for a URL, its label left out. */
async function fetched(who: ImapClient, url: string, parameters = ''): Promise<string> {
  const [line = ''] = await who.ok(
    parameters === '' ? `URLFETCH "${url}"` : `URLFETCH ("${url}" ${parameters})`,
  );
  return line.slice(`URLFETCH "${url}" `.length);
}

test('a URL for one person lets in that person alone', async () => {
  const url = await authorized('/INBOX/;UID=1/;SECTION=1;URLAUTH=user+bob%40example.test');
  assert.equal(await fetched(bob, url), '{10}\r\nplain text');
  assert.equal(await fetched(carol, url), 'NIL');
  assert.equal(await fetched(alice, url), 'NIL');
});

test('authuser and anonymous let in anybody here, submit+ nobody', async () => {
  for (const access of ['authuser', 'anonymous']) {
    const url = await authorized(`/INBOX/;UID=1/;SECTION=1/;PARTIAL=2.3;URLAUTH=${access}`);
    assert.equal(await fetched(carol, url), '{3}\r\nain');
  }
  const url = await authorized('/INBOX/;UID=1;URLAUTH=submit+bob%40example.test');
  assert.equal(await fetched(bob, url), 'NIL');
});

test('no part of a URL can be changed, nor its token guessed', async () => {
  const url = await authorized('/INBOX/;UID=1/;SECTION=1;URLAUTH=user+bob%40example.test');
  const forged = [
    url.replace('SECTION=1', 'SECTION=2'),
    url.replace('SECTION=1', 'section=1'),
    url.replace('user+bob%40example.test', 'anonymous'),
    url.replace('bob%40', 'BOB%40'),
    url.replace('UID=1', 'UID=2'),
    url.replace('alice%40example.test@', 'bob%40example.test@'),
    url.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')),
    url.slice(0, -2),
    `${url}00`,
    url.replace(/:internal:.*/, `:internal:01${'0'.repeat(64)}`),
    url.replace(':internal:', ':other:'),
    url.replace(/:internal:.*/, ''),
  ];
  for (const each of forged) assert.equal(await fetched(bob, each), 'NIL', each);
  assert.equal(await fetched(bob, url), '{10}\r\nplain text');
});

test('a URL is void when its time is over, its key was reset, its mailbox or its message has gone', async () => {
  const later = await authorized('/INBOX/;UID=1/;SECTION=1;EXPIRE=2999-01-01T00:00:00Z;URLAUTH=authuser');
  assert.equal(await fetched(bob, later), '{10}\r\nplain text');
  const over = await authorized('/INBOX/;UID=1/;SECTION=1;EXPIRE=2001-01-01T00:00:00Z;URLAUTH=authuser');
  assert.equal(await fetched(bob, over), 'NIL');
  assert.equal(await fetched(bob, over.replace('2001', '2999')), 'NIL');
  await alice.ok('CREATE Box');
  await alice.append('Box', MESSAGE);
  const boxed = await authorized('/Box/;UID=1/;SECTION=1;URLAUTH=authuser');
  assert.equal(await fetched(bob, boxed), '{10}\r\nplain text');
  await alice.ok('RESETKEY Box');
  assert.equal(await fetched(bob, boxed), 'NIL');
  assert.equal(await fetched(bob, later), '{10}\r\nplain text');
  await alice.ok('RESETKEY');
  assert.equal(await fetched(bob, later), 'NIL');
  const again = await authorized('/Box/;UID=1/;SECTION=1;URLAUTH=authuser');
  await alice.ok('DELETE Box');
  assert.equal(await fetched(bob, again), 'NIL');
  await alice.ok('CREATE Box');
  await alice.append('Box', MESSAGE);
  // Another mailbox of that name has another key.
  assert.equal(await fetched(bob, again), 'NIL');
  const gone = await authorized('/Box/;UID=77;URLAUTH=authuser');
  assert.equal(await fetched(bob, gone), 'NIL');
  const section = await authorized('/Box/;UID=1/;SECTION=9;URLAUTH=authuser');
  assert.equal(await fetched(bob, section), 'NIL');
});

test("a URL into somebody else's mailbox is void when the right to read it was taken away", async () => {
  await bob.ok('CREATE Ours');
  await bob.append('Ours', MESSAGE);
  await bob.ok('SETACL Ours alice@example.test lr');
  const url = await authorized('/Other%20Users/bob%40example.test/Ours/;UID=1/;SECTION=1;URLAUTH=authuser');
  assert.equal(await fetched(carol, url), '{10}\r\nplain text');
  await bob.ok('DELETEACL Ours alice@example.test');
  assert.equal(await fetched(carol, url), 'NIL');
});

test('URLAUTH=BINARY: decoded, with the structure of the part (RFC 5524)', async () => {
  const url = await authorized('/INBOX/;UID=1/;SECTION=2;URLAUTH=authuser');
  const structure = '("text" "html" ("charset" "us-ascii") NIL NIL "base64" 16 0 NIL NIL NIL NIL)';
  assert.equal(await fetched(bob, url, 'BINARY'), '(BINARY {12}\r\n<b>hello</b>)');
  assert.equal(await fetched(bob, url, 'BODY'), `(BODY {16}\r\n${BODY.trim()})`);
  assert.equal(await fetched(bob, url, 'BODYPARTSTRUCTURE'), `(BODYPARTSTRUCTURE ${structure})`);
  assert.equal(
    await fetched(bob, url, 'BODYPARTSTRUCTURE BINARY'),
    `(BODYPARTSTRUCTURE ${structure}) (BINARY {12}\r\n<b>hello</b>)`,
  );
  const header = await authorized('/INBOX/;UID=1/;SECTION=HEADER.FIELDS%20(Subject);URLAUTH=authuser');
  assert.equal(
    await fetched(bob, header, 'BODYPARTSTRUCTURE BINARY'),
    '(BODYPARTSTRUCTURE NIL) (BINARY {16}\r\nSubject: two\r\n\r\n)',
  );
  // What cannot be decoded.
  const odd = await authorized('/INBOX/;UID=1/;SECTION=3;URLAUTH=authuser');
  assert.equal(await fetched(bob, odd, 'BINARY'), 'NIL');
  assert.equal(await fetched(bob, odd, 'BODY'), '(BODY {1}\r\nx)');
});

test('CATENATE takes what a URL of somebody else lets in, and no more', async () => {
  const url = await authorized('/INBOX/;UID=1/;SECTION=1;URLAUTH=user+bob%40example.test');
  await bob.ok(`APPEND INBOX CATENATE (TEXT {2+}\r\n\r\n URL "${url}")`);
  await bob.ok('SELECT INBOX');
  assert.equal((await bob.ok('FETCH 1 BODY[TEXT]'))[0]?.includes('plain text'), true);
  await carol.expect('NO [BADURL ', `APPEND INBOX CATENATE (URL "${url}")`);
});
