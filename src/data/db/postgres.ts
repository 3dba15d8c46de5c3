import pg from 'pg';
import { Refusal } from '../../base/errors.ts';
import { migrations, schemaVersion } from './migrations/index.ts';
import { refuseNewer } from './migrate.ts';
import { type ReadTx, type Revoked, type SqlValue, type Statement, typeNames, type WriteTx } from './sql.ts';
import type { AfterCommit } from './sqlite.ts';

/** int8 as a number: ids, counters and milliseconds all stay below 2^53. */
const INT8 = 20;
/** SUM over int8 is numeric. */
const NUMERIC = 1700;
/** Times a transaction is tried when it lost against another (serialization failure, deadlock). */
const TRIES = 8;
/** Advisory lock that migrations of several processes take turns under; any constant serves. */
const MIGRATION_LOCK = 0x706f7374;

type Any = Statement<readonly SqlValue[], unknown>;

/** A pool that gives integers as numbers. `max`: connections. */
export function openPool(url: string, max: number): pg.Pool {
  const types = {
    getTypeParser: (oid: number, format?: 'text' | 'binary') =>
      oid === INT8 || oid === NUMERIC
        ? Number
        : (pg.types.getTypeParser(oid, format) as (text: string) => unknown),
  };
  const pool = new pg.Pool({ connectionString: url, max, types: types as unknown as pg.CustomTypesConfig });
  // A connection that breaks while nobody uses it is replaced by the next who needs one; unheard, it ends the process.
  pool.on('error', () => undefined);
  return pool;
}

function query(client: pg.ClientBase, statement: Any, params: readonly SqlValue[]): Promise<pg.QueryResult> {
  const values = params.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value));
  // Named, so that the server parses and plans it once a connection.
  return client.query({ name: `s${statement.id}`, text: statement.text.postgres, values });
}

export class PostgresReadTx implements ReadTx {
  readonly dialect = 'postgres';
  protected readonly client: pg.ClientBase;

  constructor(client: pg.ClientBase) {
    this.client = client;
  }

  async get<P extends readonly SqlValue[], R>(
    statement: Statement<P, R>,
    ...params: P
  ): Promise<R | undefined> {
    return (await query(this.client, statement as unknown as Any, params)).rows[0] as R | undefined;
  }

  async all<P extends readonly SqlValue[], R>(statement: Statement<P, R>, ...params: P): Promise<R[]> {
    return (await query(this.client, statement as unknown as Any, params)).rows as R[];
  }
}

export class PostgresWriteTx extends PostgresReadTx implements WriteTx {
  readonly now: number;
  /** Rows of any size go through one connection here, and other processes must be able to read them. */
  readonly segments = undefined;
  readonly #after: AfterCommit;

  constructor(client: pg.ClientBase, now: number, after: AfterCommit) {
    super(client);
    this.now = now;
    this.#after = after;
  }

  async run<P extends readonly SqlValue[], R>(statement: Statement<P, R>, ...params: P): Promise<number> {
    return (await query(this.client, statement as unknown as Any, params)).rowCount ?? 0;
  }

  touch(accountId: number): void {
    this.#after.accounts.add(accountId);
  }

  touchQueue(): void {
    this.#after.queue = true;
  }

  revoke(whose: Revoked): void {
    this.#after.revoked.add(whose);
  }
}

/** Bring the schema up to date; several processes may try at once. */
export async function migratePostgres(pool: pg.Pool): Promise<{ from: number; to: number }> {
  const client = await pool.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await client.query('CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)');
    const from = Number(
      (await client.query('SELECT max(version) AS version FROM schema_version')).rows[0]?.version ?? 0,
    );
    refuseNewer(from);
    for (const step of migrations) {
      if (step.version <= from) continue;
      await client.query('BEGIN');
      for (const text of step.up(typeNames.postgres)) await client.query(text);
      await client.query('INSERT INTO schema_version (version) VALUES ($1)', [step.version]);
      await client.query('COMMIT');
    }
    return { from, to: schemaVersion };
  } finally {
    await client.query('ROLLBACK').catch(() => undefined);
    await client.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    client.release();
  }
}

/** Run `fn` in a transaction of its own, again when it lost a race with another; the commit is durable when it resolves. */
export async function inTransaction<T>(
  pool: pg.Pool,
  now: number,
  fn: (tx: WriteTx) => Promise<T>,
): Promise<{ value: T; after: AfterCommit }> {
  for (let tried = 1; ; tried++) {
    const client = await pool.connect();
    const after: AfterCommit = { accounts: new Set(), revoked: new Set(), queue: false };
    try {
      await client.query('BEGIN');
      const value = await fn(new PostgresWriteTx(client, now, after));
      await client.query('COMMIT');
      return { value, after };
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      if (error instanceof Refusal || tried >= TRIES || !lostRace(error)) throw error;
    } finally {
      client.release();
    }
  }
}

/** Reads of one snapshot. */
export async function inSnapshot<T>(pool: pg.Pool, fn: (tx: ReadTx) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return await fn(new PostgresReadTx(client));
  } finally {
    await client.query('COMMIT').catch(() => undefined);
    client.release();
  }
}

/** serialization_failure, deadlock_detected, unique_violation of two who inserted the same at once. */
function lostRace(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === '40001' || code === '40P01' || code === '23505';
}
