import { PGlite, type Transaction } from '@electric-sql/pglite';
import { migrateSqlite } from '../db/migrate.ts';
import { migrations } from '../db/migrations/index.ts';
import { type AnyStatement, type SqlValue, type WriteTx, typeNames } from '../db/sql.ts';
import { type AfterCommit, openSqlite, SqliteSession, SqliteWriteTx } from '../db/sqlite.ts';

/** A store for the contract suite: empty, migrated, with a clock the test moves. */
export interface ContractStore {
  /** Milliseconds since the epoch that the next transaction sees. */
  now: number;
  /** Run one transaction; what it throws rolls it back. */
  transact<T>(fn: (tx: WriteTx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const START = Date.UTC(2026, 0, 1);

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

/** PostgreSQL in this process. */
export async function openPgliteContractStore(): Promise<ContractStore> {
  const db = await PGlite.create();
  for (const migration of migrations) {
    for (const text of migration.up(typeNames.postgres)) await db.exec(text);
  }
  const store: ContractStore = {
    now: START,
    transact: (fn) => db.transaction((transaction) => fn(pgliteTx(transaction, store.now))),
    close: () => db.close(),
  };
  return store;
}

function pgliteTx(transaction: Transaction, now: number): WriteTx {
  const query = async (statement: AnyStatement, params: readonly SqlValue[]) =>
    transaction.query(statement.text.postgres, [...params]);
  return {
    dialect: 'postgres',
    now,
    get: async (statement, ...params) =>
      (await query(statement as unknown as AnyStatement, params)).rows[0] as never,
    all: async (statement, ...params) =>
      (await query(statement as unknown as AnyStatement, params)).rows as never,
    run: async (statement, ...params) =>
      (await query(statement as unknown as AnyStatement, params)).affectedRows ?? 0,
    touch: () => undefined,
    touchQueue: () => undefined,
    revoke: () => undefined,
  };
}
