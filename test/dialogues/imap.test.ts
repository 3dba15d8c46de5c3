import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseRights } from '../../src/data/sharing/rights.ts';
import type { ImapLimits } from '../../src/servers/imap/limits.ts';
import { type ImapTestServer, imapTestServer } from '../support/imap-server.ts';
import { bannedClient } from '../support/banned.ts';
import { lineClient } from '../support/smtp-client.ts';
import { type Dialogue, type Directives, playDialogue, readDialogues } from './dialogue.ts';

/**
 * SERVER settings: people=bob,carol (more accounts of example.test; those that begin with + are shared ones),
 * jmap=URL of the JMAP session, tls=implicit, tls-only (no login without TLS), banned (the client is), quota=N octets,
 * and any limit of ImapLimits by its name.
 */
async function serverFor({ settings }: Dialogue): Promise<ImapTestServer> {
  const limits: Partial<Record<keyof ImapLimits, number>> = {};
  for (const [key, value] of Object.entries(settings)) {
    if (/^[a-z]+[A-Z]/.test(key)) limits[key as keyof ImapLimits] = Number(value);
  }
  const server = await imapTestServer({
    limits,
    ...(settings['tls'] === 'implicit' && { implicitTls: true }),
    ...('banned' in settings && { guard: { banned: bannedClient } }),
    ...('tls-only' in settings && { requireTlsForLogin: true }),
    ...(settings['jmap'] !== undefined && { jmapUrl: () => settings['jmap'] }),
  });
  for (const name of settings['people']?.split(',') ?? []) {
    const shared = name.startsWith('+');
    await server.addAccount(`${shared ? name.slice(1) : name}@example.test`, { shared });
  }
  if (settings['quota'] !== undefined) {
    await server.store.write.run('directory.setQuota', {
      actor: { name: 'system', role: 'system', domainId: undefined },
      address: 'alice@example.test',
      quota: Number(settings['quota']),
    });
  }
  return server;
}

/** What an IMAP dialogue can do and assert besides talking. */
function directivesFor(server: ImapTestServer): Directives {
  return {
    /** MESSAGE mailbox subject: another client has put a message there. */
    MESSAGE: async (text) => {
      const [mailbox = 'INBOX', subject = 'x'] = text.split(' ');
      const client = await server.ready();
      await client.append(
        mailbox,
        `From: bob@example.test\r\nSubject: ${subject}\r\n\r\nbody of ${subject}\r\n`,
      );
      client.close();
    },
    /** OTHER command: another client with INBOX selected does this. */
    OTHER: async (command) => {
      const client = await server.ready('INBOX');
      await client.ok(command);
      client.close();
    },
    /** AS name command: somebody else does this. */
    AS: async (text) => {
      const space = text.indexOf(' ');
      const client = await server.ready(undefined, `${text.slice(0, space)}@example.test`);
      await client.ok(text.slice(space + 1));
      client.close();
    },
    /** ADMIN who rights mailbox account: an administrator gives rights. */
    ADMIN: async (text) => {
      const [identifier = '', letters = '', mailbox = '', account = ''] = text.split(' ');
      await server.store.write.run('sharing.setRights', {
        actor: { name: 'system', role: 'system', domainId: undefined },
        account: `${account}@example.test`,
        mailbox,
        identifier,
        mode: 'replace',
        rights: parseRights(letters) ?? 0,
      });
    },
    /** REVOKE: the password has changed. */
    REVOKE: () => server.authenticator.revoke(),
  };
}

/** {UIDVALIDITY} in a script is that of INBOX. */
async function withUidvalidity(server: ImapTestServer, dialogue: Dialogue): Promise<Dialogue> {
  const { accountId } = server;
  const inbox = await server.store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' });
  const put = (text: string): string => text.replaceAll('{UIDVALIDITY}', String(inbox?.uidvalidity));
  return { ...dialogue, steps: dialogue.steps.map((step) => ({ ...step, text: put(step.text) })) };
}

for (const dialogue of readDialogues(join(import.meta.dirname, 'imap'))) {
  test(`IMAP: ${dialogue.name}`, async () => {
    const server = await serverFor(dialogue);
    const client = await lineClient(server.port, { tls: dialogue.settings['tls'] === 'implicit' });
    try {
      await playDialogue(await withUidvalidity(server, dialogue), client, directivesFor(server));
      assert.deepEqual(server.logged, []);
    } finally {
      client.close();
      await server.close();
    }
  });
}
