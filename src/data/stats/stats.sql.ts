import { statement } from '../db/sql.ts';

/** What was counted and measured; times in seconds since the epoch. */

export const sampleAt = statement<[step: number, at: number], { data: string }>(
  'SELECT data FROM stats WHERE step = ? AND at = ?',
);

export const putSample = statement<[step: number, at: number, data: string]>(
  'INSERT INTO stats (step, at, data) VALUES (?, ?, ?) ON CONFLICT (step, at) DO UPDATE SET data = excluded.data',
);

export const samplesBetween = statement<
  [step: number, from: number, to: number, limit: number],
  { at: number; data: string }
>('SELECT at, data FROM stats WHERE step = ? AND at >= ? AND at < ? ORDER BY at LIMIT ?');

export const deleteSamplesBefore = statement<[step: number, before: number]>(
  'DELETE FROM stats WHERE step = ? AND at < ?',
);
