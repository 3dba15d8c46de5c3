import type { DatabaseSync } from 'node:sqlite';
import { Refusal } from '../../base/errors.ts';
import { migrations, schemaVersion } from './migrations/index.ts';
import { typeNames } from './sql.ts';

/** Bring a SQLite file to the schema of this program; each step is one transaction, so a kill leaves a whole step or none. */
export function migrateSqlite(db: DatabaseSync): { from: number; to: number } {
  const from = Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0);
  refuseNewer(from);
  for (const step of migrations) {
    if (step.version <= from) continue;
    db.exec('BEGIN IMMEDIATE');
    try {
      for (const text of step.up(typeNames.sqlite)) db.exec(text);
      db.exec(`PRAGMA user_version = ${step.version}`);
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }
  return { from, to: schemaVersion };
}

/** A data directory written by a newer program is left alone. */
export function refuseNewer(found: number): void {
  if (found <= schemaVersion) return;
  throw new Refusal(
    'conflict',
    `The data was written by a newer Postern (schema ${found}; this program knows ${schemaVersion}). ` +
      'Start the newer version, or restore the backup made before the upgrade.',
  );
}
