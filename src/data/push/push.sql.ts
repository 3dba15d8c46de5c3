import { statement } from '../db/sql.ts';

export interface PushRow {
  id: number;
  account_id: number;
  device: string;
  url: string;
  p256dh: string | null;
  auth: string | null;
  types: string | null;
  code: string;
  verified: number;
  login_kind: string;
  login_id: number;
  created_at: number;
  expires_at: number;
  told_at: number | null;
  failures: number;
}

const COLUMNS =
  'id, account_id, device, url, p256dh, auth, types, code, verified, login_kind, login_id, created_at, expires_at, told_at, failures';

export const subscriptionsOf = statement<[accountId: number, now: number], PushRow>(
  `SELECT ${COLUMNS} FROM push_subscriptions WHERE account_id = ? AND expires_at > ? ORDER BY id`,
);

export const subscriptionsAfter = statement<[after: number, now: number, limit: number], PushRow>(
  `SELECT ${COLUMNS} FROM push_subscriptions WHERE id > ? AND expires_at > ? ORDER BY id LIMIT ?`,
);

export const insertSubscription = statement<
  [
    accountId: number,
    device: string,
    url: string,
    p256dh: string | null,
    auth: string | null,
    types: string | null,
    code: string,
    loginKind: string,
    loginId: number,
    createdAt: number,
    expiresAt: number,
  ],
  { id: number }
>(
  `INSERT INTO push_subscriptions (account_id, device, url, p256dh, auth, types, code, verified, login_kind, login_id,
     created_at, expires_at, told_at, failures)
   VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, NULL, 0) RETURNING id`,
);

export const updateSubscription = statement<
  [types: string | null, expiresAt: number, verified: number, id: number, accountId: number]
>('UPDATE push_subscriptions SET types = ?, expires_at = ?, verified = ? WHERE id = ? AND account_id = ?');

/** The same device of the same account may only have one (RFC 8620 section 7.2). */
export const deleteOfDevice = statement<[accountId: number, device: string, url: string]>(
  'DELETE FROM push_subscriptions WHERE account_id = ? AND device = ? AND url = ?',
);

export const deleteSubscription = statement<[id: number, accountId: number]>(
  'DELETE FROM push_subscriptions WHERE id = ? AND account_id = ?',
);

export const deleteOfLogin = statement<[accountId: number, kind: string, id: number]>(
  'DELETE FROM push_subscriptions WHERE account_id = ? AND login_kind = ? AND login_id = ?',
);

export const deleteOfAccount = statement<[accountId: number]>(
  'DELETE FROM push_subscriptions WHERE account_id = ?',
);

export const noteTold = statement<[at: number, id: number]>(
  'UPDATE push_subscriptions SET told_at = ?, failures = 0 WHERE id = ?',
);

export const noteFailure = statement<[id: number], { failures: number }>(
  'UPDATE push_subscriptions SET failures = failures + 1 WHERE id = ? RETURNING failures',
);

export const deleteExpired = statement<[now: number]>('DELETE FROM push_subscriptions WHERE expires_at <= ?');

/** Those whose login has gone with its time. */
export const deleteOrphans = [
  statement<[]>(
    `DELETE FROM push_subscriptions WHERE login_kind = 'session'
       AND NOT EXISTS (SELECT 1 FROM web_sessions WHERE web_sessions.id = push_subscriptions.login_id)`,
  ),
  statement<[]>(
    `DELETE FROM push_subscriptions WHERE login_kind = 'grant'
       AND NOT EXISTS (SELECT 1 FROM oauth_grants WHERE oauth_grants.id = push_subscriptions.login_id)`,
  ),
  statement<[]>(
    `DELETE FROM push_subscriptions WHERE login_kind = 'app'
       AND NOT EXISTS (SELECT 1 FROM app_passwords WHERE app_passwords.id = push_subscriptions.login_id)`,
  ),
];
