import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { accountTestServer, addAlice } from '../../../test/support/account-server.ts';
import { lineClient } from '../../../test/support/smtp-client.ts';
import { systemClock } from '../../base/clock.ts';
import { openInlineStore } from '../../data/inline.ts';
import { fill, operations } from '../../data/mailstore/contract-fixtures.ts';
import { createPop3Server } from './server.ts';

test('a message keeps its identifier over sessions and restarts, whatever else is removed', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'postern-uidl-'));
  const path = directory;
  const uidl = async (...commands: string[]): Promise<string[]> => {
    const store = await openInlineStore({ path, clock: systemClock });
    const server = await accountTestServer(createPop3Server, { store });
    try {
      const client = await lineClient(server.port);
      client.send(['USER alice@example.test', 'PASS postern', 'UIDL', ...commands, 'QUIT', ''].join('\r\n'));
      const said = (await client.closed()).split('\r\n');
      return said.filter((line) => /^\d+ /.test(line)).map((line) => line.replace(/^\d+ /, ''));
    } finally {
      await server.close();
      await store.close();
    }
  };
  try {
    const store = await openInlineStore({ path, clock: systemClock });
    const accountId = await addAlice(store);
    const inbox = await store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' });
    assert.ok(inbox);
    await fill(operations(store), accountId, inbox.id, 3);
    await store.close();
    const first = await uidl();
    assert.equal(new Set(first).size, 3);
    assert.deepEqual(await uidl('DELE 1'), first);
    assert.deepEqual(await uidl(), first.slice(1));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
