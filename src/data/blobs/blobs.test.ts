import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/log.ts';
import { openInlineStore } from '../inline.ts';
import { openStore, type OpenStore } from '../open.ts';
import { blobsContract } from './blobs.contract.ts';

/** A store in a directory of its own, which goes when it is closed. */
async function inDirectory(open: (directory: string) => Promise<OpenStore>): Promise<OpenStore> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-blobs-'));
  const store = await open(directory);
  return {
    ...store,
    async close() {
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const clock = systemClock;
const threaded = (directory: string) => openStore({ directory, clock, logger: silentLogger });
const inline = (path: string) => openInlineStore({ path, clock });

blobsContract(() => openInlineStore({ path: ':memory:', clock }), { segments: false });
blobsContract(() => inDirectory(inline), { segments: true });
blobsContract(() => inDirectory(threaded), { segments: true });
