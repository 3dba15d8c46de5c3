import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ImapTestServer, imapTestServer } from '../../../test/support/imap-server.ts';
import type { BlobStore } from '../../data/blobs/file.ts';
import { Intake } from '../../flow/intake.ts';

/**
 * What other servers were caught by, before login and between accounts (CVE numbers are theirs), each as a test of ours.
 * Literals, lines and sets are in hostile.test.ts, STARTTLS injection and clients that do not read in session.test.ts,
 * deflate bombs in compress.test.ts, forged URLs in urlauth.test.ts, pipelining of sessions in concurrency.test.ts.
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

test('many literals in one command: messages, parts and URLs have an end (Cyrus CVE-2024-34055)', () =>
  withServer(
    async (server) => {
      const c = await server.ready();
      const many = (start: string, piece: string, end: string): void =>
        c.send(`a ${start}${piece.repeat(5000)}${end}\r\nb NOOP\r\n`);
      many('APPEND INBOX', ' {1+}\r\nx', '');
      await c.next(/^a NO \[LIMIT\]/);
      await c.next(/^b OK/);
      many('APPEND INBOX CATENATE (TEXT {1+}\r\nx', ' TEXT {0+}\r\n', ')');
      await c.next(/^a NO \[LIMIT\]/);
      await c.next(/^b OK/);
      many('APPEND INBOX CATENATE (TEXT {1+}\r\nx', ' URL {1+}\r\nx', ')');
      await c.next(/^a NO \[BADURL/);
      await c.next(/^b OK/);
      many('URLFETCH', ' x', '');
      await c.next(/^a NO \[LIMIT\]/);
      await c.next(/^b OK/);
      many('URLFETCH', ' {2+}\r\nxx', '');
      await c.next(/^a (?:NO|BAD)/);
      await c.next(/^b OK/);
      for (const command of [
        `APPEND INBOX ${'('.repeat(20_000)}`,
        `APPEND INBOX CATENATE ${'('.repeat(20_000)}`,
        `URLFETCH ${'('.repeat(20_000)}`,
        `FETCH 1 (PREVIEW ${'('.repeat(20_000)}`,
      ])
        await c.expect('BAD', command);
      assert.match(String(await c.ok('STATUS INBOX (MESSAGES UIDNEXT)')), /MESSAGES 0 UIDNEXT 1/);
    },
    { limits: { errorsPerSession: 100 } },
  ));

test('MULTIAPPEND with one bad part, or cut off, leaves nothing: no message and no file', async () => {
  const taken: Intake[] = [];
  let dropped = 0;
  const removed: string[] = [];
  const files = {
    create: () =>
      Promise.resolve({
        write: () => Promise.resolve(),
        finish: () => Promise.resolve(`file ${taken.length}`),
        abort: () => Promise.resolve(void dropped++),
      }),
    remove: (name: string) => Promise.resolve(void removed.push(name)),
    read: () => Promise.reject(new Error('not read')),
  };
  const server = await imapTestServer({
    intake: () => {
      const intake = new Intake({ bodies: files as unknown as BlobStore, maxBytes: 1_000_000 });
      taken.push(intake);
      return intake;
    },
  });
  try {
    const c = await server.ready();
    const large = `Subject: x\r\n\r\n${'x'.repeat(400_000)}`;
    const literal = ` {${large.length}+}\r\n${large}`;
    c.send(`a APPEND INBOX${literal}${literal} {0+}\r\n\r\n`);
    await c.next(/^a NO \[CANNOT\]/);
    assert.deepEqual(removed, ['file 1', 'file 2']);
    c.send(`b APPEND INBOX${literal}${literal} (\\Nonsense( {3+}\r\nabc\r\n`);
    await c.next(/^b BAD/);
    assert.equal(removed.length, 4);
    // The quota is met by another session before the commit.
    await c.ok('SETQUOTA "User quota" (STORAGE 1)');
    c.send(`c APPEND INBOX${literal}\r\n`);
    await c.next(/^c NO \[OVERQUOTA\]/);
    await c.ok('SETQUOTA "User quota" ()');
    const files5 = removed.length;
    c.send(`d APPEND INBOX${literal} {400000+}\r\nSubject: y\r\n\r\n${'y'.repeat(300_000)}`);
    for (let i = 0; i < 100 && taken.length < 7; i++)
      await server.store.read.run('mailstore.quota', { accountId: 1 });
    c.close();
    const d = await server.ready();
    for (let i = 0; i < 200 && removed.length === files5; i++) await d.ok('NOOP');
    assert.equal(removed.length, files5 + 1);
    assert.match(String(await d.ok('STATUS INBOX (MESSAGES)')), /MESSAGES 0/);
    assert.deepEqual(server.logged, []);
  } finally {
    await server.close();
  }
});

test('CATENATE of itself ends at the size that a message may have', () =>
  withServer(
    async (server) => {
      const c = await server.ready('INBOX');
      await c.append('INBOX', `Subject: x\r\n\r\n${'x'.repeat(1000)}`);
      let uid = 1;
      for (;;) {
        const { tagged } = await c.command(
          `APPEND INBOX CATENATE (URL ";UID=${uid}" URL ";UID=${uid}" URL ";UID=${uid}")`,
        );
        if (tagged.startsWith('NO [TOOBIG]')) break;
        assert.match(tagged, /^OK /);
        assert(++uid < 10);
      }
      assert.equal(uid, 5);
    },
    { limits: { messageBytes: 100_000 } },
  ));

test('URLs are no way into mailboxes of others, nor tell what is there (Cyrus CVE-2026-47081 to 47089)', () =>
  withServer(async (server) => {
    await server.addAccount('bob@example.test');
    const alice = await server.ready();
    await alice.append('INBOX', 'Subject: secret\r\n\r\nsecret\r\n');
    const bob = await server.ready('INBOX', 'bob@example.test');
    const urls = [
      'imap://alice%40example.test@mail.example.test/INBOX/;UID=1',
      'imap://bob%40example.test@mail.example.test/Other%20Users/alice%40example.test/INBOX/;UID=1',
      '/Other%20Users/alice%40example.test/INBOX/;UID=1',
      '/Other%20Users/nobody%40example.test/INBOX/;UID=1',
      '/INBOX/;UID=1',
    ];
    const answers = new Set<string>();
    for (const url of urls) {
      const { tagged } = await bob.command(`APPEND INBOX CATENATE (URL "${url}")`);
      assert(tagged.startsWith(`NO [BADURL "${url}"]`), tagged);
      answers.add(tagged.slice(tagged.indexOf(']')));
    }
    assert.equal(answers.size, 1);
    const refusals = new Set<string>();
    for (const where of ['alice', 'nobody']) {
      const url = `imap://bob%40example.test@mail.example.test/Other%20Users/${where}%40example.test/INBOX/;UID=1;URLAUTH=anonymous`;
      refusals.add((await bob.command(`GENURLAUTH "${url}" INTERNAL`)).tagged);
      refusals.add((await bob.command(`RESETKEY "Other Users/${where}@example.test/INBOX"`)).tagged);
    }
    assert.deepEqual([...refusals], ['NO [NONEXISTENT] There is no mailbox of that name']);
  }));
