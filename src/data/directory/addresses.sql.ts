import { statement } from '../db/sql.ts';

/** Aliases and grants. */

export const aliasAt = statement<[domainId: number, localPart: string], { id: number }>(
  'SELECT id FROM aliases WHERE domain_id = ? AND local_part = ?',
);

export const targetsOf = statement<[aliasId: number, limit: number], { address: string }>(
  'SELECT address FROM alias_targets WHERE alias_id = ? ORDER BY address LIMIT ?',
);

export const insertAlias = statement<[domainId: number, localPart: string, now: number], { id: number }>(
  'INSERT INTO aliases (domain_id, local_part, created_at) VALUES (?, ?, ?) RETURNING id',
);

export const insertTarget = statement<[aliasId: number, address: string]>(
  'INSERT INTO alias_targets (alias_id, address) VALUES (?, ?) ON CONFLICT (alias_id, address) DO NOTHING',
);

export const deleteTarget = statement<[aliasId: number, address: string]>(
  'DELETE FROM alias_targets WHERE alias_id = ? AND address = ?',
);

export const deleteTargets = statement<[aliasId: number]>('DELETE FROM alias_targets WHERE alias_id = ?');

export const deleteAlias = statement<[id: number]>('DELETE FROM aliases WHERE id = ?');

export const countTargets = statement<[aliasId: number], { count: number }>(
  'SELECT COUNT(*) AS count FROM alias_targets WHERE alias_id = ?',
);

/** All aliases of a domain (or all, ''), a row per target. */
export const allAliases = statement<
  [domain: string, sameDomain: string],
  { id: number; local_part: string; domain: string; target: string }
>(
  `SELECT l.id, l.local_part, d.name AS domain, t.address AS target
   FROM aliases l JOIN domains d ON d.id = l.domain_id JOIN alias_targets t ON t.alias_id = l.id
   WHERE (? = '' OR d.name = ?) ORDER BY d.name, l.local_part, t.address`,
);

export const grantsOf = statement<[accountId: number], { address: string }>(
  'SELECT address FROM sender_grants WHERE account_id = ? ORDER BY address',
);

export const grantHeld = statement<[accountId: number, address: string], { address: string }>(
  'SELECT address FROM sender_grants WHERE account_id = ? AND address = ?',
);

export const insertGrant = statement<[accountId: number, address: string, now: number]>(
  `INSERT INTO sender_grants (account_id, address, created_at) VALUES (?, ?, ?)
   ON CONFLICT (account_id, address) DO NOTHING`,
);

export const deleteGrant = statement<[accountId: number, address: string]>(
  'DELETE FROM sender_grants WHERE account_id = ? AND address = ?',
);
