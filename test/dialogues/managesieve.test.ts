import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createManageSieveServer } from '../../src/servers/managesieve/server.ts';
import { type AccountTestServer, accountTestServer } from '../support/account-server.ts';
import { bannedClient } from '../support/banned.ts';
import { lineClient } from '../support/smtp-client.ts';
import { type Dialogue, type Directives, playDialogue, readDialogues } from './dialogue.ts';

/** SERVER settings: tls-only (no login without TLS), banned (the client is), errors=N bad commands. */
function serverFor({ settings }: Dialogue): Promise<AccountTestServer> {
  return accountTestServer(createManageSieveServer, {
    ...('banned' in settings && { guard: { banned: bannedClient } }),
    ...('tls-only' in settings && { requireTlsForLogin: true }),
    ...(settings['errors'] !== undefined && { limits: { errorsPerSession: Number(settings['errors']) } }),
  });
}

function directivesFor({ store, accountId, authenticator }: AccountTestServer): Directives {
  return {
    /** RUNS name: this script runs when mail comes; none without a name. */
    RUNS: async (name) => {
      const scripts = await store.read.run('sieve.list', { place: { kind: 'account', accountId } });
      assert.equal(scripts.find(({ active }) => active)?.name ?? '', name);
    },
    /** TEXT name text: what is stored under the name; \n in it ends a line. */
    TEXT: async (argument) => {
      const [name = '', ...words] = argument.split(' ');
      const script = await store.read.run('sieve.script', { place: { kind: 'account', accountId }, name });
      assert.equal(script?.text, words.join(' ').replaceAll('\\n', '\r\n'));
    },
    /** REVOKE: the password has changed. */
    REVOKE: () => authenticator.revoke(),
  };
}

for (const dialogue of readDialogues(join(import.meta.dirname, 'managesieve'))) {
  test(`ManageSieve: ${dialogue.name}`, async () => {
    const server = await serverFor(dialogue);
    const client = await lineClient(server.port);
    try {
      await playDialogue(dialogue, client, directivesFor(server));
      assert.deepEqual(server.logged, []);
    } finally {
      client.close();
      await server.close();
    }
  });
}
