import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ImapTestServer, imapTestServer } from '../../../test/support/imap-server.ts';

/**
 * What other servers were caught by, before login and between accounts (CVE numbers are theirs), each as a test of ours.
 * Literals, lines and sets are in hostile.test.ts, STARTTLS injection is in session.test.ts.
 */

async function withServer(
  run: (server: ImapTestServer) => Promise<void>,
  more: Parameters<typeof imapTestServer>[0] = {},
): Promise<void> {
  const server = await imapTestServer(more);
  try {
    await run(server);
    assert.deepEqual(server.logged, []);
  } finally {
    await server.close();
  }
}

test('parentheses without end before and after login (CVE-2026-27857)', () =>
  withServer(
    async (server) => {
      const c = await server.client();
      await c.next(/^\* OK/);
      await c.expect('BAD', `LOGIN ${'('.repeat(5000)}`);
      await c.expect('BAD', `ID ${'('.repeat(5000)}`);
      await c.ok('LOGIN alice@example.test postern');
      for (const command of [
        `LIST "" ${'('.repeat(20_000)}`,
        `NOTIFY SET ${'('.repeat(20_000)}`,
        `NOTIFY SET (personal ${'('.repeat(20_000)}`,
        `SETMETADATA INBOX ${'('.repeat(20_000)}`,
        `GETMETADATA ${'('.repeat(20_000)}`,
        `SETQUOTA "User quota" ${'('.repeat(20_000)}`,
        `LIST "" * RETURN (METADATA ${'('.repeat(20_000)}`,
      ])
        await c.expect('BAD', command);
      await c.ok('NOOP');
    },
    { limits: { errorsPerSession: 100 } },
  ));

test('base64 without end in AUTHENTICATE (CVE-2025-59028)', () =>
  withServer(async (server) => {
    const c = await server.client();
    await c.next(/^\* OK/);
    c.send('a AUTHENTICATE PLAIN\r\n');
    await c.next('+ ');
    c.send(`${'A'.repeat(100_000)}\r\n`);
    assert.match(await c.closed(), /^\* BYE Response too long\r\n$/);
    const d = await server.client();
    await d.next(/^\* OK/);
    const { tagged } = await d.command(`AUTHENTICATE PLAIN ${'A'.repeat(7000)}`);
    assert.match(tagged, /^(?:NO|BAD) /);
  }));

test('negative and zero literals (WildDuck, 2026)', () =>
  withServer(async (server) => {
    const c = await server.client();
    await c.next(/^\* OK/);
    for (const literal of ['{-1}', '{-1+}', '{+}', '{}', '{1e9}', '{0x10}'])
      await c.expect('BAD', `LOGIN ${literal}`);
    await c.expect('NO', 'LOGIN {0+}\r\n {0+}\r\n');
    await c.ok('LOGIN alice@example.test postern');
    await c.expect('NO [CANNOT]', 'APPEND INBOX {0+}\r\n');
  }));

test('a command that comes before its login is not run after it', () =>
  withServer(async (server) => {
    const c = await server.client();
    await c.next(/^\* OK/);
    c.send('a SELECT INBOX\r\nb LOGIN alice@example.test postern\r\nc SELECT INBOX\r\n');
    await c.next(/^a BAD SELECT needs a login first/);
    await c.next(/^b OK/);
    for (;;) if (String(await c.response()).startsWith('c OK')) return;
  }));

test('one connection, two accounts: nothing of the first is left for the second (CVE-2020-24386)', () =>
  withServer(async (server) => {
    await server.addAccount('bob@example.test');
    const c = await server.ready();
    await c.append('INBOX', 'Subject: secret\r\n\r\nsecret\r\n');
    await c.ok('SELECT INBOX');
    await c.ok('UID SEARCH RETURN (SAVE) ALL');
    await c.ok('ENABLE CONDSTORE');
    await c.ok('NOTIFY SET (personal (MessageNew MessageExpunge MailboxName))');
    await c.ok('UNAUTHENTICATE');
    await c.ok('LOGIN bob@example.test postern');
    // What happens in the first account is not told any more.
    const other = await server.ready();
    await other.ok('CREATE Hidden');
    await other.append('INBOX', 'Subject: more\r\n\r\nsecret\r\n');
    assert.deepEqual(await c.ok('NOOP'), []);
    await c.expect('BAD', 'FETCH 1 BODY[]');
    await c.ok('SELECT INBOX');
    assert.deepEqual(await c.ok('UID FETCH $ BODY[]'), []);
    assert.deepEqual(await c.ok('SEARCH TEXT secret'), ['SEARCH']);
    const listed = await c.ok('LIST "" *');
    assert.equal(
      listed.some((line) => line.includes('Hidden')),
      false,
    );
  }));

