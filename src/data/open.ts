import { makeDirectory } from '../base/files.ts';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { type BlobStore, FileBlobStore, segmentsIn } from './blobs/file.ts';
import { createBlobReader } from './blobs/reader.ts';
import { CachedReader } from './mailstore/cache/cached-reader.ts';
import { ChangeHub } from './changes.ts';
import type { Store } from './store.ts';
import { ThreadReader } from './thread-reader.ts';
import { ThreadWriter } from './thread-writer.ts';

/** The store of a running server; `bodies` is where large bodies are written before the commit that names them. */
export interface OpenStore extends Store {
  readonly bodies: BlobStore;
  /** How often the store had to be opened again after a failure. */
  reopened(): number;
  close(): Promise<void>;
}

/**
 * Octets of the memory that small buffers share. A buffer that crosses to the store thread takes with it all of the
 * memory it stands in, so Node's 64 KiB would be copied for a prefix of 300 octets.
 */
const POOL_BYTES = 8 * 1024;

/** Open the store in a data directory (made if missing): `mail.db` and `bodies/`. Refusal when its schema is newer. */
export async function openStore(options: {
  directory: string;
  clock: Clock;
  logger: Logger;
}): Promise<OpenStore> {
  const { directory, clock, logger } = options;
  makeDirectory(directory);
  Buffer.poolSize = POOL_BYTES;
  const path = join(directory, 'mail.db');
  const hub = new ChangeHub();
  const segments = segmentsIn(join(directory, 'bodies'));
  const write = await ThreadWriter.open({ path, segments, hub, logger, clock });
  const database = new ThreadReader({ path, logger });
  const read = new CachedReader(database, () => database.state());
  const bodies = await FileBlobStore.open(join(directory, 'bodies'));
  return {
    write: read.watching(write),
    read,
    changes: hub,
    blobs: createBlobReader(read, bodies),
    bodies,
    reopened: () => write.reopened,
    async close() {
      // The last connection to close checkpoints the log into the database; readers cannot, so they go first.
      await write.close(() => database.close());
    },
  };
}
