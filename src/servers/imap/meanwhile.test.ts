import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ImapTestServer, imapTestServer } from '../../../test/support/imap-server.ts';
import { Flag } from '../../data/mailstore/types.ts';

/** What others do in the middle of a command. */

type Run = (name: string, args: unknown) => Promise<unknown>;

async function withServer(run: (server: ImapTestServer) => Promise<void>): Promise<void> {
  const server = await imapTestServer();
  try {
    await run(server);
    assert.deepEqual(server.logged, []);
  } finally {
    await server.close();
  }
}

async function inbox(
  server: ImapTestServer,
  count: number,
): Promise<{ accountId: number; mailboxId: number }> {
  const { accountId } = server;
  const c = await server.ready();
  for (let i = 1; i <= count; i++) await c.append('INBOX', `Subject: m${i}\r\n\r\nbody ${i}\r\n`);
  const box = await server.store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' });
  assert(box);
  return { accountId, mailboxId: box.id };
}

/** Have `fn` called before each run of a name by anybody else; returns what runs as if nothing were there. */
function before(of: object, fn: (name: string, run: Run) => Promise<void>): { run: Run; undo: () => void } {
  const { run: original } = of as { run: Run };
  const run: Run = original.bind(of);
  Object.assign(of, {
    run: async (name: string, args: unknown) => {
      await fn(name, run);
      return run(name, args);
    },
  });
  return { run, undo: () => void Object.assign(of, { run: original }) };
}

for (const condstore of [false, true])
  test(`what .SILENT changed before it was refused is told${condstore ? ', with CONDSTORE' : ''}`, () =>
    withServer(async (server) => {
      await server.addAccount('bob@example.test');
      await inbox(server, 5);
      const a = await server.ready();
      await a.ok('SETACL INBOX bob@example.test lrsw');
      const b = await server.ready('"Other Users/alice@example.test/INBOX"', 'bob@example.test');
      if (condstore) await b.ok('ENABLE CONDSTORE');
      let writes = 0;
      // The right is taken away before the third of three is looked at.
      const { undo } = before(server.store.write, async (name) => {
        if (name !== 'mailstore.storeFlags' || ++writes !== 2) return;
        await a.ok('SETACL INBOX bob@example.test lrs');
      });
      const told = (await b.expect('NO [NOPERM]', 'STORE 1,3,5 +FLAGS.SILENT (\\Flagged)')).join('\n');
      undo();
      const flags = (number: number, names: string): RegExp =>
        condstore
          ? new RegExp(
              `^${number} FETCH \\(UID ${number} FLAGS \\(${names} \\\\Recent\\) MODSEQ \\(\\d+\\)\\)$`,
              'm',
            )
          : new RegExp(`^${number} FETCH \\(FLAGS \\(${names} \\\\Recent\\)\\)$`, 'm');
      assert.match(told, flags(1, '\\\\Flagged'));
      assert.match(told, flags(3, '\\\\Flagged'));
      assert.doesNotMatch(told, /^5 FETCH/m);
      assert.deepEqual(
        (await b.ok('FETCH 1,3,5 FLAGS')).filter((each) => /Flagged/.test(each)).length,
        2,
        'only two were changed',
      );
      assert.doesNotMatch((await b.ok('NOOP')).join('\n'), /^5 FETCH/m);
    }));

test('a mailbox that is deleted while it is closed is left all the same', () =>
  withServer(async (server) => {
    const a = await server.ready();
    await a.ok('CREATE Doomed');
    const b = await server.ready('Doomed');
    const { undo } = before(server.store.write, async (name, run) => {
      if (name === 'mailstore.expunge')
        await run('mailstore.deleteMailbox', { accountId: server.accountId, name: 'Doomed' });
    });
    assert.deepEqual(await b.ok('CLOSE'), []);
    undo();
    await b.expect('BAD', 'FETCH 1 UID');
    await b.ok('SELECT INBOX');
  }));

test('what goes while a client comes back with QRESYNC is told with the answer', () =>
  withServer(async (server) => {
    const { accountId, mailboxId } = await inbox(server, 3);
    const uidvalidity = (await server.store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' }))
      ?.uidvalidity;
    const b = await server.ready();
    await b.ok('ENABLE QRESYNC');
    // Another process may do it: no wake-up is sure to have come when the rows are read.
    const { changes } = server.store;
    const { onAccount } = changes;
    Object.assign(changes, { onAccount: () => () => undefined });
    const { undo } = before(server.store.read, async (name) => {
      if (name !== 'mailstore.fetch') return;
      const gone = { accountId, mailboxId, ranges: [{ from: 2, to: 2 }], anyFlag: true };
      await server.store.write.run('mailstore.expunge', gone);
    });
    const told = await b.ok(`SELECT INBOX (QRESYNC (${uidvalidity} 1))`);
    undo();
    Object.assign(changes, { onAccount });
    assert(told.includes('3 EXISTS'));
    assert.deepEqual(
      told
        .flatMap((each) => /^\d+ FETCH \(UID (\d+)|^VANISHED (\S+)$/.exec(each)?.slice(1) ?? [])
        .filter(Boolean),
      ['1', '3', '2'],
    );
  }));

for (const waiting of ['IDLE', 'NOTIFY'])
  test(`a client is heard during ${waiting} also where something changes all the time`, () =>
    withServer(async (server) => {
      const { accountId, mailboxId } = await inbox(server, 2);
      const b = await server.ready('INBOX');
      if (waiting === 'NOTIFY') await b.ok('NOTIFY SET (SELECTED (MessageNew MessageExpunge FlagChange))');
      let more = true;
      let round = 0;
      // Each look at the mailbox is followed by a change: there is always one to be told.
      before(server.store.read, async (name) => {
        if (name !== 'mailstore.changesSince' || !more) return;
        setImmediate(() => {
          void server.store.write.run('mailstore.storeFlags', {
            accountId,
            mailboxId,
            ranges: [{ from: 1, to: 1 }],
            mode: ++round % 2 === 0 ? 'add' : 'remove',
            set: { flags: Flag.Flagged, keywords: [] },
          });
        });
        await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      });
      await server.store.write.run('mailstore.storeFlags', {
        accountId,
        mailboxId,
        ranges: [{ from: 1, to: 1 }],
        mode: 'add',
        set: { flags: Flag.Flagged, keywords: [] },
      });
      if (waiting === 'IDLE') {
        b.send('x IDLE\r\n');
        await b.next('+ idling');
      }
      // It has read one command in the midst of it: none of its waits began before the changes did.
      else b.send('y SEARCH 2\r\n');
      for (let i = 0; i < 5; ) if ((await b.response())?.startsWith('* 1 FETCH') === true) i++;
      b.send(waiting === 'IDLE' ? 'DONE\r\n' : 'x SEARCH 2\r\n');
      const limit = round + 200;
      for (;;) {
        const line = await b.response();
        assert(round < limit, 'it was never heard');
        if (line?.startsWith('x OK') === true) break;
      }
      more = false;
      await b.ok('NOOP');
    }));
