import type { DatabaseSync } from 'node:sqlite';
import { migrateSqlite } from '../db/migrate.ts';
import type { WriteTx } from '../db/sql.ts';
import { type AfterCommit, openSqlite, SqliteSession, SqliteWriteTx } from '../db/sqlite.ts';
import { addAccount } from '../directory/accounts.ts';
import { addDomain } from '../directory/domains.ts';
import { DOMAIN, SYSTEM } from './contract-fixtures.ts';

/** A SQLite database to work on without a store's catalogue in between, for tests that break things. */
export interface BareStore {
  readonly db: DatabaseSync;
  readonly accountId: number;
  /** Run one transaction; what it throws rolls it back. */
  transact<T>(fn: (tx: WriteTx) => Promise<T>): Promise<T>;
}

/** An empty database in memory with one account. */
export async function openBareStore(now: number): Promise<BareStore> {
  const db = openSqlite(':memory:', 'writer');
  migrateSqlite(db);
  const session = new SqliteSession(db);
  const transact = async <T>(fn: (tx: WriteTx) => Promise<T>): Promise<T> => {
    const after: AfterCommit = { accounts: new Set(), revoked: new Set(), queue: false };
    db.exec('BEGIN');
    try {
      const result = await fn(new SqliteWriteTx(session, now, after));
      db.exec('COMMIT');
      return result;
    } catch (error) {
      db.exec('ROLLBACK');
      throw error;
    }
  };
  const account = await transact(async (tx) => {
    await addDomain(tx, { actor: SYSTEM, name: DOMAIN });
    return addAccount(tx, {
      actor: SYSTEM,
      address: `owner@${DOMAIN}`,
      displayName: '',
      role: 'user',
      quota: 0,
      hash: 'none',
      scram: null,
    });
  });
  return { db, accountId: account.id, transact };
}
