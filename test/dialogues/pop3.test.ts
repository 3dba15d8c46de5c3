import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Intake } from '../../src/flow/intake.ts';
import { createPop3Server } from '../../src/servers/pop3/server.ts';
import { type AccountTestServer, accountTestServer } from '../support/account-server.ts';
import { bannedClient } from '../support/banned.ts';
import { lineClient } from '../support/smtp-client.ts';
import { type Dialogue, type Directives, playDialogue, readDialogues } from './dialogue.ts';

/** SERVER settings: tls=implicit, tls-only (no login without TLS), banned (the client is), errors=N bad commands. */
function serverFor({ settings }: Dialogue): Promise<AccountTestServer> {
  return accountTestServer(createPop3Server, {
    ...(settings['tls'] === 'implicit' && { implicitTls: true }),
    ...('banned' in settings && { guard: { banned: bannedClient } }),
    ...('tls-only' in settings && { requireTlsForLogin: true }),
    ...(settings['errors'] !== undefined && { limits: { errorsPerSession: Number(settings['errors']) } }),
  });
}

function directivesFor({ store, accountId, authenticator }: AccountTestServer): Directives {
  const inbox = async (): Promise<number> => {
    const found = await store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' });
    assert.ok(found);
    return found.id;
  };
  return {
    /** MESSAGE text: there is such a message; \n in it ends a line. */
    MESSAGE: async (text) => {
      const octets = Buffer.from(text.replaceAll('\\n', '\r\n'));
      const intake = new Intake({ bodies: store.bodies, maxBytes: 1_000_000 });
      await intake.write(octets);
      const { blob, content } = await intake.finish();
      const mailboxId = await inbox();
      const deposit = {
        accountId,
        mailbox: { id: mailboxId },
        prefix: Buffer.alloc(0),
        hidden: [],
        set: { flags: 0, keywords: [] },
        receivedAt: 0,
        trace: undefined,
        ignoreQuota: false,
      };
      await store.write.run('mailstore.append', { accountId, mailboxId, blob, content, deposit });
    },
    /** EXPUNGED uid: another session removed it. */
    EXPUNGED: async (text) => {
      const ranges = [{ from: Number(text), to: Number(text) }];
      await store.write.run('mailstore.expunge', {
        accountId,
        mailboxId: await inbox(),
        ranges,
        anyFlag: true,
      });
    },
    /** LEFT uid:flags ...: what is in the inbox now. */
    LEFT: async (text) => {
      const rows = await store.read.run('mailstore.fetch', {
        mailboxId: await inbox(),
        ranges: [{ from: 1, to: 1000 }],
        want: [],
        limit: 1000,
      });
      assert.equal(rows.map(({ uid, flags }) => `${uid}:${flags}`).join(' '), text);
    },
    /** REVOKE: the password has changed. */
    REVOKE: () => authenticator.revoke(),
  };
}

for (const dialogue of readDialogues(join(import.meta.dirname, 'pop3'))) {
  test(`POP3: ${dialogue.name}`, async () => {
    const server = await serverFor(dialogue);
    const client = await lineClient(server.port, { tls: dialogue.settings['tls'] === 'implicit' });
    try {
      await playDialogue(dialogue, client, directivesFor(server));
      assert.deepEqual(server.logged, []);
    } finally {
      client.close();
      await server.close();
    }
  });
}
