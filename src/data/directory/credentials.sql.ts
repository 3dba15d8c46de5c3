import { statement } from '../db/sql.ts';

export interface CredentialRow {
  account_id: number;
  address: string;
  status: string;
  hash: string;
  scram_salt: Uint8Array | null;
  scram_iterations: number | null;
  scram_stored_key: Uint8Array | null;
  scram_server_key: Uint8Array | null;
  changed_at: number;
}

export const credentialOf = statement<[accountId: number], CredentialRow>(
  `SELECT c.account_id, a.address, a.status, c.hash, c.scram_salt, c.scram_iterations, c.scram_stored_key,
     c.scram_server_key, c.changed_at
   FROM credentials c JOIN accounts a ON a.id = c.account_id WHERE c.account_id = ? AND a.status <> 'removed'`,
);

export const putCredential = statement<
  [
    accountId: number,
    hash: string,
    salt: Uint8Array | null,
    iterations: number | null,
    storedKey: Uint8Array | null,
    serverKey: Uint8Array | null,
    now: number,
  ]
>(
  `INSERT INTO credentials (account_id, hash, scram_salt, scram_iterations, scram_stored_key, scram_server_key,
     changed_at) VALUES (?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (account_id) DO UPDATE SET hash = excluded.hash, scram_salt = excluded.scram_salt,
     scram_iterations = excluded.scram_iterations, scram_stored_key = excluded.scram_stored_key,
     scram_server_key = excluded.scram_server_key, changed_at = excluded.changed_at`,
);

/** Only while the hash is still the one that was checked. */
export const upgradeCredential = statement<
  [
    hash: string,
    salt: Uint8Array,
    iterations: number,
    storedKey: Uint8Array,
    serverKey: Uint8Array,
    accountId: number,
    oldHash: string,
  ]
>(
  `UPDATE credentials SET hash = ?, scram_salt = ?, scram_iterations = ?, scram_stored_key = ?, scram_server_key = ?
   WHERE account_id = ? AND hash = ?`,
);
