import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { z } from 'zod';
import type { Clock } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { randomToken } from '../../base/ids.ts';
import { newKeys, type RepositoryKeys, type Secret, unwrapKeys } from './keys.ts';
import { CHUNK_MOST_BYTES } from './limits.ts';
import { lockRepository, type RepositoryLock } from './lock.ts';
import type { Place } from './place.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Octets of a snapshot's own object. */
const SNAPSHOT_BYTES = 16 * 1024 * 1024;
const FACTS = 'repository.json';
const FORMAT = 'postern-backup';
const VERSION = 1;
/** First octet of a chunk's plain text: how the rest is to be read. */
const RAW = 0;
const ZSTD = 1;

const factsSchema = z.object({
  format: z.literal(FORMAT),
  version: z.number(),
  id: z.string(),
  key: z.object({
    derivation: z.discriminatedUnion('kdf', [
      z.object({ kdf: z.literal('scrypt'), n: z.int(), r: z.int(), p: z.int(), salt: z.string() }),
      z.object({ kdf: z.literal('hkdf-sha256'), salt: z.string() }),
    ]),
    sealed: z.string(),
  }),
});

const snapshotSchema = z.object({
  id: z.string(),
  /** When its database stood as it is in the backup; milliseconds since the epoch. */
  at: z.number(),
  host: z.string(),
  program: z.string(),
  schema: z.number(),
  /** Chunks of the list of files (index-lines.ts). */
  index: z.array(z.string()),
  files: z.number(),
  /** Octets of all files. */
  bytes: z.number(),
  /** Octets that were new, as they lie in the repository. */
  added: z.number(),
  accounts: z.number(),
  emails: z.number(),
});
/** One backup, whole in itself. */
export type Snapshot = z.output<typeof snapshotSchema>;

export interface Repository {
  readonly id: string;
  readonly place: Place;
  /** Chunks that were written by this object, and their octets in the repository. */
  readonly written: { chunks: number; bytes: number };
  /** Read all names of chunks, so that `save` knows what is there already. Once, under the lock. */
  learnChunks(): Promise<void>;
  knows(chunk: string): boolean;
  /** Store a content unless it is there; resolves to its name. */
  save(content: Uint8Array): Promise<string>;
  /** Refusal 'not-found' or 'bad-input' when it is not there or not what was stored. */
  load(chunk: string): Promise<Buffer>;
  removeChunk(chunk: string): Promise<void>;
  /** The oldest first. One that cannot be read is left out, and told of in `damaged`. */
  snapshots(): Promise<{ readonly snapshots: Snapshot[]; readonly damaged: string[] }>;
  saveSnapshot(snapshot: Snapshot): Promise<void>;
  removeSnapshot(id: string): Promise<void>;
  lock(purpose: string, clock: Clock): Promise<RepositoryLock>;
}

/**
 * Open the repository at a place; `create`: make one where there is none. Refusal 'not-found' (nothing there),
 * 'authentication-failed' (wrong secret), 'bad-input' (not ours, or of a newer program).
 */
export async function openRepository(
  place: Place,
  secret: Secret,
  { create = false }: { create?: boolean } = {},
): Promise<Repository> {
  let octets = await place.get(FACTS);
  if (octets === undefined) {
    if (!create)
      throw new Refusal(
        'not-found',
        `There is no backup at ${place.shown}: is it mounted, is it the right place? ("postern backup create --to" begins one.)`,
      );
    const id = randomToken(20);
    const { wrapped, keys } = await newKeys(secret, id);
    const facts = { format: FORMAT, version: VERSION, id, key: wrapped };
    if (await place.putNew(FACTS, Buffer.from(`${JSON.stringify(facts, undefined, 2)}\n`)))
      return repository(place, id, keys);
    octets = await place.get(FACTS);
  }
  const facts = parseFacts(octets ?? Buffer.alloc(0), place);
  return repository(place, facts.id, await unwrapKeys(secret, facts.id, facts.key));
}

