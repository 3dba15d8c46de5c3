/** Snoozed mail outlives the server: what falls due while it is down comes back when it runs again, once. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { testClock } from '../support/clock.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const ALICE = 'alice@example.test';
const HOUR = 3_600_000;
const START = Date.UTC(2030, 0, 1);

async function inbox(server: TestServer): Promise<{ emailId: number; flags: number }[]> {
  const { id: accountId } = await server.account(ALICE);
  const box = await server.store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' });
  assert.ok(box);
  const ranges = [{ from: 1, to: 0xffff_ffff }];
  const rows = await server.store.read.run('mailstore.fetch', {
    mailboxId: box.id,
    ranges,
    want: [],
    limit: 10,
  });
  return rows.map(({ emailId, flags }) => ({ emailId, flags }));
}

test('snoozed mail comes back after a crash, when its time has come, once', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'postern-snooze-'));
  try {
    const first = await startTestServer({ directory, clock: testClock(START) });
    const { id: accountId } = await first.account(ALICE);
    const box = await first.store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' });
    assert.ok(box);
    const octets = Buffer.from('Subject: later\r\n\r\nhello\r\n');
    const { emailId } = await first.store.write.run('mailstore.append', {
      accountId,
      mailboxId: box.id,
      blob: { size: octets.length, encoding: 'raw', data: octets, file: undefined },
      content: {
        envelope: Buffer.from('()'),
        bodystructure: Buffer.from('()'),
        structure: '{}',
        sentAt: undefined,
        messageId: undefined,
        references: [],
      },
      deposit: {
        accountId,
        mailbox: { id: box.id },
        prefix: Buffer.alloc(0),
        hidden: [],
        set: { flags: 1, keywords: [] },
        receivedAt: START,
        trace: undefined,
        ignoreQuota: false,
      },
    });
    const until = START + 2 * HOUR;
    await first.store.write.run('account.snooze', { accountId, emailIds: [emailId], until });
    assert.deepEqual(await inbox(first), []);
    await first.abandon();

    const clock = testClock(until - 60_000);
    const second = await startTestServer({ directory, clock });
    await clock.advance(30_000);
    assert.deepEqual(await inbox(second), [], 'it is not time yet');
    await clock.advance(60_000);
    assert.deepEqual(await inbox(second), [{ emailId, flags: 0 }]);
    await clock.advance(60_000);
    assert.equal((await inbox(second)).length, 1);
    await second.close();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
