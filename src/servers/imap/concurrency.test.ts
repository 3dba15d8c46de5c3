import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImapClient } from '../../../test/support/imap-client.ts';
import { Flag } from '../../data/mailstore/types.ts';
import { type ImapTestServer, imapTestServer } from '../../../test/support/imap-server.ts';

async function withServer(run: (server: ImapTestServer) => Promise<void>): Promise<void> {
  const server = await imapTestServer();
  try {
    await run(server);
    assert.deepEqual(server.logged, []);
  } finally {
    await server.close();
  }
}

/** A client with INBOX selected that holds `count` messages with the subjects m1, m2, ... */
async function filled(server: ImapTestServer, count: number): Promise<ImapClient> {
  const c = await server.ready();
  for (let i = 1; i <= count; i++) await c.append('INBOX', `Subject: m${i}\r\n\r\nbody ${i}\r\n`);
  await c.ok('SELECT INBOX');
  return c;
}

test('what another session expunges keeps its number until it is told', () =>
  withServer(async (server) => {
    const a = await filled(server, 5);
    const b = await server.ready('INBOX');
    await a.ok('STORE 2,4 +FLAGS.SILENT (\\Deleted)');
    assert.deepEqual(await a.ok('EXPUNGE'), ['4 EXPUNGE', '2 EXPUNGE']);
    // FETCH, STORE and SEARCH by number tell no EXPUNGE; numbers stay.
    assert.deepEqual(await b.expect('NO [EXPUNGEISSUED]', 'FETCH 1:5 UID'), [
      '1 FETCH (UID 1)',
      '3 FETCH (UID 3)',
      '5 FETCH (UID 5)',
    ]);
    assert.deepEqual(await b.ok('FETCH 5 UID'), ['5 FETCH (UID 5)']);
    await b.expect('NO [EXPUNGEISSUED]', 'STORE 2 +FLAGS (\\Seen)');
    assert.deepEqual(await b.ok('SEARCH SUBJECT m'), ['SEARCH 1 3 5']);
    assert.deepEqual(await b.ok('SEARCH 4:5'), ['SEARCH 4 5']);
    // A UID command may tell, after its own responses.
    assert.deepEqual(await b.ok('UID FETCH 1:* FLAGS'), [
      '1 FETCH (UID 1 FLAGS ())',
      '3 FETCH (UID 3 FLAGS ())',
      '5 FETCH (UID 5 FLAGS ())',
      '4 EXPUNGE',
      '2 EXPUNGE',
    ]);
    assert.deepEqual(await b.ok('FETCH 1:* UID'), ['1 FETCH (UID 1)', '2 FETCH (UID 3)', '3 FETCH (UID 5)']);
    await b.expect('BAD', 'FETCH 4 UID');
  }));

