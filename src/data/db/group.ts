import { Refusal, type RefusalData, errorText, refusalToData } from '../../base/errors.ts';
import type { WriteFunction } from '../catalogue.ts';
import { writes } from '../writes.ts';
import type { Revoked } from './sql.ts';
import {
  type AfterCommit,
  isDiskFull,
  isStoreFailure,
  type SqliteSession,
  SqliteWriteTx,
  storageFull,
  storeUnavailable,
} from './sqlite.ts';

export interface WriteRequest {
  readonly id: number;
  readonly name: string;
  readonly args: unknown;
}

/** What crosses to the store thread: the requests of one turn of the event loop, and the time they were made. */
export interface WriteBatch {
  readonly now: number;
  readonly requests: readonly WriteRequest[];
}

export type WriteAnswer = { readonly id: number } & (
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly refusal: RefusalData }
  | { readonly ok: false; readonly bug: string }
);

export interface GroupOutcome {
  readonly answers: WriteAnswer[];
  readonly after: { accounts: number[]; revoked: Revoked[]; queue: boolean };
  /** The connection failed and must be replaced; nothing of the group was promised. */
  readonly broken: string | undefined;
}

const catalogue = writes as unknown as Record<string, WriteFunction<unknown, unknown>>;

/**
 * Run a group of writes in one transaction and commit them with one fsync. Answers are to be sent only after this
 * returns: they are durable then. One write's refusal costs the others nothing: the group is first run as if nothing
 * could fail; when something does, it is rolled back and run again with a savepoint around each write, which restores
 * what the refused one had changed. (A savepoint copies every page that is touched, so the common case does without.)
 *
 * When the disk is full the whole group is refused. When the commit or its fsync fails, the group is refused as
 * unavailable and the connection is declared broken: a failed fsync may have dropped pages, so it is never retried.
 */
export async function runGroup(
  session: SqliteSession,
  requests: readonly WriteRequest[],
  now: number,
): Promise<GroupOutcome> {
  try {
    return (await runHopefully(session, requests, now)) ?? (await runGuarded(session, requests, now));
  } catch (error) {
    return failedGroup(session, requests, error);
  }
}

/** Undefined, with nothing kept, when one of the writes failed in a way that concerns it alone. */
async function runHopefully(
  session: SqliteSession,
  requests: readonly WriteRequest[],
  now: number,
): Promise<GroupOutcome | undefined> {
  const after = nothingYet();
  const answers: WriteAnswer[] = [];
  session.control('BEGIN IMMEDIATE');
  try {
    for (const { id, name, args } of requests) {
      const value = await write(name)(new SqliteWriteTx(session, now, after), args);
      answers.push({ id, ok: true, value });
    }
  } catch (error) {
    if (isDiskFull(error) || isStoreFailure(error)) throw error;
    session.control('ROLLBACK');
    session.segments?.rolledBack();
    return undefined;
  }
  commit(session);
  return done(answers, after);
}

async function runGuarded(
  session: SqliteSession,
  requests: readonly WriteRequest[],
  now: number,
): Promise<GroupOutcome> {
  const after = nothingYet();
  const answers: WriteAnswer[] = [];
  session.control('BEGIN IMMEDIATE');
  for (const request of requests) answers.push(await runOne(session, request, now, after));
  commit(session);
  return done(answers, after);
}

/** The octets that rows name are durable before the rows are. */
function commit(session: SqliteSession): void {
  session.segments?.flush();
  session.control('COMMIT');
  session.segments?.committed();
}

async function runOne(
  session: SqliteSession,
  request: WriteRequest,
  now: number,
  after: AfterCommit,
): Promise<WriteAnswer> {
  // What a refused write wanted to tell is not told.
  const mine = nothingYet();
  const bodies = session.segments?.mark() ?? 0;
  session.control('SAVEPOINT one');
  try {
    const value = await write(request.name)(new SqliteWriteTx(session, now, mine), request.args);
    session.control('RELEASE one');
    for (const account of mine.accounts) after.accounts.add(account);
    for (const account of mine.revoked) after.revoked.add(account);
    after.queue ||= mine.queue;
    return { id: request.id, ok: true, value };
  } catch (error) {
    // These end the whole transaction, whichever statement met them.
    if (isDiskFull(error) || isStoreFailure(error)) throw error;
    session.control('ROLLBACK TO one');
    session.control('RELEASE one');
    session.segments?.backTo(bodies);
    if (error instanceof Refusal) return { id: request.id, ok: false, refusal: refusalToData(error) };
    const bug = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { id: request.id, ok: false, bug };
  }
}

function write(name: string): WriteFunction<unknown, unknown> {
  const fn = Object.hasOwn(catalogue, name) ? catalogue[name] : undefined;
  if (fn === undefined) throw new Error(`no write is named ${name}`);
  return fn;
}

function nothingYet(): AfterCommit {
  return { accounts: new Set(), revoked: new Set(), queue: false };
}

function done(answers: WriteAnswer[], after: AfterCommit): GroupOutcome {
  const { accounts, revoked, queue } = after;
  return { answers, after: { accounts: [...accounts], revoked: [...revoked], queue }, broken: undefined };
}

function failedGroup(
  session: SqliteSession,
  requests: readonly WriteRequest[],
  error: unknown,
): GroupOutcome {
  let broken: string | undefined = isDiskFull(error) ? undefined : errorText(error);
  try {
    if (session.db.isTransaction) session.db.exec('ROLLBACK');
  } catch (rollbackError) {
    broken ??= errorText(rollbackError);
  }
  // A commit that failed may stand whole in the log and come back: what its rows name stays where it is.
  if (broken === undefined) session.segments?.rolledBack();
  else session.segments?.abandon();
  const refusal = refusalToData(broken === undefined ? storageFull() : storeUnavailable());
  return {
    answers: requests.map(({ id }) => ({ id, ok: false, refusal })),
    after: { accounts: [], revoked: [], queue: false },
    broken,
  };
}
