import { statement } from '../db/sql.ts';

/** Every body that lies outside of the database, by name: files of their own, and places in segments. */
export const bodyFiles = statement<[], { file: string; size: number }>(
  'SELECT file, size FROM blobs WHERE file IS NOT NULL ORDER BY file, size',
);

export const counts = statement<[], { accounts: number; emails: number }>(
  `SELECT (SELECT COUNT(*) FROM accounts WHERE status <> 'removed') AS accounts,
    (SELECT COUNT(*) FROM emails) AS emails`,
);
