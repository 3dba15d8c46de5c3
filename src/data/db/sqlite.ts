import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { Refusal } from '../../base/errors.ts';
import { cacheBytes } from '../../base/memory.ts';
import { isFull, SegmentFailure, type Segments, type SegmentWriter } from '../blobs/segments.ts';
import type { ReadTx, Revoked, SqlValue, Statement, WriteTx } from './sql.ts';

/** Pages in the write-ahead log before a commit also checkpoints: 8,192 x 4 KiB = 32 MiB. */
const CHECKPOINT_PAGES = 8192;
/** KiB of page cache of the writer and of a reader. */
const WRITER_CACHE_KIB = cacheBytes(32_768);
const READER_CACHE_KIB = cacheBytes(8_192);
/** Milliseconds to wait for a lock another process holds (a CLI reading the file, a backup). */
const BUSY_TIMEOUT_MS = 5000;

export type SqliteRole = 'writer' | 'reader';

/** Open a database file in write-ahead mode; a commit of the writer returns after its fsync (synchronous=FULL). */
export function openSqlite(path: string, role: SqliteRole): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: role === 'reader', timeout: BUSY_TIMEOUT_MS });
  if (role === 'writer') {
    db.exec(`PRAGMA journal_mode = WAL`);
    db.exec(`PRAGMA synchronous = FULL`);
    db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    // Savepoints copy the pages they may have to restore; in a temporary file that is two writes a page.
    db.exec(`PRAGMA temp_store = MEMORY`);
    // What is deleted or changed does not stay in the page, where that costs no further write.
    db.exec(`PRAGMA secure_delete = FAST`);
    db.exec(`PRAGMA foreign_keys = ON`);
    db.exec(`PRAGMA cache_size = -${WRITER_CACHE_KIB}`);
  } else {
    db.exec(`PRAGMA query_only = ON`);
    db.exec(`PRAGMA cache_size = -${READER_CACHE_KIB}`);
  }
  return db;
}

/** Prepared statements of one connection, made on first use. */
export class SqliteSession {
  readonly db: DatabaseSync;
  /** Of a writer whose larger bodies stand beside the database. */
  readonly segments: SegmentWriter | undefined;
  readonly #prepared: StatementSync[] = [];

  readonly #control = new Map<string, StatementSync>();
  #version: StatementSync | undefined;

  constructor(db: DatabaseSync, segments?: SegmentWriter) {
    this.db = db;
    this.segments = segments;
  }

  /** Run a transaction-control statement, prepared once. */
  control(text: string): void {
    let prepared = this.#control.get(text);
    if (prepared === undefined) this.#control.set(text, (prepared = this.db.prepare(text)));
    prepared.run();
  }

  /** Give back the memory of pages that are kept for the next statements. */
  shrink(): void {
    if (!this.db.isTransaction) this.db.exec('PRAGMA shrink_memory');
  }

  /** Changes when another connection has committed (for this one's next read, or within the snapshot it has open). */
  dataVersion(): number {
    this.#version ??= this.db.prepare('PRAGMA data_version');
    return Number(this.#version.get()?.['data_version']);
  }

  /** Begin and end a snapshot for reading. */
  begin(): void {
    this.control('BEGIN');
  }

  end(): void {
    this.control('COMMIT');
  }

  prepare(statement: Statement<readonly SqlValue[], unknown>): StatementSync {
    return (this.#prepared[statement.id] ??= this.db.prepare(statement.text.sqlite));
  }
}

type Any = Statement<readonly SqlValue[], unknown>;

/** Reads on one connection. Synchronous underneath: a promise here never waits. */
export class SqliteReadTx implements ReadTx {
  readonly dialect = 'sqlite';
  protected readonly session: SqliteSession;

  constructor(session: SqliteSession) {
    this.session = session;
  }

  get<P extends readonly SqlValue[], R>(statement: Statement<P, R>, ...params: P): Promise<R | undefined> {
    return settle(() => this.session.prepare(statement as unknown as Any).get(...params) as R | undefined);
  }

  all<P extends readonly SqlValue[], R>(statement: Statement<P, R>, ...params: P): Promise<R[]> {
    return settle(() => this.session.prepare(statement as unknown as Any).all(...params) as R[]);
  }
}

/** What a group of writes wants to tell the world after its commit. */
export interface AfterCommit {
  readonly accounts: Set<number>;
  readonly revoked: Set<Revoked>;
  queue: boolean;
}

export class SqliteWriteTx extends SqliteReadTx implements WriteTx {
  readonly now: number;
  readonly segments: Segments | undefined;
  readonly #after: AfterCommit;

  constructor(session: SqliteSession, now: number, after: AfterCommit) {
    super(session);
    this.now = now;
    this.segments = session.segments;
    this.#after = after;
  }

  run<P extends readonly SqlValue[], R>(statement: Statement<P, R>, ...params: P): Promise<number> {
    return settle(() => Number(this.session.prepare(statement as unknown as Any).run(...params).changes));
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

/** A synchronous result as a promise, errors included. */
function settle<T>(fn: () => T): Promise<T> {
  try {
    return Promise.resolve(fn());
  } catch (error) {
    return Promise.reject(error as Error);
  }
}

const SQLITE_FULL = 13;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_CANTOPEN = 14;
const SQLITE_READONLY = 8;

/** Primary result code of an error of node:sqlite, or undefined. */
function primaryCode(error: unknown): number | undefined {
  if (error instanceof Error && 'errcode' in error && typeof error.errcode === 'number')
    return error.errcode & 0xff;
  return undefined;
}

/** The disk is full: nothing of the transaction was kept, and nothing else is wrong. */
export function isDiskFull(error: unknown): boolean {
  return primaryCode(error) === SQLITE_FULL || isFull(error);
}

/** The store itself failed (I/O error, failed fsync, damaged file): the connection must not be used again. */
export function isStoreFailure(error: unknown): boolean {
  const code = primaryCode(error);
  return (
    error instanceof SegmentFailure ||
    code === SQLITE_IOERR ||
    code === SQLITE_CORRUPT ||
    code === SQLITE_CANTOPEN ||
    code === SQLITE_READONLY
  );
}

export function storageFull(): Refusal {
  return new Refusal('storage-full', 'The disk that holds the mail is full; free some space and try again.');
}

export function storeUnavailable(): Refusal {
  return new Refusal('unavailable', 'The mail store is not available at the moment; try again in a minute.');
}
