import type { ReadEntry } from '../catalogue.ts';
import { reads } from '../reads.ts';
import { SqliteReadTx, type SqliteSession } from './sqlite.ts';

export const readCatalogue = reads as unknown as Record<string, ReadEntry<unknown, unknown>>;

const open = new WeakMap<SqliteSession, number>();

/**
 * Run a named read in one snapshot. Everything underneath is synchronous, so reads on one connection can only overlap
 * within one turn of the event loop; those share a snapshot, and it ends before anything is waited for.
 */
export async function runRead(session: SqliteSession, name: string, args: unknown): Promise<unknown> {
  const entry = Object.hasOwn(readCatalogue, name) ? readCatalogue[name] : undefined;
  if (entry === undefined) throw new Error(`no read is named ${name}`);
  const depth = open.get(session) ?? 0;
  if (entry.single === true && depth === 0) return entry.run(new SqliteReadTx(session), args);
  if (depth === 0) session.begin();
  open.set(session, depth + 1);
  try {
    return await entry.run(new SqliteReadTx(session), args);
  } finally {
    const left = (open.get(session) ?? 1) - 1;
    open.set(session, left);
    if (left === 0) session.end();
  }
}