function parseFacts(octets: Buffer, place: Place): z.output<typeof factsSchema> {
  let value: unknown;
  try {
    value = JSON.parse(octets.toString('utf8'));
  } catch {
    value = undefined;
  }
  const facts = factsSchema.safeParse(value);
  if (!facts.success) throw new Refusal('bad-input', `${FACTS} at ${place.shown} is damaged or not ours.`);
  if (facts.data.version > VERSION)
    throw new Refusal('bad-input', `The backup at ${place.shown} was made by a newer Postern: use that one.`);
  return facts.data;
}

function chunkPath(chunk: string): string {
  return `chunks/${chunk.slice(0, 2)}/${chunk}`;
}

function repository(place: Place, id: string, keys: RepositoryKeys): Repository {
  const chunks = chunkStore(place, keys);
  return {
    id,
    place,
    ...chunks,
    async snapshots() {
      const snapshots: Snapshot[] = [];
      const damaged: string[] = [];
      for await (const { name, size } of place.list('snapshots/')) {
        try {
          if (size > SNAPSHOT_BYTES) throw new Error('it is too large');
          const octets = await unsealed(place, keys, name, name);
          snapshots.push(snapshotSchema.parse(JSON.parse(octets.toString('utf8'))));
        } catch (error) {
          if (error instanceof Refusal && error.kind === 'unavailable') throw error;
          damaged.push(name);
        }
      }
      return { snapshots: snapshots.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)), damaged };
    },
    async saveSnapshot(snapshot) {
      // Everything it names is durable before it is there.
      await place.settle();
      const path = `snapshots/${snapshot.id}`;
      await place.put(path, keys.seal(path, Buffer.from(JSON.stringify(snapshot))));
      await place.settle();
    },
    removeSnapshot: (snapshot) => place.remove(`snapshots/${snapshot}`),
    lock: (purpose, clock) => lockRepository(place, purpose, clock),
  };
}

async function unsealed(place: Place, keys: RepositoryKeys, path: string, what: string): Promise<Buffer> {
  const sealed = await place.get(path);
  if (sealed === undefined) throw new Refusal('not-found', `${what} is missing from the backup.`);
  const octets = keys.unseal(path, sealed);
  if (octets === undefined) throw new Refusal('bad-input', `${what} of the backup is damaged.`);
  return octets;
}

type Chunks = Pick<Repository, 'written' | 'learnChunks' | 'knows' | 'save' | 'load' | 'removeChunk'>;

function chunkStore(place: Place, keys: RepositoryKeys): Chunks {
  const known = new Set<string>();
  const underWay = new Map<string, Promise<void>>();
  const written = { chunks: 0, bytes: 0 };

  async function write(chunk: string, content: Uint8Array): Promise<void> {
    const packed = await compress(content);
    const [kind, body] = packed.length < content.length ? [ZSTD, packed] : [RAW, content];
    const path = chunkPath(chunk);
    const sealed = keys.seal(path, Buffer.concat([Buffer.of(kind), body]));
    await place.put(path, sealed);
    known.add(chunk);
    written.chunks++;
    written.bytes += sealed.length;
  }

  return {
    written,
    async learnChunks() {
      for await (const { name } of place.list('chunks/')) known.add(name.slice(name.lastIndexOf('/') + 1));
    },
    knows: (chunk) => known.has(chunk),
    async save(content) {
      if (content.length > CHUNK_MOST_BYTES) throw new Error(`a chunk of ${content.length} octets`);
      const chunk = keys.contentName(content);
      if (known.has(chunk)) return chunk;
      let writing = underWay.get(chunk);
      if (writing === undefined) {
        writing = write(chunk, content).finally(() => underWay.delete(chunk));
        underWay.set(chunk, writing);
      }
      await writing;
      return chunk;
    },
    async load(chunk) {
      const octets = await unsealed(place, keys, chunkPath(chunk), `chunk ${chunk}`);
      const body = octets.subarray(1);
      const content =
        octets[0] === ZSTD ? await decompress(body, { maxOutputLength: CHUNK_MOST_BYTES }) : body;
      if (keys.contentName(content) === chunk) return content;
      throw new Refusal('bad-input', `chunk ${chunk} of the backup is not what its name says.`);
    },
    removeChunk: (chunk) => place.remove(chunkPath(chunk)),
  };
}
