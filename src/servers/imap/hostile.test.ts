import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ImapClient } from '../../../test/support/imap-client.ts';
import { type ImapTestServer, imapTestServer } from '../../../test/support/imap-server.ts';

/** The IMAP lines of the list of inputs that are known to break mail servers. */
let server: ImapTestServer;

before(async () => {
  server = await imapTestServer({ limits: { errorsPerSession: 1000 } });
});

after(async () => {
  assert.deepEqual(server.logged, []);
  await server.close();
});

async function greeted(): Promise<ImapClient> {
  const c = await server.client();
  await c.response();
  return c;
}

test('literals of absurd sizes are refused before a byte is taken', async () => {
  const c = await server.ready();
  for (const size of ['4294967296', '99999999999999999999', '65537', '18446744073709551615'])
    await c.expect('BAD literal too large', `SELECT {${size}}`);
  for (const size of ['-1', '1e3', '', '0x10', ' 5']) await c.expect('BAD', `SELECT {${size}}`);
  await c.expect('NO [TOOBIG]', 'APPEND INBOX {4294967296}');
  await c.expect('NO [TOOBIG]', 'APPEND INBOX {99999999999999999999}');
  c.send('x SELECT {65537+}\r\n');
  assert.match(await c.closed(), /^\* BYE \[TOOBIG\]/);
});

test('before login a literal may have 4,096 octets when it comes unasked, 8 KiB in all', async () => {
  const c = await greeted();
  await c.expect('BAD', 'LOGIN {8193}');
  await c.expect('NO', 'LOGIN ', Buffer.alloc(3000, 'a'), ' ', Buffer.alloc(3000, 'b'));
  assert.equal(
    (await c.command('LOGIN ', Buffer.alloc(5000, 'a'), ' ', Buffer.alloc(5000, 'b'))).tagged,
    'BAD literal too large',
  );
  c.send('x LOGIN {4097+}\r\n');
  assert.match(await c.closed(), /^\* BYE \[TOOBIG\]/);
});

test('many empty literals in one command come to an end', async () => {
  const c = await server.ready();
  c.send(`x SEARCH ${'{0+}\r\n'.repeat(20_000)} ALL\r\n`);
  await c.next(/^x BAD/);
});

test('literals of unknown commands and of commands out of place are passed over', async () => {
  const c = await greeted();
  c.send('1 NONSENSE {12+}\r\n2 LOGOUT\r\n\r\n x {3+}\r\nabc\r\n3 NOOP\r\n');
  await c.next('1 BAD unknown command');
  await c.next('3 OK NOOP completed');
  // A literal that waits for our go-ahead is not asked for.
  c.send('4 SELECT {5}\r\n');
  await c.next(/^4 BAD SELECT needs a login first/);
  await c.ok('NOOP');
});

test('lines of a megabyte are thrown away or end the session', async () => {
  const c = await server.ready();
  c.send(`x NOOP ${'a'.repeat(100_000)}\r\n`);
  await c.next('* BAD command line too long');
  await c.ok('NOOP');
  c.send('a'.repeat(1_000_000));
  assert.match(await c.closed(), /^\* BYE Command line too long/);
  const hidden = await server.ready();
  hidden.send(`x NOOP ${'a'.repeat(100_000)} {12+}\r\ny LOGOUT\r\n\r\n`);
  assert.match(await hidden.closed(), /^\* BYE Command line too long/);
  const early = await greeted();
  early.send(`x NOOP ${'a'.repeat(9000)}\r\n`);
  await early.next('* BAD command line too long');
});

test('NUL, bare CR and bare LF', async () => {
  const c = await server.ready();
  await c.expect('BAD', 'SELECT "a\0b"');
  await c.expect('BAD', 'SELECT "a\rb"');
  await c.expect('BAD', 'SELECT a\rb');
  await c.expect('BAD', 'CREATE ', Buffer.from('a\0b'));
  await c.expect('NO [CANNOT]', 'CREATE ', Buffer.from('a&AA0-b'));
  c.send('x SELECT "a\nb"\r\n');
  assert.match(await c.closed(), /^\* BYE Lines must end in CRLF/);
});

