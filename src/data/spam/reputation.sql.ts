import { statement } from '../db/sql.ts';

/** Messages after which what was seen is worth half: a domain that changed hands is judged by what it does now. */
export const HALVE_ABOVE = 1000;

function added(column: 'ham' | 'spam'): string {
  const sum = `reputation.${column} + excluded.${column}`;
  const all = 'reputation.ham + excluded.ham + reputation.spam + excluded.spam';
  return `${column} = CASE WHEN ${all} > ${HALVE_ABOVE} THEN (${sum}) / 2 ELSE ${sum} END`;
}

export const addReputation = statement<[kind: string, name: string, ham: number, spam: number, at: number]>(
  `INSERT INTO reputation (kind, name, ham, spam, last_at) VALUES (?, ?, ?, ?, ?)
   ON CONFLICT (kind, name) DO UPDATE SET ${added('ham')}, ${added('spam')}, last_at = excluded.last_at`,
);

export const reputationOf = statement<
  [kind: string, name: string],
  { ham: number; spam: number; last_at: number }
>('SELECT ham, spam, last_at FROM reputation WHERE kind = ? AND name = ?');

export const forgetReputation = statement<[before: number, limit: number]>(
  `DELETE FROM reputation WHERE (kind, name) IN
     (SELECT kind, name FROM reputation WHERE last_at < ? ORDER BY last_at LIMIT ?)`,
);
