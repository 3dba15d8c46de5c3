import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { errnoCode, Refusal } from '../../base/errors.ts';
import { type IndexLine, indexLines } from './index-lines.ts';
import type { Repository, Snapshot } from './repository.ts';

/** Chunks fetched ahead of the one that is written. */
const AHEAD = 4;

export interface RestoreOptions {
  readonly repository: Repository;
  readonly snapshot: Snapshot;
  /** Where a file goes; undefined: nowhere. */
  readonly target: (line: Pick<IndexLine, 'root' | 'path'>) => string | undefined;
  /** Chunks that are not wanted leave a hole; all are unless told otherwise. `chunk`: counted from 0. */
  readonly wanted?: ((path: string, chunk: number) => boolean) | undefined;
  readonly progress?: ((done: { readonly bytes: number; readonly of: number }) => void) | undefined;
}

/**
 * Write files of a snapshot; each is durable, with its mode and all its octets, when this resolves. Refusal 'bad-input'
 * or 'not-found' when something of it is damaged or missing: what was written so far is left.
 */
export async function restoreFiles(options: RestoreOptions): Promise<{ files: number; bytes: number }> {
  const { repository, snapshot, target, progress, wanted = () => true } = options;
  const done = { files: 0, bytes: 0 };
  let current:
    | { readonly path: string; readonly file: FileHandle; readonly size: number; next: number }
    | undefined;
  const end = async (): Promise<void> => {
    if (current === undefined) return;
    const { file, size, path, next } = current;
    current = undefined;
    try {
      if (next < size)
        throw new Refusal('bad-input', `${path} of the backup is not as long as it should be.`);
      await file.datasync();
    } finally {
      await file.close();
    }
  };
  try {
    for await (const line of indexLines(repository, snapshot)) {
      const path = target({ root: line.root, path: safePath(line.path) });
      if (path === undefined) continue;
      if (path !== current?.path) {
        await end();
        current = { path, file: await create(path, line.mode), size: line.size, next: 0 };
        await current.file.truncate(line.size);
        done.files++;
      }
      const wrote = (bytes: number): void => {
        done.bytes += bytes;
        progress?.({ bytes: done.bytes, of: snapshot.bytes });
      };
      const first = line.at / line.chunk;
      if (line.at !== current.next)
        throw new Refusal('bad-input', `${line.path} of the backup lacks a stretch.`);
      current.next += line.chunks.length * line.chunk;
      await writeChunks(repository, current.file, line, (i) => wanted(line.path, first + i), wrote);
    }
    await end();
  } finally {
    await current?.file.close();
  }
  return done;
}

async function writeChunks(
  repository: Repository,
  file: FileHandle,
  line: IndexLine,
  wanted: (chunk: number) => boolean,
  wrote: (bytes: number) => void,
): Promise<void> {
  const ahead: Promise<Buffer | undefined>[] = [];
  const fetch = (i: number): void => {
    const chunk = line.chunks[i];
    if (chunk === undefined) return;
    if (!wanted(i)) {
      ahead.push(Promise.resolve(undefined));
      return;
    }
    const loading = repository.load(chunk);
    // Told when its turn comes.
    loading.catch(() => undefined);
    ahead.push(loading);
  };
  for (let i = 0; i < AHEAD; i++) fetch(i);
  for (let i = 0; i < line.chunks.length; i++) {
    const octets = await ahead.shift();
    fetch(i + AHEAD);
    if (octets === undefined) continue;
    const at = line.at + i * line.chunk;
    if (at + octets.length > line.size || (octets.length !== line.chunk && at + octets.length !== line.size))
      throw new Refusal('bad-input', `${line.path} of the backup has a chunk of a wrong length.`);
    let written = 0;
    while (written < octets.length)
      written += (await file.write(octets, written, octets.length - written, at + written)).bytesWritten;
    wrote(octets.length);
  }
}

async function create(path: string, mode: number): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    return await open(path, 'wx', mode & 0o700 ? mode : 0o600);
  } catch (error) {
    if (errnoCode(error) === 'EEXIST') throw new Refusal('already-exists', `${path} is there already.`);
    throw error;
  }
}

/** A path that leads nowhere but below where it is put. The index is authenticated; this is the second lock. */
function safePath(path: string): string {
  const clean = normalize(path);
  if (clean === path && !path.startsWith('/') && !path.split('/').includes('..') && !path.includes('\0'))
    return path;
  throw new Refusal('bad-input', `The backup names a file that it may not name: ${JSON.stringify(path)}.`);
}

/** Where a file of the data directory goes below another; undefined for those that lie elsewhere on the machine. */
export function below(directory: string): RestoreOptions['target'] {
  return ({ root, path }) => (root === 'data' ? join(directory, path) : undefined);
}
