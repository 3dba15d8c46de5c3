import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { errnoCode, Refusal } from '../../base/errors.ts';
import { randomToken } from '../../base/ids.ts';
import { counts } from './backup.sql.ts';
import { earlierBodies, type EarlierBody, linesOf, spoolBodies } from './body-list.ts';
import { type DatabaseSnapshot, LogRestarted, openDatabaseSnapshot } from './database-snapshot.ts';
import { type IndexFile, indexLines, type IndexWriter, indexWriter } from './index-lines.ts';
import type { Repository, Snapshot } from './repository.ts';
import { type Pace, pace, type Saver, saver } from './saver.ts';

/** Octets of the database in a chunk: a change of one page costs that much, and each chunk is an object. */
const DATABASE_CHUNK_BYTES = 256 * 1024;
/** Octets of any other file in a chunk. */
const FILE_CHUNK_BYTES = 1024 * 1024;
/** How often the reading of the database begins again when its log does. */
const RESTARTS = 5;
/** Octets of one other file (configuration, certificate) that is taken along. */
const OTHER_FILE_BYTES = 64 * 1024 * 1024;
/** In the data directory, but not in a backup: what belongs to a running process or can be made again. */
const LEFT_OUT = new Set([
  'lock',
  'lock-journal',
  'pid',
  'run',
  'mail.db',
  'mail.db-wal',
  'mail.db-shm',
  'bodies',
]);
const LEFT_OUT_ANYWHERE = /^(?:scratch-|before-upgrade$|\.restoring$)/;

export interface CreateOptions {
  readonly repository: Repository;
  /** The data directory. */
  readonly data: string;
  /** Files elsewhere that a new machine needs: the configuration, certificates, secrets. Those that cannot be read are told of. */
  readonly system: readonly string[];
  readonly program: string;
  readonly clock: Clock;
  /** Octets read in a second, at most; 0: no limit. */
  readonly bytesPerSecond: number;
  readonly progress?: ((done: { readonly bytes: number; readonly of: number }) => void) | undefined;
}

export interface Created {
  readonly snapshot: Snapshot;
  /** What could not be taken along, a sentence each. */
  readonly problems: readonly string[];
}

/** Make a backup: the database as of one moment, then the bodies it names, then everything else. Holds the lock. */
export async function createBackup(options: CreateOptions): Promise<Created> {
  const { repository, clock } = options;
  const lock = await repository.lock('create', clock);
  try {
    await repository.learnChunks();
    const work = await begin(options);
    try {
      const created = await run(work);
      await lock.assertOurs();
      await repository.saveSnapshot(created.snapshot);
      return created;
    } finally {
      closeSync(work.spool);
    }
  } finally {
    await lock.release();
  }
}

interface Work extends CreateOptions {
  readonly index: IndexWriter;
  /** A file without a name, for the list of bodies. */
  readonly spool: number;
  readonly pace: Pace;
  /** The newest snapshot that is there, for what has not changed since. */
  readonly before: Snapshot | undefined;
  readonly total: { files: number; bytes: number };
  readonly problems: string[];
}

async function begin(options: CreateOptions): Promise<Work> {
  const { repository, clock, bytesPerSecond } = options;
  const { snapshots } = await repository.snapshots();
  return {
    ...options,
    index: indexWriter(repository),
    spool: namelessFile(),
    pace: pace(clock, bytesPerSecond),
    before: snapshots.at(-1),
    total: { files: 0, bytes: 0 },
    problems: [],
  };
}

