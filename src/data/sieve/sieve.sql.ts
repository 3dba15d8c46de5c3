import { statement } from '../db/sql.ts';

export interface ScriptRow {
  id: number;
  place: string;
  name: string;
  size: number;
  digest: string;
  active: number;
  created_at: number;
  changed_at: number;
}

const INFO = 'id, place, name, size, digest, active, created_at, changed_at';

export const scriptsOf = statement<[place: string, owner: number], ScriptRow>(
  `SELECT ${INFO} FROM sieve_scripts WHERE place = ? AND owner = ? ORDER BY name`,
);

export const scriptByName = statement<
  [place: string, owner: number, name: string],
  ScriptRow & { text: string }
>(`SELECT ${INFO}, text FROM sieve_scripts WHERE place = ? AND owner = ? AND name = ?`);

export const scriptById = statement<[id: number], { text: string; digest: string }>(
  'SELECT text, digest FROM sieve_scripts WHERE id = ?',
);

export const textOfAccount = statement<[id: number, accountId: number], { text: string; digest: string }>(
  `SELECT text, digest FROM sieve_scripts WHERE id = ? AND place = 'account' AND owner = ?`,
);

export const spaceOf = statement<
  [place: string, owner: number, except: string],
  { count: number; size: number }
>(
  `SELECT COUNT(*) AS count, COALESCE(SUM(size), 0) AS size FROM sieve_scripts
   WHERE place = ? AND owner = ? AND name <> ?`,
);

export const putScript = statement<
  [
    place: string,
    owner: number,
    name: string,
    text: string,
    size: number,
    digest: string,
    active: number,
    createdAt: number,
    changedAt: number,
  ],
  ScriptRow
>(
  `INSERT INTO sieve_scripts (place, owner, name, text, size, digest, active, created_at, changed_at)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (place, owner, name) DO UPDATE SET text = excluded.text, size = excluded.size,
     digest = excluded.digest, changed_at = excluded.changed_at
   RETURNING ${INFO}`,
);

export const deactivateAll = statement<[place: string, owner: number]>(
  'UPDATE sieve_scripts SET active = 0 WHERE place = ? AND owner = ? AND active = 1',
);

export const activate = statement<[id: number]>('UPDATE sieve_scripts SET active = 1 WHERE id = ?');

export const renameScript = statement<[name: string, changedAt: number, id: number]>(
  'UPDATE sieve_scripts SET name = ?, changed_at = ? WHERE id = ?',
);

export const deleteScript = statement<[id: number]>('DELETE FROM sieve_scripts WHERE id = ?');

/** Whether any script runs for anybody: where none does, this is all a delivery asks. */
export const anyRunning = statement<[], { id: number }>(
  'SELECT id FROM sieve_scripts WHERE active = 1 LIMIT 1',
);

export interface RunningRow {
  id: number;
  place: string;
  name: string;
  digest: string;
}

export const runningFor = statement<[accountId: number, accountOfDomain: number], RunningRow>(
  `SELECT id, place, name, digest FROM sieve_scripts
     WHERE active = 1 AND owner = 0 AND place IN ('site-before', 'site-after')
   UNION ALL SELECT id, place, name, digest FROM sieve_scripts
     WHERE active = 1 AND owner = ? AND place IN ('account', 'generated')
   UNION ALL SELECT s.id, s.place, s.name, s.digest FROM accounts a JOIN sieve_scripts s ON s.owner = a.domain_id
     WHERE s.active = 1 AND a.id = ? AND s.place IN ('domain-before', 'domain-after')`,
);

/** Addresses that lead to one account alone, a row each; at most so many. */
export const aliasesOf = statement<[address: string, limit: number], { local_part: string; domain: string }>(
  `SELECT l.local_part, d.name AS domain FROM alias_targets t JOIN aliases l ON l.id = t.alias_id
     JOIN domains d ON d.id = l.domain_id
   WHERE t.address = ? AND (SELECT COUNT(*) FROM alias_targets o WHERE o.alias_id = t.alias_id) = 1
   ORDER BY l.id LIMIT ?`,
);

export const settingsOf = statement<[accountId: number], { settings: string; changed_at: number }>(
  'SELECT settings, changed_at FROM sieve_settings WHERE account_id = ?',
);

export const putSettings = statement<[accountId: number, settings: string, changedAt: number]>(
  `INSERT INTO sieve_settings (account_id, settings, changed_at) VALUES (?, ?, ?)
   ON CONFLICT (account_id) DO UPDATE SET settings = excluded.settings, changed_at = excluded.changed_at`,
);

export const deleteSettings = statement<[accountId: number]>(
  'DELETE FROM sieve_settings WHERE account_id = ?',
);

export const deleteScriptsOfDomain = statement<[domainId: number]>(
  `DELETE FROM sieve_scripts WHERE place IN ('domain-before', 'domain-after') AND owner = ?`,
);

const deleteScriptsOfAccount = statement<[accountId: number]>(
  `DELETE FROM sieve_scripts WHERE place IN ('account', 'generated') AND owner = ?`,
);
const deleteMemoryOf = statement<[accountId: number]>('DELETE FROM sieve_memory WHERE account_id = ?');
const deleteDaysOf = statement<[accountId: number]>('DELETE FROM sieve_days WHERE account_id = ?');

/** All that is known of an account's scripts. */
export const forgetAccountStatements = [deleteScriptsOfAccount, deleteSettings, deleteMemoryOf, deleteDaysOf];
