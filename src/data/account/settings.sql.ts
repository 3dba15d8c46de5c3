import { statement } from '../db/sql.ts';

export const settingOf = statement<[accountId: number, kind: string], { data: string }>(
  'SELECT data FROM account_settings WHERE account_id = ? AND kind = ?',
);

export const putSetting = statement<[accountId: number, kind: string, data: string, at: number]>(
  `INSERT INTO account_settings (account_id, kind, data, changed_at) VALUES (?, ?, ?, ?)
   ON CONFLICT (account_id, kind) DO UPDATE SET data = excluded.data, changed_at = excluded.changed_at`,
);
