import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { smtpReply } from '../../src/base/errors.ts';
import type { SmtpProtocol } from '../../src/servers/smtp/options.ts';
import type { SmtpLimits } from '../../src/servers/smtp/limits.ts';
import { bannedClient } from '../support/banned.ts';
import { lineClient } from '../support/smtp-client.ts';
import { type SmtpTestServer, smtpTestServer } from '../support/smtp-server.ts';
import { type Dialogue, type Directives, playDialogue, readDialogues } from './dialogue.ts';

const BANNED = bannedClient();

/** Not when it connects, but whenever it is asked again. */
function bannedAtLogin(): { banned(): typeof BANNED | undefined } {
  let asked = 0;
  return { banned: () => (asked++ === 0 ? undefined : BANNED) };
}

/**
 * SERVER settings: protocol=smtp|lmtp|submission, tls=implicit|none, plaintext-auth, mail-max=N, refuse-connect=CODE,
 * banned (the client is), banned-at-login (from its first login on), greeting-pause=MS, early-talk=CODE (refuse it so), proxy (the client sends a PROXY header first), and any limit of SmtpLimits by its name.
 */
async function serverFor({ settings }: Dialogue): Promise<SmtpTestServer> {
  const limits: Partial<Record<keyof SmtpLimits, number>> = {};
  for (const [key, value] of Object.entries(settings)) {
    if (/^[a-z]+[A-Z]/.test(key)) limits[key as keyof SmtpLimits] = Number(value);
  }
  const server = await smtpTestServer((settings['protocol'] ?? 'smtp') as SmtpProtocol, {
    limits,
    ...(settings['tls'] === 'implicit' && { implicitTls: true }),
    ...(settings['tls'] === 'none' && { tls: undefined }),
    ...('plaintext-auth' in settings && { requireTlsForAuth: false }),
    ...('proxy' in settings && { proxyFrom: ['127.0.0.1'] }),
    ...('banned' in settings && { guard: { banned: () => BANNED } }),
    ...('banned-at-login' in settings && { guard: bannedAtLogin() }),
    ...('mail-max' in settings && { messagesPerSession: Number(settings['mail-max']) }),
  });
  const refuse = settings['refuse-connect'];
  if (refuse !== undefined) server.service.refuseConnect = smtpReply(Number(refuse), '5.7.1', 'Not from you');
  const earlyTalk = settings['early-talk'];
  if (earlyTalk !== undefined || 'greeting-pause' in settings) {
    server.service.greeting = {
      pauseMs: Number(settings['greeting-pause'] ?? 0),
      earlyTalk: earlyTalk === undefined ? undefined : smtpReply(Number(earlyTalk), '5.5.1', 'Too early'),
    };
  }
  return server;
}

async function waitFor(what: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !what(); i++) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** What an SMTP dialogue can do and assert besides talking. */
function directivesFor({ service, clock, authenticator, server }: SmtpTestServer): Directives {
  return {
    /** MESSAGES n: so many were accepted so far. */
    MESSAGES: (count) => assert.equal(service.taken.length, Number(count)),
    /** BODY text: the last message is exactly this, with escapes as in JSON. */
    BODY: (text) => assert.equal(service.taken.at(-1)?.body.toString('latin1'), JSON.parse(`"${text}"`)),
    /** FROM path / TO path path: the envelope of the last message. */
    FROM: (path) => assert.equal(service.taken.at(-1)?.from, path),
    TO: (paths) =>
      assert.deepEqual(
        service.taken.at(-1)?.recipients.map(({ address }) => address),
        paths.split(' '),
      ),
    /** PARAMS json / RCPTPARAMS json: parameters of the last message that must be so. */
    PARAMS: (json) => assert.partialDeepStrictEqual(service.taken.at(-1)?.params, JSON.parse(json)),
    RCPTPARAMS: (json) =>
      assert.partialDeepStrictEqual(service.taken.at(-1)?.recipients[0]?.params, JSON.parse(json)),
    /** ABANDONED n: transactions forgotten. */
    ABANDONED: async (count) => {
      await waitFor(() => service.abandoned >= Number(count));
      assert.equal(service.abandoned, Number(count));
    },
    /** JOURNAL text: something refused is noted with these words. */
    JOURNAL: (text) =>
      assert(
        service.refusals.some(({ reason }) => reason.includes(text)),
        `noted: ${service.refusals.map(({ reason }) => reason).join(' | ')}`,
      ),
    /** ENDED text: the session has ended for this reason. */
    ENDED: async (text) => {
      await waitFor(() => service.ended.length > 0);
      assert.deepEqual(service.ended, [text]);
    },
    /** FACTS json: what is known of the session. */
    FACTS: (json) => assert.partialDeepStrictEqual(service.sessions.at(-1), JSON.parse(json)),
    /** ADVANCE seconds: time passes. */
    ADVANCE: async (seconds) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      clock.advance(Number(seconds) * 1000);
    },
    /** REVOKE: alice is suspended. */
    REVOKE: () => authenticator.revoke(),
    /** DRAIN: the server is told to stop. */
    DRAIN: () => void server.drain(3_600_000),
  };
}

for (const dialogue of readDialogues(join(import.meta.dirname, 'smtp'))) {
  test(`SMTP dialogue ${dialogue.name}`, async () => {
    const server = await serverFor(dialogue);
    const client = await lineClient(server.port, { tls: dialogue.settings['tls'] === 'implicit' });
    try {
      await playDialogue(dialogue, client, directivesFor(server));
    } finally {
      client.close();
      await server.close();
    }
  });
}
