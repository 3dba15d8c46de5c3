import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommand } from '../support/cli.ts';
import { imapClient } from '../support/imap-client.ts';
import { startTestServer, TEST_PASSWORD } from '../support/server.ts';

test('a running server answers SEARCH from its index; the command line shows it and builds it anew', async () => {
  const server = await startTestServer({ accounts: ['alice@example.test'] });
  try {
    const c = await imapClient(server.ports.imaps ?? 0, { tls: true });
    await c.ok(`LOGIN alice@example.test "${TEST_PASSWORD}"`);
    for (let i = 0; i < 5; i++)
      await c.append('INBOX', `From: bob@x.test\r\nSubject: about ${i}\r\n\r\nwords of ${i}\r\n`, '');
    await c.ok('SELECT INBOX');
    assert.deepEqual(await c.ok('UID SEARCH BODY "ds of 3"'), ['SEARCH 4']);
    const place = { data: server.directory };
    const shown = await runCommand(['search', 'status', 'alice@example.test'], place);
    assert.match(shown.out, /has 5 emails; 5 emails in the index/, shown.err);
    const rebuilt = await runCommand(['search', 'rebuild'], place);
    assert.match(rebuilt.out, /of all accounts is being built anew/, rebuilt.err);
    assert.deepEqual(await c.ok('UID SEARCH SUBJECT about NOT BODY "of 1"'), ['SEARCH 1 3 4 5']);
    const all = await runCommand(['search', 'status', '--json'], place);
    assert.equal((JSON.parse(all.out) as { accounts: number }).accounts, 1);
    c.close();
  } finally {
    await server.close();
  }
});
