import { statement } from '../db/sql.ts';

/** What tells that an owner is there: an account, or the site. */
export const ownerExists = statement<[owner: number], { id: number }>('SELECT id FROM accounts WHERE id = ?');

export const putModel = statement<
  [owner: number, ham: number, spam: number, updatedAt: number, model: Uint8Array]
>(
  `INSERT INTO spam_models (owner, ham, spam, updated_at, model) VALUES (?, ?, ?, ?, ?)
   ON CONFLICT (owner) DO UPDATE SET ham = excluded.ham, spam = excluded.spam, updated_at = excluded.updated_at,
     model = excluded.model`,
);

export interface ModelRow {
  owner: number;
  ham: number;
  spam: number;
  updated_at: number;
}

export const modelOf = statement<[owner: number], ModelRow & { model: Uint8Array }>(
  'SELECT owner, ham, spam, updated_at, model FROM spam_models WHERE owner = ?',
);

export const allModels = statement<[], ModelRow & { bytes: number }>(
  'SELECT owner, ham, spam, updated_at, OCTET_LENGTH(model) AS bytes FROM spam_models ORDER BY owner',
);

export const deleteModel = statement<[owner: number]>('DELETE FROM spam_models WHERE owner = ?');
