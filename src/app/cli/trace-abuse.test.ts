import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JournalData, JournalKind } from '../../data/journal/types.ts';
import { traceText } from './trace-text.ts';

/** 2026-01-31 15:00:00 UTC. */
const NOON = 1_769_871_600_000;

function told(kind: JournalKind, data: JournalData): string {
  const row = { id: 1, trace: 't1', at: NOON, kind, data, count: 1, lastAt: NOON };
  const text = traceText([row], { timeZone: 'UTC' });
  for (const line of text.split('\n')) assert.ok([...line].length <= 80, line);
  return text.replace(/\s+/g, ' ');
}

describe('traces of abuse', () => {
  it('tell of a ban: whom, until when, why, how to end it', () => {
    const ban = { banKind: 'network', subject: '192.0.2.7', cause: 'guessing', until: NOON + 900_000 };
    assert.match(
      told('ban.set', { ...ban, reason: '20 failed logins within 10 min', offences: 2, by: '' }),
      /Logins from 192\.0\.2\.7 are refused until 2026-01-31 15:15:00 Why: 20 failed logins within 10 min\. It is number 2 in a row, each twice as long as the one before\. Mail from other hosts \(port 25\) is not affected\. -> To end it now: postern ban lift 192\.0\.2\.7 $/,
    );
    assert.match(
      told('ban.set', { ...ban, reason: 'seen', offences: 0, by: 'cli:root' }),
      /cli:root: logins from 192\.0\.2\.7 are refused until .* Why: seen\. Mail/,
    );
    assert.match(
      told('ban.set', { ...ban, banKind: 'account', subject: 'a@example.org', offences: 1, by: '' }),
      /Logins to a@example\.org from places it does not know are refused until .* within the last 30 days it is not affected/,
    );
    assert.match(
      told('ban.lifted', { banKind: 'network', subject: '192.0.2.7', by: 'cli:root' }),
      /cli:root lifted the ban of 192\.0\.2\.7/,
    );
  });

  it('tell of a banned client that came, and of a stranger whom a brake turned away', () => {
    const refused = told('connection.refused', {
      protocol: 'submission',
      ip: '192.0.2.7',
      port: 587,
      stage: 'ban',
      reason: 'it is banned from logging in',
      reply: 'Too many failed logins from your address 192.0.2.7; try again after 2026-01-31 15:15 UTC',
    });
    assert.match(
      refused,
      /Why: it is banned from logging in\. We answered: Too many failed logins from your address/,
    );
    assert.match(refused, /-> See "postern ban list"/);
    const reason =
      'Too many failed logins to this account from elsewhere; from a new place try again after 2026-01-31 15:15 UTC';
    const stranger = told('login.failed', {
      protocol: 'imap',
      ip: '198.51.100.1',
      login: 'a@example.org',
      reason,
    });
    assert.match(stranger, /To let new ones in at once: postern ban lift a@example\.org/);
  });

  it('tell of an account that is held, and of its release', () => {
    const held = told('account.held', {
      account: 'a@example.org',
      reason: 'it sent 51 messages within an hour; the most of a day in the last 30 days was 3',
    });
    assert.match(held, /What a@example\.org sends is held from now on Why: it sent 51 messages/);
    assert.match(
      held,
      /If not: postern account passwd a@example\.org, then postern hold release a@example\.org --drop/,
    );
    const released = { account: 'a@example.org', by: 'cli:root' };
    assert.match(
      told('account.released', { ...released, dropped: false }),
      /cli:root released what was held of a@/,
    );
    assert.match(
      told('account.released', { ...released, dropped: true }),
      /ended the hold and dropped what was held/,
    );
  });
});
