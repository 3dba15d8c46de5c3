import { PGlite, type Transaction } from '@electric-sql/pglite';
import { migrations } from '../db/migrations/index.ts';
import { type AnyStatement, type SqlValue, typeNames, type WriteTx } from '../db/sql.ts';
import { type ContractStore, START } from './contract-store.ts';

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
