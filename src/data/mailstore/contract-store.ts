import { migrateSqlite } from '../db/migrate.ts';
import type { WriteTx } from '../db/sql.ts';
import { type AfterCommit, openSqlite, SqliteSession, SqliteWriteTx } from '../db/sqlite.ts';

/** A store for the contract suite: empty, migrated, with a clock the test moves. */
export interface ContractStore {
  /** Milliseconds since the epoch that the next transaction sees. */
  now: number;
  /** Run one transaction; what it throws rolls it back. */
  transact<T>(fn: (tx: WriteTx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** What the clock says at first. */
export const START = Date.UTC(2026, 0, 1);

export async function openSqliteContractStore(): Promise<ContractStore> {
  const db = openSqlite(':memory:', 'writer');
  migrateSqlite(db);
  const session = new SqliteSession(db);
  const store: ContractStore = {
    now: START,
    async transact(fn) {
      const after: AfterCommit = { accounts: new Set(), revoked: new Set(), queue: false };
      db.exec('BEGIN');
      try {
        const result = await fn(new SqliteWriteTx(session, store.now, after));
        db.exec('COMMIT');
        return result;
      } catch (error) {
        db.exec('ROLLBACK');
        throw error;
      }
    },
    async close() {
      db.close();
    },
  };
  return store;
}