test('sets: * in an empty mailbox, numbers beyond it, a hundred thousand items', async () => {
  const c = await server.ready();
  await c.ok('CREATE empty');
  await c.ok('SELECT empty');
  await c.expect('BAD', 'FETCH 1:* FLAGS');
  await c.expect('BAD', 'FETCH * FLAGS');
  assert.deepEqual(await c.ok('UID FETCH 1:* FLAGS'), []);
  assert.deepEqual(await c.ok('UID FETCH * FLAGS'), []);
  assert.deepEqual(await c.ok('UID SEARCH 1:* NOT DELETED'), ['SEARCH']);
  assert.deepEqual(await c.ok('UID SEARCH OR 1:* 7'), ['SEARCH']);
  assert.deepEqual(await c.ok('UID SEARCH UID 1:*'), ['SEARCH']);
  await c.ok('UID STORE 1:* +FLAGS (\\Seen)');
  await c.ok('UID COPY 1:* INBOX');
  await c.append('empty', 'Subject: x\r\n\r\n');
  await c.expect('BAD', 'UID FETCH 4294967296 FLAGS');
  await c.expect('BAD', 'UID FETCH 0 FLAGS');
  assert.deepEqual(await c.ok('UID FETCH 4294967295:* UID'), ['1 FETCH (UID 1)']);
  await c.expect('BAD', 'FETCH 2 FLAGS');
  const many = Array.from({ length: 12_000 }, (_, i) => i + 1).join(',');
  assert.deepEqual(await c.ok(`UID FETCH ${many.slice(0, 60_000).replace(/,\d*$/, '')} UID`), [
    '1 FETCH (UID 1)',
  ]);
  c.send(`x FETCH ${Array.from({ length: 100_000 }, (_, i) => i + 1).join(',')} UID\r\n`);
  // Too long to find its end.
  assert.match(await c.closed(), /^\* BYE Command line too long/);
});

test('sections of parts that are not there', async () => {
  const c = await server.ready();
  await c.ok('CREATE parts');
  await c.append('parts', 'Subject: x\r\n\r\nbody');
  await c.ok('SELECT parts');
  assert.deepEqual(
    await c.ok(
      `FETCH 1 (BODY.PEEK[2] BODY.PEEK[1.1.TEXT] BODY.PEEK[${'1.'.repeat(5000)}1] BINARY.PEEK[7] BINARY.SIZE[7])`,
    ),
    [
      `1 FETCH (BODY[2] NIL BODY[1.1.TEXT] NIL BODY[${'1.'.repeat(100)}1] NIL BINARY[7] NIL BINARY.SIZE[7] 0)`,
    ],
  );
  assert.deepEqual(await c.ok('FETCH 1 BODY.PEEK[1.MIME]'), [
    '1 FETCH (BODY[1.MIME] {14}\r\nSubject: x\r\n\r\n)',
  ]);
  await c.expect('BAD', 'FETCH 1 BODY.PEEK[]<0.0>');
  assert.deepEqual(await c.ok('FETCH 1 BODY.PEEK[]<4294967295.1>'), ['1 FETCH (BODY[]<4294967295> {0}\r\n)']);
  assert.deepEqual(await c.ok('FETCH 1 BODY.PEEK[TEXT]<1.4294967295>'), [
    '1 FETCH (BODY[TEXT]<1> {3}\r\nody)',
  ]);
});

test('an unknown transfer encoding costs only BINARY', async () => {
  const c = await server.ready();
  await c.ok('CREATE cte');
  await c.append('cte', 'Subject: x\r\nContent-Transfer-Encoding: x-nonsense\r\n\r\nbody');
  await c.append('cte', 'Subject: y\r\n\r\nbody');
  await c.ok('SELECT cte');
  assert.deepEqual(await c.expect('NO [UNKNOWN-CTE]', 'FETCH 1:2 (UID BINARY.PEEK[1])'), [
    '2 FETCH (UID 2 BINARY[1] {4}\r\nbody)',
  ]);
  assert.deepEqual(await c.ok('FETCH 1 BODY.PEEK[1]'), ['1 FETCH (BODY[1] {4}\r\nbody)']);
});

