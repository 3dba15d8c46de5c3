import { statement } from '../db/sql.ts';

/** App passwords, web sessions, second factors; what OAuth has is in oauth.sql.ts. */

export interface AppPasswordRow {
  id: number;
  name: string;
  scopes: string;
  salt: Uint8Array;
  iterations: number;
  stored_key: Uint8Array;
  server_key: Uint8Array;
  created_at: number;
  expires_at: number | null;
  used_at: number | null;
  used_from: string | null;
}

export const appPasswordsOf = statement<[accountId: number], AppPasswordRow>(
  `SELECT id, name, scopes, salt, iterations, stored_key, server_key, created_at, expires_at, used_at, used_from
   FROM app_passwords WHERE account_id = ? ORDER BY id`,
);
export const insertAppPassword = statement<
  [
    accountId: number,
    name: string,
    scopes: string,
    salt: Uint8Array,
    iterations: number,
    storedKey: Uint8Array,
    serverKey: Uint8Array,
    now: number,
    expiresAt: number | null,
  ],
  { id: number }
>(
  `INSERT INTO app_passwords (account_id, name, scopes, salt, iterations, stored_key, server_key, created_at, expires_at)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
);
export const deleteAppPassword = statement<[accountId: number, id: number], { name: string }>(
  'DELETE FROM app_passwords WHERE account_id = ? AND id = ? RETURNING name',
);
export const noteAppPassword = statement<[now: number, address: string, id: number]>(
  'UPDATE app_passwords SET used_at = ?, used_from = ? WHERE id = ?',
);

export interface SessionRow {
  id: number;
  account_id: number;
  user_agent: string;
  address: string;
  remember: number;
  created_at: number;
  confirmed_at: number;
  used_at: number;
  expires_at: number;
}

const SESSION = `SELECT s.id, s.account_id, s.user_agent, s.address, s.remember, s.created_at, s.confirmed_at, s.used_at,
  s.expires_at FROM web_sessions s`;

export const sessionByDigest = statement<[digest: string], SessionRow>(
  `${SESSION} JOIN accounts a ON a.id = s.account_id WHERE s.digest = ? AND a.status = 'active'`,
);
export const sessionsOf = statement<[accountId: number], SessionRow>(
  `${SESSION} WHERE s.account_id = ? ORDER BY s.used_at DESC, s.id DESC`,
);
export const insertSession = statement<
  [
    accountId: number,
    digest: string,
    userAgent: string,
    address: string,
    remember: number,
    now: number,
    confirmedAt: number,
    usedAt: number,
    expiresAt: number,
  ],
  { id: number }
>(
  `INSERT INTO web_sessions (account_id, digest, user_agent, address, remember, created_at, confirmed_at, used_at,
     expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
);
export const useSession = statement<[now: number, expiresAt: number, address: string, id: number]>(
  'UPDATE web_sessions SET used_at = ?, expires_at = ?, address = ? WHERE id = ?',
);
export const confirmSession = statement<[now: number, accountId: number, id: number]>(
  'UPDATE web_sessions SET confirmed_at = ? WHERE account_id = ? AND id = ?',
);
export const deleteSession = statement<[accountId: number, id: number]>(
  'DELETE FROM web_sessions WHERE account_id = ? AND id = ?',
);
export const deleteOtherSessions = statement<[accountId: number, keep: number], { id: number }>(
  'DELETE FROM web_sessions WHERE account_id = ? AND id <> ? RETURNING id',
);
export const expiredSessions = statement<[now: number, limit: number], { id: number; account_id: number }>(
  'SELECT id, account_id FROM web_sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?',
);

export const totpOf = statement<
  [accountId: number],
  { secret: string; created_at: number; confirmed_at: number | null; last_step: number }
>('SELECT secret, created_at, confirmed_at, last_step FROM totp WHERE account_id = ?');
/** Begins anew unless one is in force. */
export const putTotp = statement<[accountId: number, secret: string, now: number]>(
  `INSERT INTO totp (account_id, secret, created_at, confirmed_at, last_step) VALUES (?, ?, ?, NULL, 0)
   ON CONFLICT (account_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at, last_step = 0
   WHERE totp.confirmed_at IS NULL`,
);
export const confirmTotp = statement<[now: number, step: number, accountId: number, secret: string]>(
  'UPDATE totp SET confirmed_at = ?, last_step = ? WHERE account_id = ? AND secret = ? AND confirmed_at IS NULL',
);
/** RFC 6238 section 5.2: a code, and every one before it, is taken once. */
export const spendTotp = statement<[step: number, accountId: number, sameStep: number]>(
  'UPDATE totp SET last_step = ? WHERE account_id = ? AND confirmed_at IS NOT NULL AND last_step < ?',
);
export const deleteTotp = statement<[accountId: number]>('DELETE FROM totp WHERE account_id = ?');

export const insertRecovery = statement<[accountId: number, digest: string]>(
  'INSERT INTO recovery_codes (account_id, digest) VALUES (?, ?)',
);
export const spendRecovery = statement<[accountId: number, digest: string]>(
  'DELETE FROM recovery_codes WHERE account_id = ? AND digest = ?',
);
export const countRecovery = statement<[accountId: number], { count: number }>(
  'SELECT COUNT(*) AS count FROM recovery_codes WHERE account_id = ?',
);
export const deleteRecovery = statement<[accountId: number]>(
  'DELETE FROM recovery_codes WHERE account_id = ?',
);

export interface PasskeyRow {
  id: number;
  account_id: number;
  credential_id: string;
  public_key: Uint8Array;
  counter: number;
  transports: string;
  name: string;
  created_at: number;
  used_at: number | null;
}

const PASSKEY = `SELECT p.id, p.account_id, p.credential_id, p.public_key, p.counter, p.transports, p.name, p.created_at,
  p.used_at FROM passkeys p`;
export const passkeysOf = statement<[accountId: number], PasskeyRow>(
  `${PASSKEY} WHERE p.account_id = ? ORDER BY p.id`,
);
export const passkeyByCredential = statement<[credentialId: string], PasskeyRow>(
  `${PASSKEY} JOIN accounts a ON a.id = p.account_id WHERE p.credential_id = ? AND a.status = 'active'`,
);
export const insertPasskey = statement<
  [
    accountId: number,
    credentialId: string,
    publicKey: Uint8Array,
    counter: number,
    transports: string,
    name: string,
    now: number,
  ],
  { id: number }
>(
  `INSERT INTO passkeys (account_id, credential_id, public_key, counter, transports, name, created_at)
   VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (credential_id) DO NOTHING RETURNING id`,
);
export const usePasskey = statement<[counter: number, now: number, id: number, before: number]>(
  'UPDATE passkeys SET counter = ?, used_at = ? WHERE id = ? AND counter = ?',
);
export const deletePasskey = statement<[accountId: number, id: number], { name: string }>(
  'DELETE FROM passkeys WHERE account_id = ? AND id = ? RETURNING name',
);
export const deletePasskeys = statement<[accountId: number]>('DELETE FROM passkeys WHERE account_id = ?');

export const passwordChangedAt = statement<[accountId: number], { changed_at: number }>(
  'SELECT changed_at FROM credentials WHERE account_id = ?',
);
export const deleteScramKeys = statement<[accountId: number]>(
  `UPDATE credentials SET scram_salt = NULL, scram_iterations = NULL, scram_stored_key = NULL, scram_server_key = NULL
   WHERE account_id = ?`,
);

const ofAccount = (table: string) =>
  statement<[accountId: number]>(`DELETE FROM ${table} WHERE account_id = ?`);

/** In an order that no reference stands against. */
export const forgetAccountStatements = [
  statement<[accountId: number]>(
    'DELETE FROM oauth_tokens WHERE grant_id IN (SELECT id FROM oauth_grants WHERE account_id = ?)',
  ),
  ...['oauth_grants', 'passkeys', 'recovery_codes', 'totp', 'web_sessions', 'app_passwords'].map(ofAccount),
];
