import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imapTestServer } from '../../../test/support/imap-server.ts';

/** What is there from the beginning on, and what a login brings. */
const ALWAYS = ['IMAP4rev1', 'IMAP4rev2', 'ENABLE', 'ID'];
const BEFORE = [...ALWAYS, 'LITERAL-', 'SASL-IR'];
const AFTER = [
  ...ALWAYS,
  'ACL',
  'RIGHTS=kxte',
  'APPENDLIMIT=52428800',
  'BINARY',
  'CATENATE',
  'CHILDREN',
  'COMPRESS=DEFLATE',
  'CONDSTORE',
  'CONTEXT=SEARCH',
  'CONTEXT=SORT',
  'CREATE-SPECIAL-USE',
  'ESEARCH',
  'ESORT',
  'FILTERS',
  'I18NLEVEL=1',
  'IDLE',
  'INPROGRESS',
  'LIST-EXTENDED',
  'LIST-METADATA',
  'LIST-MYRIGHTS',
  'LIST-STATUS',
  'LITERAL+',
  'MESSAGELIMIT=1000000',
  'METADATA',
  'METADATA-SERVER',
  'MOVE',
  'MULTIAPPEND',
  'MULTISEARCH',
  'NAMESPACE',
  'NOTIFY',
  'OBJECTID',
  'PARTIAL',
  'PREVIEW',
  'QRESYNC',
  'QUOTA',
  'QUOTA=RES-STORAGE',
  'QUOTA=RES-MESSAGE',
  'QUOTASET',
  'REPLACE',
  'SAVEDATE',
  'SEARCHRES',
  'SORT',
  'SORT=DISPLAY',
  'SPECIAL-USE',
  'STATUS=SIZE',
  'THREAD=ORDEREDSUBJECT',
  'THREAD=REFERENCES',
  'UIDONLY',
  'UIDPLUS',
  'UNAUTHENTICATE',
  'UNSELECT',
  'URLAUTH',
  'URL-PARTIAL',
  'UTF8=ACCEPT',
  'WITHIN',
];

function words(line: string): readonly string[] {
  const match = /CAPABILITY ([^\]]*)/.exec(line);
  assert.ok(match, line);
  return (match[1] ?? '').trim().split(' ');
}

test('capabilities: before and under TLS, after a login, after it is given up, and none of them twice', async () => {
  const server = await imapTestServer({ requireTlsForLogin: true });
  try {
    const client = await server.client();
    const clear = words(await client.next(/^\* OK \[CAPABILITY /));
    for (const each of [...BEFORE, 'STARTTLS', 'LOGINDISABLED']) assert.ok(clear.includes(each), each);
    assert.deepEqual(
      clear.filter((each) => each.startsWith('AUTH=') || AFTER.includes(each)),
      clear.filter((each) => ALWAYS.includes(each)),
    );
    await client.ok('STARTTLS');
    await client.startTls();
    const secure = words((await client.ok('CAPABILITY'))[0] ?? '');
    for (const each of [...BEFORE, 'AUTH=PLAIN', 'AUTH=SCRAM-SHA-256', 'AUTH=SCRAM-SHA-256-PLUS'])
      assert.ok(secure.includes(each), each);
    for (const each of ['STARTTLS', 'LOGINDISABLED']) assert.ok(!secure.includes(each), each);
    await client.ok('LOGIN alice@example.test postern');
    const after = words((await client.ok('CAPABILITY'))[0] ?? '');
    assert.deepEqual(
      AFTER.filter((each) => !after.includes(each)),
      [],
    );
    for (const each of ['STARTTLS', 'LOGINDISABLED', 'LITERAL-']) assert.ok(!after.includes(each), each);
    for (const each of [clear, secure, after]) assert.equal(new Set(each).size, each.length);
    await client.ok('UNAUTHENTICATE');
    assert.deepEqual(words((await client.ok('CAPABILITY'))[0] ?? ''), secure);
  } finally {
    await server.close();
  }
});
