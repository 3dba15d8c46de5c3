import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { refusalFromData } from '../base/errors.ts';
import { FileBlobStore, segmentsIn } from './blobs/file.ts';
import { createBlobReader } from './blobs/reader.ts';
import { SegmentWriter } from './blobs/segments.ts';
import { CachedReader } from './mailstore/cache/cached-reader.ts';
import { ChangeHub } from './changes.ts';
import { keepBeforeUpgrade, upgradeDone } from './db/before-upgrade.ts';
import { runGroup } from './db/group.ts';
import { migrateSqlite } from './db/migrate.ts';
import { runRead } from './db/read.ts';
import { openSqlite, SqliteReadTx, SqliteSession } from './db/sqlite.ts';
import type { OpenStore } from './open.ts';
import type { ReadTx } from './db/sql.ts';
import type { ReadName, ReadResult, WriteName, WriteResult } from './store.ts';

export interface InlineStore extends OpenStore {
  /** Look at the tables directly, for invariants and tests. */
  inspect<T>(fn: (tx: ReadTx) => Promise<T>): Promise<T>;
}

/**
 * The store without threads: every write is its own group, on one connection. For tests, and for commands that work
 * on the files of a stopped server. ':memory:' keeps the database in memory, without segments, and large bodies in a
 * temporary directory.
 */
export async function openInlineStore(options: { path: string; clock: Clock }): Promise<InlineStore> {
  const inMemory = options.path === ':memory:';
  const directory = inMemory ? await mkdtemp(join(tmpdir(), 'postern-')) : options.path;
  const path = join(directory, 'mail.db');
  if (!inMemory) keepBeforeUpgrade(path);
  const db = openSqlite(inMemory ? ':memory:' : path, 'writer');
  migrateSqlite(db);
  upgradeDone(path);
  const segments = inMemory ? undefined : new SegmentWriter(segmentsIn(join(directory, 'bodies')));
  const session = new SqliteSession(db, segments);
  const hub = new ChangeHub();
  const bodies = await FileBlobStore.open(join(directory, 'bodies'));
  // One connection: a read that overlapped a write would read inside its transaction, so everything takes turns.
  let turn: Promise<unknown> = Promise.resolve();
  let written = 0;
  const inTurn = <T>(fn: () => Promise<T>): Promise<T> => {
    const mine = turn.then(fn, fn);
    turn = mine.catch(() => undefined);
    return mine;
  };

  const write = <N extends WriteName>(name: N, args: unknown): Promise<WriteResult<N>> =>
    inTurn(async () => {
      const outcome = await runGroup(session, [{ id: 0, name, args }], options.clock.now());
      written++;
      const answer = outcome.answers[0];
      if (answer === undefined) throw new Error('a group gave no answer');
      hub.publish(outcome.after);
      if (answer.ok) return answer.value as WriteResult<N>;
      throw 'refusal' in answer ? refusalFromData(answer.refusal) : new Error(answer.bug);
    });
  const database = {
    run: <N extends ReadName>(name: N, args: unknown): Promise<ReadResult<N>> =>
      inTurn(() => runRead(session, name, args) as Promise<ReadResult<N>>),
  };
  const read = new CachedReader(database, () => written);

  return {
    write: read.watching({ run: write }),
    read,
    changes: hub,
    blobs: createBlobReader(read, bodies),
    bodies,
    inspect: (fn) => inTurn(() => fn(new SqliteReadTx(session))),
    reopened: () => 0,
    async close() {
      await turn;
      segments?.abandon();
      db.close();
      if (inMemory) await rm(directory, { recursive: true, force: true });
    },
  };
}
