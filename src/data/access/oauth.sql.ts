import { statement } from '../db/sql.ts';

export interface ClientRow {
  id: string;
  name: string;
  redirect_uris: string;
}

export const clientById = statement<[id: string], ClientRow>(
  'SELECT id, name, redirect_uris FROM oauth_clients WHERE id = ?',
);
export const insertClient = statement<[id: string, name: string, redirectUris: string, now: number]>(
  'INSERT INTO oauth_clients (id, name, redirect_uris, created_at) VALUES (?, ?, ?, ?)',
);
export const useClient = statement<[now: number, id: string]>(
  'UPDATE oauth_clients SET used_at = ? WHERE id = ?',
);
/** Those that nobody has granted anything, oldest first. */
export const idleClients = statement<[before: number, limit: number], { id: string }>(
  `SELECT c.id FROM oauth_clients c WHERE c.created_at < ?
   AND NOT EXISTS (SELECT 1 FROM oauth_grants g WHERE g.client_id = c.id) ORDER BY c.created_at LIMIT ?`,
);
export const countIdleClients = statement<[], { count: number }>(
  `SELECT COUNT(*) AS count FROM oauth_clients c
   WHERE NOT EXISTS (SELECT 1 FROM oauth_grants g WHERE g.client_id = c.id)`,
);
export const deleteClient = statement<[id: string]>('DELETE FROM oauth_clients WHERE id = ?');

export const insertGrant = statement<
  [accountId: number, clientId: string, scopes: string, now: number],
  { id: number }
>('INSERT INTO oauth_grants (account_id, client_id, scopes, created_at) VALUES (?, ?, ?, ?) RETURNING id');
export const grantsOf = statement<
  [accountId: number],
  { id: number; client: string; scopes: string; created_at: number; used_at: number | null }
>(
  `SELECT g.id, c.name AS client, g.scopes, g.created_at, g.used_at FROM oauth_grants g
   JOIN oauth_clients c ON c.id = g.client_id WHERE g.account_id = ? ORDER BY g.id`,
);
export const noteGrant = statement<[now: number, id: number]>(
  'UPDATE oauth_grants SET used_at = ? WHERE id = ?',
);
export const deleteGrant = statement<[accountId: number, id: number]>(
  'DELETE FROM oauth_grants WHERE account_id = ? AND id = ?',
);
export const deleteTokensOf = statement<[grantId: number]>('DELETE FROM oauth_tokens WHERE grant_id = ?');
/** Grants whose last token is over. */
export const emptyGrants = statement<[before: number, limit: number], { id: number; account_id: number }>(
  `SELECT g.id, g.account_id FROM oauth_grants g WHERE g.created_at < ?
   AND NOT EXISTS (SELECT 1 FROM oauth_tokens t WHERE t.grant_id = g.id) ORDER BY g.id LIMIT ?`,
);

export interface TokenRow {
  grant_id: number;
  account_id: number;
  client_id: string;
  kind: string;
  scopes: string;
  redirect_uri: string | null;
  challenge: string | null;
  expires_at: number;
  spent_at: number | null;
  used_at: number | null;
}

export const tokenByDigest = statement<[digest: string], TokenRow>(
  `SELECT t.grant_id, g.account_id, g.client_id, t.kind, t.scopes, t.redirect_uri, t.challenge, t.expires_at, t.spent_at,
     g.used_at FROM oauth_tokens t JOIN oauth_grants g ON g.id = t.grant_id JOIN accounts a ON a.id = g.account_id
   WHERE t.digest = ? AND a.status = 'active'`,
);
export const insertToken = statement<
  [
    digest: string,
    grantId: number,
    kind: string,
    scopes: string,
    redirectUri: string | null,
    challenge: string | null,
    now: number,
    expiresAt: number,
  ]
>(
  `INSERT INTO oauth_tokens (digest, grant_id, kind, scopes, redirect_uri, challenge, created_at, expires_at)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
);
export const spendToken = statement<[now: number, digest: string]>(
  'UPDATE oauth_tokens SET spent_at = ? WHERE digest = ? AND spent_at IS NULL',
);
export const deleteAccessTokens = statement<[grantId: number]>(
  `DELETE FROM oauth_tokens WHERE grant_id = ? AND kind = 'access'`,
);
export const expiredTokens = statement<[now: number, limit: number], { digest: string }>(
  'SELECT digest FROM oauth_tokens WHERE expires_at <= ? ORDER BY expires_at LIMIT ?',
);
export const deleteToken = statement<[digest: string]>('DELETE FROM oauth_tokens WHERE digest = ?');
