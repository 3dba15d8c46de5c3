import type { BanNotice } from '../../src/data/bans/types.ts';

/** What a guard says of a client that guessed too often. */
export function bannedClient(): BanNotice {
  const ban = {
    kind: 'network',
    subject: '127.0.0.1',
    cause: 'guessing',
    reason: '20 failed logins within 10 min',
    offences: 1,
    since: 0,
    until: 1,
  } as const;
  return {
    ban,
    text: 'Too many failed logins from your address 127.0.0.1; try again after 2026-01-31 15:05 UTC',
  };
}
