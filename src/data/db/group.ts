import { Refusal, type RefusalData, errorText, refusalToData } from '../../base/errors.ts';
import type { WriteFunction } from '../catalogue.ts';
import { writes } from '../writes.ts';
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
  readonly after: { accounts: number[]; revoked: number[]; queue: boolean };
  /** The connection failed and must be replaced; nothing of the group was promised. */
  readonly broken: string | undefined;
}

const catalogue = writes as unknown as Record<string, WriteFunction<unknown, unknown>>;

/**
 * Run a group of writes in one transaction, each inside its own savepoint so that one's refusal costs the others
 * nothing, and commit them with one fsync. Answers are to be sent only after this returns: they are durable then.
 *
 * When the disk is full the whole group is refused. When the commit or its fsync fails, the group is refused as
 * unavailable and the connection is declared broken: a failed fsync may have dropped pages, so it is never retried.
 */
export async function runGroup(
  session: SqliteSession,
  requests: readonly WriteRequest[],
  now: number,
): Promise<GroupOutcome> {
  const after: AfterCommit = { accounts: new Set(), revoked: new Set(), queue: false };
  const answers: WriteAnswer[] = [];
  try {
    session.control('BEGIN IMMEDIATE');
    for (const request of requests) answers.push(await runOne(session, request, now, after));
    session.control('COMMIT');
  } catch (error) {
    return failedGroup(session, requests, error);
  }
  return {
    answers,
    after: { accounts: [...after.accounts], revoked: [...after.revoked], queue: after.queue },
    broken: undefined,
  };
}

async function runOne(
  session: SqliteSession,
  request: WriteRequest,
  now: number,
  after: AfterCommit,
): Promise<WriteAnswer> {
  const fn = Object.hasOwn(catalogue, request.name) ? catalogue[request.name] : undefined;
  if (fn === undefined) return { id: request.id, ok: false, bug: `no write is named ${request.name}` };
  session.control('SAVEPOINT one');
  try {
    const value = await fn(new SqliteWriteTx(session, now, after), request.args);
    session.control('RELEASE one');
    return { id: request.id, ok: true, value };
  } catch (error) {
    // These end the whole transaction, whichever statement met them.
    if (isDiskFull(error) || isStoreFailure(error)) throw error;
    session.control('ROLLBACK TO one');
    session.control('RELEASE one');
    if (error instanceof Refusal) return { id: request.id, ok: false, refusal: refusalToData(error) };
    return {
      id: request.id,
      ok: false,
      bug: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
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
  const refusal = refusalToData(broken === undefined ? storageFull() : storeUnavailable());
  return {
    answers: requests.map(({ id }) => ({ id, ok: false, refusal })),
    after: { accounts: [], revoked: [], queue: false },
    broken,
  };
}