test('LISTRIGHTS, MYRIGHTS and GETACL are no oracle (Cyrus CVE-2026-47081 to 47089)', () =>
  withServer(async (server) => {
    await server.addAccount('bob@example.test');
    const alice = await server.ready();
    await alice.ok('CREATE Real');
    const bob = await server.ready(undefined, 'bob@example.test');
    const real = 'Other Users/alice@example.test/Real';
    const answers = async (name: string): Promise<string[]> => {
      const all: string[] = [];
      for (const command of [
        `LISTRIGHTS "${name}" bob@example.test`,
        `MYRIGHTS "${name}"`,
        `GETACL "${name}"`,
        `SETACL "${name}" bob@example.test lr`,
        `DELETEACL "${name}" bob@example.test`,
        `SELECT "${name}"`,
        `EXAMINE "${name}"`,
        `STATUS "${name}" (MESSAGES)`,
        `GETQUOTAROOT "${name}"`,
        `GETMETADATA "${name}" /shared/comment`,
        `SETMETADATA "${name}" (/private/comment "x")`,
        `CREATE "${name}/Below"`,
        `DELETE "${name}"`,
        `RENAME "${name}" "${name}2"`,
        `SUBSCRIBE "${name}"`,
        `APPEND "${name}" {1+}\r\nx`,
        `LIST "" "${name}" RETURN (STATUS (MESSAGES) MYRIGHTS)`,
        `NOTIFY SET STATUS (mailboxes "${name}" (MessageNew MessageExpunge MailboxName))`,
        'NOTIFY NONE',
      ]) {
        const { untagged, tagged } = await bob.command(command);
        all.push([...untagged, tagged].join('|'));
      }
      return all;
    };
    // A mailbox that is there, one that is not, one of a person that is not.
    const hidden = await answers(real);
    assert.deepEqual(hidden, await answers('Other Users/alice@example.test/None'));
    assert.deepEqual(hidden, await answers('Other Users/nobody@example.test/None'));
    // Nor does a list that others may see tell whose address exists.
    await alice.ok('CREATE Mine');
    const one = await alice.ok('LISTRIGHTS Mine bob@example.test');
    const none = await alice.ok('LISTRIGHTS Mine nobody@example.test');
    assert.equal(String(one).replace('bob', 'nobody'), String(none));
  }));

test('a right that is taken away ends an answer that is under way, IDLE, and what was sent ahead', () =>
  withServer(async (server) => {
    await server.addAccount('bob@example.test');
    const alice = await server.ready();
    await alice.ok('CREATE Big');
    for (let i = 0; i < 3; i++)
      await alice.append('Big', `Subject: ${i}\r\n\r\n${'secret '.repeat(100)}\r\n`);
    const name = '"Other Users/alice@example.test/Big"';
    const grant = (): Promise<unknown> => alice.ok('SETACL Big bob@example.test lr');
    await grant();
    const idle = await server.ready(name, 'bob@example.test');
    const piped = await server.ready(name, 'bob@example.test');
    idle.send('a IDLE\r\n');
    await idle.next('+ idling');
    await alice.ok('DELETEACL Big bob@example.test');
    assert.match(await idle.closed(), /^\* BYE \[UNAVAILABLE\] The selected mailbox was deleted\r\n$/);
    piped.send('a FETCH 1:* BODY[]\r\nb FETCH 1:* BODY[]\r\n');
    assert.doesNotMatch(await piped.closed(), /secret/);
    // It counts the other way at once, too.
    await grant();
    const again = await server.ready(name, 'bob@example.test');
    assert.match(String(await again.ok('FETCH 3 BODY[]')), /secret/);
  }));

test('STORE and EXPUNGE sent together are done in order (Stalwart 0.16.14)', () =>
  withServer(async (server) => {
    const c = await server.ready();
    for (let i = 0; i < 5; i++) await c.append('INBOX', 'x');
    await c.ok('SELECT INBOX');
    c.send(
      'a STORE 1:3 +FLAGS.SILENT (\\Deleted)\r\nb EXPUNGE\r\nc STORE 1:2 +FLAGS.SILENT (\\Flagged)\r\nd SEARCH FLAGGED\r\n',
    );
    for (;;) if (String(await c.response()).startsWith('c OK')) break;
    assert.equal(await c.response(), '* SEARCH 1 2');
  }));

test('COPY and MOVE into the selected mailbox itself end (Stalwart 0.16.17)', () =>
  withServer(async (server) => {
    const c = await server.ready();
    for (let i = 0; i < 5; i++) await c.append('INBOX', 'x');
    await c.ok('SELECT INBOX');
    await c.ok('COPY 1:* INBOX');
    await c.ok('MOVE 1:* INBOX');
    assert.match(String(await c.ok('STATUS INBOX (MESSAGES)')), /MESSAGES 10\b/);
  }));

test('two who fill a quota at the same time do not both fit (quota TOCTOU)', () =>
  withServer(async (server) => {
    await server.addAccount('bob@example.test');
    const alice = await server.ready();
    await alice.ok('CREATE Box');
    await alice.ok('SETACL Box bob@example.test lri');
    await alice.ok('SETQUOTA "User quota" (STORAGE 1)');
    const bob = await server.ready(undefined, 'bob@example.test');
    const octets = 'x'.repeat(600);
    const [first, second] = await Promise.all([
      alice.command(`APPEND Box {600+}\r\n${octets}`),
      bob.command(`APPEND "Other Users/alice@example.test/Box" {600+}\r\n${octets}`),
    ]);
    const tagged = [first.tagged.slice(0, 2), second.tagged.slice(0, 2)].toSorted();
    assert.deepEqual(tagged, ['NO', 'OK']);
  }));
