import { statement } from '../db/sql.ts';

/** What the contract suite needs of the directory, without its rules. */
export const seedDomain = statement<[name: string], { id: number }>(
  `INSERT INTO domains (name, created_at) VALUES (?, 0) RETURNING id`,
);

export const seedAccount = statement<[address: string, domainId: number, quota: number], { id: number }>(
  `INSERT INTO accounts (address, domain_id, display_name, role, status, quota, created_at)
   VALUES (?, ?, '', 'user', 'active', ?, 0) RETURNING id`,
);

export const setStatus = statement<[status: string, id: number]>(
  `UPDATE accounts SET status = ? WHERE id = ?`,
);

export const breakCounter = statement<[id: number]>(
  `UPDATE mailboxes SET messages = messages + 1 WHERE id = ?`,
);

export const breakUsage = statement<[id: number]>(
  `UPDATE account_counters SET used = used + 1 WHERE account_id = ?`,
);

export const countBlobs = statement<[], { n: number }>(`SELECT COUNT(*) AS n FROM blobs`);
