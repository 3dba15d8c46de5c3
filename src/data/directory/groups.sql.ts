import { statement } from '../db/sql.ts';

/** Aliases that are lists of people. */

export interface GroupRow {
  description: string;
  senders: string;
  created_at: number;
}

export const groupOf = statement<[aliasId: number], GroupRow>(
  'SELECT description, senders, created_at FROM alias_groups WHERE alias_id = ?',
);

export const putGroup = statement<[aliasId: number, description: string, senders: string, now: number]>(
  `INSERT INTO alias_groups (alias_id, description, senders, created_at) VALUES (?, ?, ?, ?)
   ON CONFLICT (alias_id) DO UPDATE SET description = excluded.description, senders = excluded.senders`,
);

export const deleteGroup = statement<[aliasId: number]>('DELETE FROM alias_groups WHERE alias_id = ?');

/** All groups of a domain (or all, ''). */
export const allGroups = statement<
  [domain: string, sameDomain: string],
  GroupRow & { id: number; local_part: string; domain: string }
>(
  `SELECT l.id, l.local_part, d.name AS domain, g.description, g.senders, g.created_at
   FROM alias_groups g JOIN aliases l ON l.id = g.alias_id JOIN domains d ON d.id = l.domain_id
   WHERE (? = '' OR d.name = ?) ORDER BY d.name, l.local_part`,
);