test('mailbox names', async () => {
  const c = await server.ready();
  for (const bad of [
    '&AGE-',
    '&',
    '"&AP"',
    '""',
    '/',
    '/etc',
    'a//b',
    '"a/&AAA-"',
    'x'.repeat(2000),
    `${'a/'.repeat(30)}b`,
  ]) {
    const { tagged } = await c.command(`CREATE ${bad}`);
    assert.match(tagged, /^(NO \[|BAD )/, bad.slice(0, 20));
  }
  for (const good of [
    '..',
    '../../etc',
    '~',
    'INBOX/x',
    'inbox/Y',
    'trailing/',
    '"a b"',
    '"%"',
    'Entw&APw-rfe',
  ])
    await c.ok(`CREATE ${good}`);
  assert.deepEqual(await c.ok('LIST "" "INBOX/*"'), [
    'LIST (\\HasNoChildren) "/" "INBOX/Y"',
    'LIST (\\HasNoChildren) "/" "INBOX/x"',
  ]);
  assert.deepEqual(await c.ok('LIST "" trailing*'), ['LIST (\\HasNoChildren) "/" "trailing"']);
  await c.expect('NO [ALREADYEXISTS]', 'CREATE INBOX');
  await c.expect('NO [CANNOT]', 'DELETE INBOX');
  await c.expect('NO [NONEXISTENT]', 'DELETE nonsense');
  await c.expect('NO', 'RENAME trailing trailing/child');
  await c.expect('NO [TRYCREATE]', 'APPEND nonsense {5}');
});

test('RENAME INBOX moves its messages and leaves it empty', async () => {
  const own = await imapTestServer();
  const c = await own.ready();
  await c.append('INBOX', 'Subject: x\r\n\r\n');
  await c.ok('RENAME INBOX old');
  assert.deepEqual(await c.ok('STATUS INBOX (MESSAGES)'), ['STATUS "INBOX" (MESSAGES 0)']);
  assert.deepEqual(await c.ok('STATUS old (MESSAGES)'), ['STATUS "old" (MESSAGES 1)']);
  await own.close();
});

test('LIST and LSUB with too many wildcards or patterns', async () => {
  const c = await server.ready();
  const most = '*a%'.repeat(100);
  await c.ok(`LIST "" ${most}`);
  await c.ok(`LSUB "" ${most}`);
  // RFC 9051 section 6.3.9: a pattern that is not accepted matches nothing; the others count.
  assert.deepEqual(await c.ok(`LIST "" ${most}*`), []);
  assert.deepEqual(await c.ok(`LSUB "" ${most}*`), []);
  assert.deepEqual(await c.ok(`LIST "*${'a'.repeat(200)}" ${'a'.repeat(100)}`), []);
  assert.deepEqual(await c.ok(`LIST "" ${'a'.repeat(1301)}`), []);
  const [inbox = '', ...others] = await c.ok(`LIST "" (${most}* INBOX)`);
  assert.match(inbox, /^LIST \(\\Has(?:No)?Children\) "\/" "INBOX"$/);
  assert.deepEqual(others, []);
  // A long name is no danger: what is below it can be listed.
  await c.ok(`LIST "" ${'a'.repeat(1000)}/%`);
  const ten = Array.from({ length: 10 }, () => most).join(' ');
  await c.ok(`LIST "" (${ten})`);
  await c.expect('NO [LIMIT]', `LIST "" (${ten} x)`);
});

test('IDLE with DONE on its heels, and with nonsense', async () => {
  const c = await server.ready('INBOX');
  c.send('x IDLE\r\nDONE\r\ny NOOP\r\n');
  await c.next('+ idling');
  await c.next('x OK IDLE completed');
  await c.next('y OK NOOP completed');
  c.send('x IDLE\r\ny NOOP\r\n');
  await c.next('+ idling');
  await c.next('x BAD IDLE: expected DONE');
  await c.ok('NOOP');
});

test('APPEND cut off in mid-literal leaves nothing', async () => {
  const c = await server.ready();
  await c.ok('CREATE cut');
  const d = await server.ready();
  d.send('x APPEND cut {1000+}\r\nSubject: x\r\n');
  await c.ok('NOOP');
  d.close();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(await c.ok('STATUS cut (MESSAGES)'), ['STATUS "cut" (MESSAGES 0)']);
});

test('APPEND that is refused stays in step', async () => {
  const c = await server.ready();
  c.send(
    '1 APPEND nonsense {12+}\r\n2 LOGOUT\r\n\r\n\r\n3 APPEND INBOX (\\Foo) {12+}\r\n4 LOGOUT\r\n\r\n\r\n5 APPEND INBOX {12+}\r\n6 LOGOUT\r\n\r\n more\r\n7 NOOP\r\n',
  );
  await c.next(/^1 NO \[TRYCREATE\]/);
  await c.next(/^3 BAD/);
  await c.next(/^5 BAD/);
  await c.next('7 OK NOOP completed');
  await c.expect('NO [CANNOT]', 'APPEND INBOX {0}');
  await c.expect('BAD', 'APPEND INBOX "32-Foo-2026 00:00:00 +0000" {5}');
});

test('searches: huge keys, texts that look like regular expressions, nonsense charsets', async () => {
  const c = await server.ready('INBOX');
  await c.ok('SEARCH TEXT ', Buffer.alloc(60_000, '(a+)+$'));
  await c.ok('SEARCH SUBJECT "(.*)*[" BODY "\\\\1"');
  for (const charset of ['NONSENSE', '""', '__proto__', 'constructor', '"utf-8 x"']) {
    const { tagged } = await c.command(`SEARCH CHARSET ${charset} ALL`);
    assert.match(tagged, charset === '""' ? /^OK/ : /^NO \[BADCHARSET/, charset);
  }
  await c.expect('BAD', `SEARCH ${'('.repeat(20_000)}ALL`);
  await c.expect('BAD', `SEARCH ${'NOT '.repeat(10_000)}ALL`);
  await c.expect('BAD', 'SEARCH HEADER');
  await c.expect('BAD', 'SEARCH toString');
});

test('keywords: thousands, a kilobyte long, with ] and \\*', async () => {
  const c = await server.ready();
  await c.ok('CREATE keywords');
  await c.append('keywords', 'Subject: x\r\n\r\n');
  await c.ok('SELECT keywords');
  await c.expect(
    'NO [LIMIT]',
    `STORE 1 +FLAGS (${Array.from({ length: 2000 }, (_, i) => `k${i}`).join(' ')})`,
  );
  await c.expect('NO [LIMIT]', `STORE 1 +FLAGS (${'k'.repeat(1000)})`);
  await c.expect('BAD', 'STORE 1 +FLAGS (a])');
  await c.expect('BAD', 'STORE 1 +FLAGS (\\*)');
  assert.deepEqual(await c.ok('FETCH 1 FLAGS'), ['1 FETCH (FLAGS (\\Recent))']);
});

test('tags and commands that are none', async () => {
  const c = await server.ready();
  c.send('\r\n');
  await c.next(/^\* BAD expected a tag/);
  c.send(' NOOP\r\n');
  await c.next(/^\* BAD/);
  c.send('+ NOOP\r\n');
  await c.next(/^\* BAD/);
  c.send('x\r\n');
  await c.next(/^x BAD expected a space/);
  c.send('x UID\r\n');
  await c.next(/^x BAD/);
  c.send('x UID __PROTO__ 1\r\n');
  await c.next('x BAD unknown command');
  c.send('GET / HTTP/1.1\r\n');
  await c.next(/^GET BAD/);
});

test('read-only means it', async () => {
  const c = await server.ready();
  await c.ok('CREATE ro');
  await c.append('ro', 'Subject: x\r\n\r\nbody', '\\Deleted');
  await c.ok('EXAMINE ro');
  for (const command of ['STORE 1 +FLAGS (\\Seen)', 'EXPUNGE', 'UID EXPUNGE 1', 'MOVE 1 Trash'])
    await c.expect('NO [READ-ONLY]', command);
  assert.deepEqual(await c.ok('FETCH 1 BODY[TEXT]'), ['1 FETCH (BODY[TEXT] {4}\r\nbody)']);
  await c.ok('CLOSE');
  assert.deepEqual(await c.ok('STATUS ro (MESSAGES UNSEEN)'), ['STATUS "ro" (MESSAGES 1 UNSEEN 1)']);
});
