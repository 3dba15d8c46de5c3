import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { makeDirectory } from '../base/files.ts';
import { FileBlobStore } from './blobs/file.ts';
import { createBlobReader } from './blobs/reader.ts';
import type { WriteFunction } from './catalogue.ts';
import { ChangeHub } from './changes.ts';
import { inSnapshot, inTransaction, migratePostgres, openPool } from './db/postgres.ts';
import { readCatalogue } from './db/read.ts';
import type { ReadTx } from './db/sql.ts';
import type { InlineStore } from './inline.ts';
import type { ReadName, ReadResult, WriteName, WriteResult } from './store.ts';
import { writes } from './writes.ts';

/** Connections of one process. */
const POOL = 10;
const catalogue = writes as unknown as Record<string, WriteFunction<unknown, unknown>>;

/**
 * The same store over PostgreSQL: every write is a transaction of the server, which groups commits itself. Wake-ups
 * reach this process only; several processes on one database come with the roles that need them.
 */
export async function openPostgresStore(options: {
  url: string;
  directory: string;
  clock: Clock;
}): Promise<InlineStore> {
  makeDirectory(options.directory);
  const pool = openPool(options.url, POOL);
  await migratePostgres(pool);
  const hub = new ChangeHub();
  const bodies = await FileBlobStore.open(join(options.directory, 'bodies'));
  const read = {
    run: <N extends ReadName>(name: N, args: unknown): Promise<ReadResult<N>> => {
      const entry = readCatalogue[name];
      if (entry === undefined) return Promise.reject(new Error(`no read is named ${name}`));
      return inSnapshot(pool, (tx) => entry.run(tx, args)) as Promise<ReadResult<N>>;
    },
  };
  return {
    write: {
      async run<N extends WriteName>(name: N, args: unknown): Promise<WriteResult<N>> {
        const fn = catalogue[name];
        if (fn === undefined) throw new Error(`no write is named ${name}`);
        const { value, after } = await inTransaction(pool, options.clock.now(), (tx) => fn(tx, args));
        hub.publish({ accounts: [...after.accounts], revoked: [...after.revoked], queue: after.queue });
        return value as WriteResult<N>;
      },
    },
    read,
    changes: hub,
    blobs: createBlobReader(read, bodies),
    bodies,
    reopened: () => 0,
    inspect: <T>(fn: (tx: ReadTx) => Promise<T>) => inSnapshot(pool, fn),
    close: () => pool.end(),
  };
}
