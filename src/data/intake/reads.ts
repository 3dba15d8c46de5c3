import { long, point } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import {
  countByState,
  countProblems,
  dueObjects,
  newestObjects,
  newestProblems,
  nextDue,
  objectByName,
  type ObjectRow,
  objectsOfState,
  recipientsOf,
} from './intake.sql.ts';
import type {
  IntakeCounts,
  IntakeName,
  IntakeObject,
  IntakeProblem,
  IntakeState,
  SettledRecipient,
} from './types.ts';
import { settings } from './writes.ts';

export interface KnownObject {
  readonly object: IntakeObject;
  readonly settled: readonly SettledRecipient[];
}

function objectOf(row: ObjectRow): IntakeObject {
  return {
    bucket: row.bucket,
    key: row.object_key,
    source: row.source,
    state: row.state,
    trace: row.trace,
    toldBy: row.told_by,
    firstAt: row.first_at,
    receivedAt: row.received_at,
    size: row.size ?? undefined,
    attempts: row.attempts,
    nextAt: row.next_at ?? undefined,
    reason: row.reason,
    recipients: row.recipients === null ? undefined : (JSON.parse(row.recipients) as string[]),
    notice: row.notice ?? undefined,
    settledAt: row.settled_at ?? undefined,
    removedAt: row.removed_at ?? undefined,
  };
}

async function known(tx: ReadTx, { bucket, key }: IntakeName): Promise<KnownObject | undefined> {
  const row = await tx.get(objectByName, bucket, key);
  if (row === undefined) return undefined;
  const settled = await tx.all(recipientsOf, bucket, key);
  return {
    object: objectOf(row),
    settled: settled.map(({ recipient, outcome }) => ({ recipient, outcome })),
  };
}

async function problems(
  tx: ReadTx,
  { limit }: { limit: number },
): Promise<{ total: number; problems: readonly IntakeProblem[] }> {
  const rows = await tx.all(newestProblems, limit);
  return {
    total: (await tx.get(countProblems))?.n ?? 0,
    problems: rows.map(({ told_by: toldBy, first_at: firstAt, last_at: lastAt, ...row }) => ({
      ...row,
      toldBy,
      firstAt,
      lastAt,
    })),
  };
}

export const reads = {
  'intake.settings': point((tx: ReadTx, _args: null) => settings(tx)),
  /** What is known of an object, and who has it. */
  'intake.object': point(known),
  /** Of these, which are known: for a look through the bucket. */
  'intake.known': long(async (tx: ReadTx, args: { bucket: string; keys: readonly string[] }) => {
    const found: IntakeObject[] = [];
    for (const key of args.keys) {
      const row = await tx.get(objectByName, args.bucket, key);
      if (row !== undefined) found.push(objectOf(row));
    }
    return found;
  }),
  /** What is to be tried again, or removed, by now. */
  'intake.due': point(async (tx: ReadTx, args: { now: number; limit: number }) =>
    (await tx.all(dueObjects, args.now, args.limit)).map(objectOf),
  ),
  /** When the next thing is due; undefined: nothing is left to do. */
  'intake.next': point(async (tx: ReadTx, _args: null) => (await tx.get(nextDue))?.next_at ?? undefined),
  /** Those in a state, the oldest first; without one all, the newest first. */
  'intake.list': long(async (tx: ReadTx, args: { state: IntakeState | null; limit: number }) => {
    const rows =
      args.state === null
        ? await tx.all(newestObjects, args.limit)
        : await tx.all(objectsOfState, args.state, args.limit);
    return rows.map(objectOf);
  }),
  'intake.counts': long(
    async (tx: ReadTx, _args: null): Promise<readonly IntakeCounts[]> =>
      (await tx.all(countByState)).map(({ state, n, oldest }) => ({
        state,
        count: n,
        oldest: oldest ?? undefined,
      })),
  ),
  'intake.problems': long(problems),
} as const;