test('IDLE tells arrivals, flags and expunges of other sessions at once', () =>
  withServer(async (server) => {
    const a = await filled(server, 2);
    const b = await server.ready('INBOX');
    b.send('x IDLE\r\n');
    await b.next('+ idling');
    await a.append('INBOX', 'Subject: new\r\n\r\n');
    await b.next('* 3 EXISTS');
    await b.next(/^\* \d RECENT$/);
    await a.ok('STORE 1 +FLAGS (\\Flagged $new)');
    await b.next('* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $new)');
    await b.next(/^\* OK \[PERMANENTFLAGS/);
    await b.next('* 1 FETCH (FLAGS (\\Flagged $new))');
    await a.ok('STORE 2 +FLAGS (\\Deleted)');
    await b.next('* 2 FETCH (FLAGS (\\Deleted))');
    await a.ok('EXPUNGE');
    await b.next('* 2 EXPUNGE');
    b.send('DONE\r\n');
    await b.next('x OK IDLE completed');
  }));

test('own changes are told once, those of others too', () =>
  withServer(async (server) => {
    const a = await filled(server, 3);
    const b = await server.ready('INBOX');
    await a.ok('STORE 1 +FLAGS (\\Flagged)');
    assert.deepEqual(await a.ok('NOOP'), []);
    assert.deepEqual(await b.ok('STORE 2 +FLAGS.SILENT (\\Seen)'), ['1 FETCH (FLAGS (\\Flagged))']);
    assert.deepEqual(await b.ok('NOOP'), []);
    assert.deepEqual(await a.ok('NOOP'), ['2 FETCH (FLAGS (\\Seen \\Recent))']);
    // Reading a body sets \Seen, in the same response, and only once.
    assert.match(
      (await a.ok('FETCH 3 BODY[TEXT]')).join(),
      /^3 FETCH \(BODY\[TEXT\] \{8\}\r\nbody 3\r\n FLAGS \(\\Seen \\Recent\)\)$/,
    );
    assert.deepEqual(await a.ok('NOOP'), []);
    assert.deepEqual(await b.ok('NOOP'), ['3 FETCH (FLAGS (\\Seen))']);
    assert.deepEqual(await b.ok('FETCH 3 BODY.PEEK[TEXT]'), ['3 FETCH (BODY[TEXT] {8}\r\nbody 3\r\n)']);
  }));

test('.SILENT does not hide what others change while it runs, though it changes nothing itself', () =>
  withServer(async (server) => {
    const a = await filled(server, 3);
    const b = await server.ready('INBOX');
    await a.ok('STORE 1 +FLAGS (\\Seen)');
    await b.ok('NOOP');
    // Between b's look and its write a changes messages inside and outside of what b names.
    const { write } = server.store;
    const run = write.run.bind(write) as (name: string, args: unknown) => Promise<never>;
    const [box] = (
      await server.store.read.run('mailstore.mailboxes', { accountId: server.accountId })
    ).filter(({ name }) => name === 'INBOX');
    assert(box);
    for (const change of [[{ from: 1, to: 1 }], [{ from: 2, to: 2 }]]) {
      let armed = true;
      Object.assign(write, {
        run: async (name: string, args: unknown) => {
          if (armed && name === 'mailstore.storeFlags') {
            armed = false;
            const set = { flags: Flag.Flagged, keywords: [] };
            await run(name, {
              accountId: server.accountId,
              mailboxId: box.id,
              ranges: change,
              mode: 'add',
              set,
            });
          }
          return run(name, args);
        },
      });
      const told = await b.ok('STORE 1 +FLAGS.SILENT (\\Seen)');
      const uid = change[0]?.from;
      const want = uid === 1 ? '1 FETCH (FLAGS (\\Flagged \\Seen))' : '2 FETCH (FLAGS (\\Flagged))';
      assert.ok(told.includes(want), told.join());
      assert.deepEqual(await b.ok('NOOP'), []);
    }
    Object.assign(write, { run });
    assert.deepEqual(await b.ok('STORE 1 +FLAGS.SILENT (\\Seen)'), [], 'undisturbed it is silent');
  }));

test('.SILENT does not hide that a flag stays as it was for want of a right', () =>
  withServer(async (server) => {
    await server.addAccount('bob@example.test');
    const a = await filled(server, 3);
    await a.ok('STORE 1:2 +FLAGS (\\Flagged \\Seen $Work)');
    await a.ok('SETACL INBOX bob@example.test lrs');
    const b = await server.ready('"Other Users/alice@example.test/INBOX"', 'bob@example.test');
    // Of message 3 it is as b wanted, right or no right.
    assert.deepEqual(await b.ok('STORE 1,3 -FLAGS.SILENT (\\Flagged \\Seen $WORK)'), [
      '1 FETCH (FLAGS (\\Flagged $Work))',
    ]);
    assert.deepEqual(await b.ok('STORE 2 +FLAGS.SILENT (\\Flagged \\Seen $WORK)'), []);
    assert.deepEqual(await b.ok('STORE 2:3 +FLAGS.SILENT (\\Seen $Other)'), [
      '2 FETCH (FLAGS (\\Flagged \\Seen $Work))',
      '3 FETCH (FLAGS (\\Seen))',
    ]);
    assert.deepEqual(await b.ok('STORE 1:3 FLAGS.SILENT (\\Seen)'), [
      '1 FETCH (FLAGS (\\Flagged \\Seen $Work))',
      '2 FETCH (FLAGS (\\Flagged \\Seen $Work))',
    ]);
    // With CONDSTORE MODSEQ alone would stand for flags that the client takes for others.
    await b.ok('ENABLE CONDSTORE');
    const [told = ''] = await b.ok('STORE 1 -FLAGS.SILENT (\\Flagged \\Seen)');
    assert.match(told, /^1 FETCH \(UID 1 FLAGS \(\\Flagged \$Work\) MODSEQ \(\d+\)\)$/);
    // The right may have been taken away while the client, which knows of more, had sent its command.
    await a.ok('SETACL INBOX bob@example.test lrsw');
    await b.ok('NOOP');
    await a.ok('SETACL INBOX bob@example.test lrs');
    const late = (await b.ok('STORE 2 -FLAGS.SILENT (\\Flagged \\Seen)')).join('\n');
    assert.match(late, /^2 FETCH \(UID 2 FLAGS \(\\Flagged \$Work\) MODSEQ \(\d+\)\)$/m);
    assert.match((await b.ok('FETCH 2 FLAGS')).join(), /\\Flagged/);
  }));

test('a message that cannot be shown, but was marked as read, is told as read', () =>
  withServer(async (server) => {
    const a = await server.ready();
    await a.append('INBOX', 'Content-Transfer-Encoding: x-strange\r\n\r\nbody\r\n');
    await a.ok('SELECT INBOX');
    const told = await a.expect('NO [UNKNOWN-CTE]', 'FETCH 1 BINARY[1]');
    assert.deepEqual(told, ['1 FETCH (FLAGS (\\Seen \\Recent))']);
    assert.deepEqual(await a.ok('NOOP'), []);
  }));

test('what others changed before is not told behind an own change, as if it were newer', () =>
  withServer(async (server) => {
    const a = await filled(server, 2);
    const b = await server.ready('INBOX');
    await a.ok('STORE 1 +FLAGS (\\Flagged)');
    assert.deepEqual(await b.ok('STORE 1 +FLAGS (\\Answered)'), ['1 FETCH (FLAGS (\\Answered \\Flagged))']);
    await a.ok('STORE 1 -FLAGS (\\Flagged)');
    // .SILENT is for what the client knows: this it does not.
    const told = await b.ok('STORE 1 +FLAGS.SILENT (\\Draft)');
    assert.deepEqual(told, ['1 FETCH (FLAGS (\\Answered \\Draft))']);
    await b.ok('ENABLE CONDSTORE');
    await a.ok('STORE 2 +FLAGS (\\Flagged)');
    const modseqs = (await b.ok('STORE 1:2 +FLAGS.SILENT ($x)')).flatMap((each) => {
      const [, number, modseq] = /^(\d) FETCH .*MODSEQ \((\d+)\)/.exec(each) ?? [];
      return number === '2' ? [Number(modseq)] : [];
    });
    assert.equal(modseqs.length, 1);
    assert.deepEqual(await b.ok('NOOP'), []);
  }));

test('reading what somebody else has just marked as read does not hide what else they marked', () =>
  withServer(async (server) => {
    await filled(server, 2);
    const b = await server.ready('INBOX');
    const { accountId } = server;
    const box = await server.store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' });
    assert(box);
    const { write } = server.store;
    const run = write.run.bind(write) as (name: string, args: unknown) => Promise<never>;
    Object.assign(write, {
      run: async (name: string, args: unknown) => {
        const set = { flags: Flag.Seen, keywords: [] };
        const both = { accountId, mailboxId: box.id, ranges: [{ from: 1, to: 2 }], mode: 'add', set };
        if (name === 'mailstore.storeFlags') await run(name, both);
        return run(name, args);
      },
    });
    const told = (await b.ok('FETCH 1 BODY[TEXT]')).join('\n');
    Object.assign(write, { run });
    assert.match(told, /^2 FETCH \(FLAGS \(\\Seen\)\)$/m);
  }));

test('what comes and goes while a command runs has no number to be expunged by', () =>
  withServer(async (server) => {
    const a = await filled(server, 2);
    const b = await server.ready('INBOX');
    await a.append('INBOX', 'Subject: m3\r\n\r\n');
    const { accountId } = server;
    const box = await server.store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' });
    assert(box);
    const { write } = server.store;
    const run = write.run.bind(write) as (name: string, args: unknown) => Promise<never>;
    Object.assign(write, {
      // b knows of the third message by now, and its client does not.
      run: async (name: string, args: unknown) => {
        const change = { accountId, mailboxId: box.id, ranges: [{ from: 3, to: 3 }], anyFlag: true };
        if (name === 'mailstore.storeFlags') await run('mailstore.expunge', change);
        return run(name, args);
      },
    });
    assert.deepEqual(await b.ok('UID STORE 1 +FLAGS.SILENT (\\Seen)'), ['1 FETCH (UID 1 FLAGS (\\Seen))']);
    Object.assign(write, { run });
    await a.append('INBOX', 'Subject: m4\r\n\r\n');
    assert.equal((await b.ok('NOOP'))[0], '3 EXISTS');
    assert.deepEqual(await b.ok('FETCH 3 UID'), ['3 FETCH (UID 4)']);
  }));

test('UIDs are never used again and keep their order', () =>
  withServer(async (server) => {
    const a = await filled(server, 3);
    await a.ok('STORE 1:* +FLAGS.SILENT (\\Deleted)');
    assert.deepEqual(await a.ok('EXPUNGE'), ['3 EXPUNGE', '2 EXPUNGE', '1 EXPUNGE']);
    assert.equal(await a.append('INBOX', 'Subject: x\r\n\r\n'), '4');
    assert.deepEqual(await a.ok('FETCH 1:* UID'), ['1 FETCH (UID 4)']);
    const [before = ''] = (await a.ok('STATUS Trash (UIDVALIDITY)')).slice(-1);
    await a.ok('CREATE again');
    const [first = ''] = (await a.ok('STATUS again (UIDVALIDITY)')).slice(-1);
    await a.ok('DELETE again');
    await a.ok('CREATE again');
    const [second = ''] = (await a.ok('STATUS again (UIDVALIDITY)')).slice(-1);
    assert.notEqual(first, second);
    assert.notEqual(before, first);
  }));

test('UNCHANGEDSINCE guards a change against another session', () =>
  withServer(async (server) => {
    const a = await filled(server, 3);
    const b = await server.ready();
    await b.ok('SELECT INBOX (CONDSTORE)');
    const [fetched = ''] = await b.ok('FETCH 2 MODSEQ');
    const modseq = Number(/MODSEQ \((\d+)\)/.exec(fetched)?.[1]);
    await a.ok('STORE 2 +FLAGS (\\Flagged)');
    const untagged = await b.expect(
      'OK [MODIFIED 2]',
      `STORE 1:3 (UNCHANGEDSINCE ${modseq + 1}) +FLAGS.SILENT (\\Seen)`,
    );
    assert(
      untagged.some((each) => /^1 FETCH \(UID 1 MODSEQ \(\d+\)\)$/.test(each)),
      untagged.join('\n'),
    );
    assert(untagged.some((each) => /^2 FETCH \(UID 2 FLAGS \(\\Flagged\) MODSEQ \(\d+\)\)$/.test(each)));
    await b.expect('OK [MODIFIED 1:3]', 'UID STORE 1:3 (UNCHANGEDSINCE 0) +FLAGS (\\Draft)');
    assert.deepEqual(
      (await b.ok(`FETCH 1:* (UID) (CHANGEDSINCE ${modseq + 1})`)).map((each) =>
        each.replace(/ MODSEQ.*/, ''),
      ),
      ['1 FETCH (UID 1', '2 FETCH (UID 2', '3 FETCH (UID 3'],
    );
    assert.deepEqual(await b.ok(`FETCH 1:* (UID) (CHANGEDSINCE ${Number.MAX_SAFE_INTEGER})`), []);
    await b.expect('BAD', 'FETCH 1:* (UID) (CHANGEDSINCE 9223372036854775808)');
  }));

test('a message told as \\Recent is so in one session only', () =>
  withServer(async (server) => {
    const a = await server.ready();
    await a.append('INBOX', 'Subject: x\r\n\r\n');
    assert((await a.ok('EXAMINE INBOX')).includes('1 RECENT'));
    assert((await a.ok('SELECT INBOX')).includes('1 RECENT'));
    const b = await server.ready();
    assert((await b.ok('SELECT INBOX')).includes('0 RECENT'));
    assert.deepEqual(await a.ok('FETCH 1 FLAGS'), ['1 FETCH (FLAGS (\\Recent))']);
    assert.deepEqual(await b.ok('FETCH 1 FLAGS'), ['1 FETCH (FLAGS ())']);
    assert.deepEqual(await a.ok('SEARCH NEW'), ['SEARCH 1']);
    assert.deepEqual(await b.ok('SEARCH RECENT'), ['SEARCH']);
  }));

test('a mailbox that is selected elsewhere can be deleted: that session is told and ended', () =>
  withServer(async (server) => {
    const a = await server.ready();
    await a.ok('CREATE doomed');
    const b = await server.ready('doomed');
    b.send('x IDLE\r\n');
    await b.next('+ idling');
    await a.ok('DELETE doomed');
    assert.match(await b.closed(), /^\* BYE .*deleted/);
    await a.ok('CREATE mine');
    await a.ok('SELECT mine');
    await a.ok('DELETE mine');
    await a.expect('BAD', 'FETCH 1 UID');
  }));

test('copies, moves and expunges by many sessions at once leave every message once', () =>
  withServer(async (server) => {
    const a = await filled(server, 20);
    const others = await Promise.all(Array.from({ length: 5 }, () => server.ready('INBOX')));
    // Each message is moved by whoever comes first; the others find it gone.
    await Promise.all(others.map((c) => c.command('UID MOVE 1:20 Archive')));
    const gone = Array.from({ length: 20 }, (_, i) => `${20 - i} EXPUNGE`);
    assert.deepEqual(await a.ok('NOOP'), gone);
    assert.deepEqual(await a.ok('STATUS Archive (MESSAGES)'), ['STATUS "Archive" (MESSAGES 20)']);
    await a.ok('SELECT Archive');
    const subjects = (await a.ok('FETCH 1:* BODY.PEEK[HEADER.FIELDS (Subject)]')).map(
      (each) => /m\d+/.exec(each)?.[0],
    );
    assert.equal(new Set(subjects).size, 20);
  }));

test('flags of thousands of messages are read and stored while another session works', () =>
  withServer(async (server) => {
    const a = await server.ready();
    await a.append('INBOX', 'Subject: x\r\n\r\n');
    // Doubling copies are quicker than ten thousand APPENDs.
    await a.ok('SELECT INBOX');
    for (let i = 0; i < 13; i++) await a.ok('COPY 1:* INBOX');
    const b = await server.ready('INBOX');
    const answers = (await a.ok('FETCH 1:* FLAGS')).length;
    assert.equal(answers, 8192);
    const all = a.ok('STORE 1:* +FLAGS.SILENT (\\Seen)');
    await b.ok('NOOP');
    await all;
    assert.deepEqual(await a.ok('SEARCH RETURN (COUNT) SEEN'), ['ESEARCH (TAG "A19") COUNT 8192']);
  }));
