import { statement } from '../db/sql.ts';

export const keepToken = statement<[token: string, address: string, usedAt: number]>(
  `INSERT INTO srs_tokens (token, address, used_at) VALUES (?, ?, ?)
   ON CONFLICT (token) DO UPDATE SET used_at = excluded.used_at`,
);

export const tokenAddress = statement<[token: string], { address: string }>(
  'SELECT address FROM srs_tokens WHERE token = ?',
);

export const forgetTokens = statement<[before: number]>('DELETE FROM srs_tokens WHERE used_at < ?');
