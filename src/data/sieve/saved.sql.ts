import { statement } from '../db/sql.ts';

/** Scripts and settings of an account in a backup. */

export interface SavedScriptRow {
  name: string;
  text: string;
  active: number;
}

export const savedScripts = statement<[address: string], SavedScriptRow>(
  `SELECT s.name, s.text, s.active FROM sieve_scripts s JOIN accounts a ON a.id = s.owner
   WHERE s.place = 'account' AND a.address = ? AND a.status <> 'removed' ORDER BY s.name`,
);

export const savedSettings = statement<[address: string], { settings: string }>(
  `SELECT s.settings FROM sieve_settings s JOIN accounts a ON a.id = s.account_id
   WHERE a.address = ? AND a.status <> 'removed'`,
);
