import { statement } from '../db/sql.ts';

/** When keys were made and when their state last changed; the latter is a setting, for tables made before rotation. */

export const setDkimState = statement<[state: string, domainId: number, selector: string]>(
  'UPDATE dkim_keys SET state = ? WHERE domain_id = ? AND selector = ?',
);

export const deleteDkimKey = statement<[domainId: number, selector: string]>(
  'DELETE FROM dkim_keys WHERE domain_id = ? AND selector = ?',
);

export const deleteSetting = statement<[name: string]>('DELETE FROM settings WHERE name = ?');

export const dkimTimes = statement<
  [domain: string],
  { selector: string; created_at: number; changed: string | null }
>(
  `SELECT k.selector, k.created_at, s.value AS changed FROM dkim_keys k JOIN domains d ON d.id = k.domain_id
   LEFT JOIN settings s ON s.name = 'dkim.changed ' || d.name || ' ' || k.selector
   WHERE d.name = ? ORDER BY k.id`,
);
