import { statement } from '../db/sql.ts';

/** What the contract suite looks at behind the store's back. */

export const tablesNaming = ['snoozes', 'masked_addresses', 'account_settings', 'correspondent_keys'].map(
  (table) => ({
    table,
    rows: statement<[accountId: number], { count: number }>(
      `SELECT COUNT(*) AS count FROM ${table} WHERE account_id = ?`,
    ),
  }),
);
