import { statement } from '../db/sql.ts';

export interface KeyRow {
  id: number;
  kind: string;
  address: string;
  fingerprint: string;
  source: string;
  trusted: number;
  first_seen: number;
  changed_at: number;
  size: number;
  data: Uint8Array | null;
}

const COLUMNS =
  'id, kind, address, fingerprint, source, trusted, first_seen, changed_at, LENGTH(data) AS size';

export const keyList = statement<[accountId: number], KeyRow>(
  `SELECT ${COLUMNS}, NULL AS data FROM correspondent_keys WHERE account_id = ? ORDER BY address, id`,
);

export const keysOfAddress = statement<[accountId: number, address: string], KeyRow>(
  `SELECT ${COLUMNS}, data FROM correspondent_keys WHERE account_id = ? AND address = ? ORDER BY id`,
);

export const keyById = statement<[id: number, accountId: number], KeyRow>(
  `SELECT ${COLUMNS}, data FROM correspondent_keys WHERE id = ? AND account_id = ?`,
);

export const keyLike = statement<
  [accountId: number, kind: string, address: string, fingerprint: string],
  { id: number; source: string; trusted: number }
>(
  `SELECT id, source, trusted FROM correspondent_keys
   WHERE account_id = ? AND kind = ? AND address = ? AND fingerprint = ?`,
);

export const countKeys = statement<[address: string, accountId: number], { own: number; all_keys: number }>(
  `SELECT COUNT(CASE WHEN address = ? THEN 1 END) AS own, COUNT(*) AS all_keys FROM correspondent_keys
   WHERE account_id = ?`,
);

export const insertKey = statement<
  [
    accountId: number,
    kind: string,
    address: string,
    fingerprint: string,
    data: Uint8Array,
    source: string,
    trusted: number,
    firstSeen: number,
    changedAt: number,
  ],
  { id: number }
>(
  `INSERT INTO correspondent_keys
     (account_id, kind, address, fingerprint, data, source, trusted, first_seen, changed_at)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
);

export const changeKey = statement<
  [data: Uint8Array, source: string, trusted: number, changedAt: number, id: number]
>('UPDATE correspondent_keys SET data = ?, source = ?, trusted = ?, changed_at = ? WHERE id = ?');

export const setTrust = statement<[trusted: number, changedAt: number, id: number, accountId: number]>(
  'UPDATE correspondent_keys SET trusted = ?, changed_at = ? WHERE id = ? AND account_id = ?',
);

export const deleteKey = statement<[id: number, accountId: number]>(
  'DELETE FROM correspondent_keys WHERE id = ? AND account_id = ?',
);