/** Goes with the process, however that ends. */
function namelessFile(): number {
  const directory = mkdtempSync(join(tmpdir(), 'postern-backup-'));
  try {
    return openSync(join(directory, 'bodies'), 'wx+', 0o600);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function run(work: Work): Promise<Created> {
  const { repository, program } = work;
  const database = await takeDatabase(work);
  await takeBodies(work);
  for (const path of await otherFiles(work.data, resolve(repository.place.shown)))
    await takeOther(work, 'data', join(work.data, path), path);
  for (const path of work.system) await takeOther(work, 'system', path, relative('/', path));
  const index = await work.index.finish();
  const { files, bytes } = work.total;
  const snapshot: Snapshot = {
    id: `${stamp(database.at)}-${randomToken(6)}`,
    at: database.at,
    host: hostname(),
    program,
    schema: database.schema,
    index,
    files,
    bytes,
    added: repository.written.bytes,
    accounts: database.accounts,
    emails: database.emails,
  };
  return { snapshot, problems: work.problems };
}

/** "20260131T150405Z". */
function stamp(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

interface Database {
  readonly at: number;
  readonly schema: number;
  readonly accounts: number;
  readonly emails: number;
}

async function takeDatabase(work: Work): Promise<Database> {
  for (let attempt = 1; ; attempt++) {
    let snapshot: DatabaseSnapshot | undefined;
    try {
      // Opening it reads the log, which may begin anew there too.
      snapshot = openDatabaseSnapshot(join(work.data, 'mail.db'));
      return await readDatabase(work, snapshot);
    } catch (error) {
      if (!(error instanceof LogRestarted) || attempt >= RESTARTS) throw error;
    } finally {
      snapshot?.close();
    }
  }
}

async function readDatabase(work: Work, snapshot: DatabaseSnapshot): Promise<Database> {
  const { db, pageBytes, pages } = snapshot;
  const at = work.clock.now();
  const schema = Number(db.prepare('PRAGMA user_version').get()?.user_version);
  const found = db.prepare(counts.text.sqlite).get() as { accounts: number; emails: number };
  const bodies = spoolBodies(db, work.spool);
  const size = pages * pageBytes;
  const atOnce = Math.max(1, Math.floor(DATABASE_CHUNK_BYTES / pageBytes));
  const save = saver(work);
  for (let first = 1; first <= pages; first += atOnce) {
    await save.add(snapshot.read(first, atOnce));
    work.progress?.({ bytes: first * pageBytes, of: size + bodies });
  }
  const file = { root: 'data', path: 'mail.db', mode: 0o600, changed: at } as const;
  await add(work, { ...file, size, chunk: atOnce * pageBytes, chunks: await save.finish() });
  return { at, schema, accounts: found.accounts, emails: found.emails };
}

/** Bodies never change: what an earlier backup has of one is not read again. */
async function takeBodies(work: Work): Promise<void> {
  const { repository, before, progress } = work;
  const earlier = await earlierBodies(indexLines(repository, before ?? { id: '', index: [] }));
  const of = work.total.bytes + fstatSync(work.spool).size;
  for (const line of linesOf(work.spool)) {
    const [path = '', size] = line.split(' ');
    await takeBody(work, path, Number(size), await earlier(path));
    progress?.({ bytes: work.total.bytes, of: Math.max(of, work.total.bytes) });
  }
}

async function takeBody(work: Work, path: string, size: number, earlier: EarlierBody): Promise<void> {
  const whole = Math.floor(Math.min(size, earlier.size) / FILE_CHUNK_BYTES);
  let reused = earlier.chunks.slice(0, size === earlier.size ? earlier.chunks.length : whole);
  if (!reused.every((chunk) => work.repository.knows(chunk))) reused = [];
  const file = { root: 'data', path, size, chunk: FILE_CHUNK_BYTES, mode: 0o600, changed: 0 } as const;
  if (reused.length * FILE_CHUNK_BYTES >= size) return add(work, { ...file, chunks: reused });
  const save = saver(work);
  await readFileFrom(join(work.data, path), reused.length * FILE_CHUNK_BYTES, size, save);
  await add(work, { ...file, chunks: [...reused, ...(await save.finish())] });
}

/** The octets [from, to) of a file, chunk by chunk. Throws when they are not all there. */
async function readFileFrom(path: string, from: number, to: number, save: Saver): Promise<void> {
  const file = openSync(path, 'r');
  try {
    for (let at = from; at < to; ) {
      const octets = Buffer.allocUnsafe(Math.min(FILE_CHUNK_BYTES, to - at));
      let filled = 0;
      while (filled < octets.length) {
        const count = readSync(file, octets, filled, octets.length - filled, at + filled);
        if (count === 0) throw new Error(`${path} ends after ${at + filled} of ${to} octets`);
        filled += count;
      }
      at += filled;
      await save.add(octets);
    }
  } finally {
    closeSync(file);
  }
}

/** Everything else below the data directory that is a file, by path; not the backup itself, if somebody has put it there. */
async function otherFiles(data: string, itself: string): Promise<string[]> {
  const found: string[] = [];
  async function walk(below: string): Promise<void> {
    for (const entry of await readdir(join(data, below), { withFileTypes: true })) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (LEFT_OUT.has(path) || LEFT_OUT_ANYWHERE.test(entry.name) || join(data, path) === itself) continue;
      if (entry.isDirectory()) await walk(path);
      else if (entry.isFile()) found.push(path);
    }
  }
  await walk('');
  return found.toSorted();
}

/** A file that may be anything, and may change or go while it is read: what was read at once is what counts. */
async function takeOther(work: Work, root: 'data' | 'system', from: string, path: string): Promise<void> {
  let octets: Buffer;
  let facts: { mode: number; mtimeMs: number };
  try {
    facts = statSync(from);
    if (statSync(from).size > OTHER_FILE_BYTES) throw new Refusal('too-large', 'it is too large');
    octets = readFileSync(from);
  } catch (error) {
    if (root === 'data' && errnoCode(error) === 'ENOENT') return;
    work.problems.push(`${from} is not in the backup: ${(error as Error).message}`);
    return;
  }
  const save = saver(work);
  for (let at = 0; at < octets.length; at += FILE_CHUNK_BYTES)
    await save.add(octets.subarray(at, at + FILE_CHUNK_BYTES));
  await add(work, {
    root,
    path,
    size: octets.length,
    chunk: FILE_CHUNK_BYTES,
    mode: facts.mode & 0o777,
    changed: Math.floor(facts.mtimeMs),
    chunks: await save.finish(),
  });
}

async function add(work: Work, file: IndexFile): Promise<void> {
  work.total.files++;
  work.total.bytes += file.size;
  await work.index.add(file);
}
