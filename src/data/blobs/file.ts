import { createReadStream, existsSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, stat, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../../base/files.ts';
import { randomToken } from '../../base/ids.ts';
import { parsePlace, type Place } from './place.ts';

/** Octets read from a file at a time. */
const PIECE = 64 * 1024;

/** A body being written: durable, and only then visible under its name, after `finish`. */
export interface BlobWriter {
  write(chunk: Uint8Array): Promise<void>;
  /** fsync the octets and the directory; resolves to the blob's name. */
  finish(): Promise<string>;
  /** Remove what was written. Never throws. */
  abort(): Promise<void>;
}

/** A file that holds many bodies (segments.ts). */
export interface Segment {
  readonly name: string;
  readonly size: number;
  /** When it was last written to, or retired (ms). */
  readonly writtenAt: number;
}

/** Where bodies lie that do not lie in their row. Names are made by the store and safe as paths. */
export interface BlobStore {
  create(): Promise<BlobWriter>;
  /** The octets [start, end) in pieces of at most 64 KiB. */
  read(name: string, start: number, end: number): AsyncIterable<Buffer>;
  /** Removing what is not there is no error. A body in a segment is gone with its row; its room comes back later. */
  remove(name: string): Promise<void>;
  /** All bodies with files of their own and the time they were written, for sweeping what no row refers to. */
  list(): AsyncIterable<{ name: string; writtenAt: number }>;
  segments(): Promise<Segment[]>;
  /** Its age counts anew from a time (ms): a copy of the database made before may still name it. */
  retireSegment(name: string, at: number): Promise<void>;
  /** Only for a segment that no row names and that can grow no more. */
  removeSegment(name: string): Promise<void>;
  /**
   * From now on nothing is removed: a backup reads what the database named a while ago. Resolves what it returns when
   * everything that was asked for meanwhile is removed. A process that dies meanwhile leaves it to the sweep.
   */
  keepAll(): () => Promise<void>;
}

/** Where segments lie, below the directory of bodies. */
export function segmentsIn(root: string): string {
  return join(root, 'segments');
}

/**
 * Large bodies as files, spread over 1,024 directories; `incoming/` holds those being written, `segments/` those of
 * middling size, many to a file.
 */
export class FileBlobStore implements BlobStore {
  readonly #root: string;
  /** Directories whose own names are durable since this process looked after it. */
  readonly #named = new Set<string>();
  /** How many ask for everything to be kept, and what is removed when nobody does any more. */
  #keepers = 0;
  #unwanted: (() => Promise<void>)[] = [];

  private constructor(root: string) {
    this.#root = root;
  }

  static async open(root: string): Promise<FileBlobStore> {
    const incoming = join(root, 'incoming');
    const before = existsSync(incoming);
    makeDirectory(incoming);
    if (!before) await syncDirectory(join(root, '..'));
    // What is here was never promised to anybody: its process died before finish.
    for (const name of await readdir(incoming)) await unlink(join(incoming, name));
    return new FileBlobStore(root);
  }

  /** For reading alone: nothing is made or cleared away. */
  static look(root: string): Pick<BlobStore, 'read'> {
    return new FileBlobStore(root);
  }

  async create(): Promise<BlobWriter> {
    const name = randomToken(26);
    const temporary = join(this.#root, 'incoming', name);
    const file = await open(temporary, 'wx', 0o600);
    return new FileBlobWriter(file, temporary, this.#path(name), name, {
      root: this.#root,
      named: this.#named,
    });
  }

  async *read(name: string, start: number, end: number): AsyncIterable<Buffer> {
    if (end <= start) return;
    const place = parsePlace(name);
    if (place !== undefined) {
      yield* this.#readPlace(place, start, end);
      return;
    }
    const stream = createReadStream(this.#path(name), { start, end: end - 1, highWaterMark: PIECE });
    for await (const piece of stream) yield piece as Buffer;
  }

  async *#readPlace({ segment, offset }: Place, start: number, end: number): AsyncIterable<Buffer> {
    const file = await open(this.#segmentPath(segment), 'r');
    try {
      for (let at = start; at < end; ) {
        const length = Math.min(PIECE, end - at);
        const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, offset + at);
        if (bytesRead === 0) throw new Error(`segment ${segment} ends before ${offset + end}`);
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }

  async remove(name: string): Promise<void> {
    if (parsePlace(name) !== undefined) return;
    const path = this.#path(name);
    await this.#unlink(path);
  }

  async *list(): AsyncIterable<{ name: string; writtenAt: number }> {
    for (const directory of await readdir(this.#root)) {
      if (directory === 'incoming' || directory === 'segments') continue;
      for (const name of await readdir(join(this.#root, directory))) {
        const found = await stat(join(this.#root, directory, name)).catch(() => undefined);
        if (found !== undefined) yield { name, writtenAt: found.mtimeMs };
      }
    }
  }

  async segments(): Promise<Segment[]> {
    const directory = segmentsIn(this.#root);
    const names = await readdir(directory).catch(noneIfMissing);
    const found: Segment[] = [];
    for (const name of names) {
      const file = await stat(join(directory, name)).catch(() => undefined);
      if (file !== undefined) found.push({ name, size: file.size, writtenAt: file.mtimeMs });
    }
    return found;
  }

  async retireSegment(name: string, at: number): Promise<void> {
    const time = new Date(at);
    await utimes(this.#segmentPath(name), time, time);
  }

  async removeSegment(name: string): Promise<void> {
    await this.#unlink(this.#segmentPath(name));
  }

  keepAll(): () => Promise<void> {
    this.#keepers++;
    let released = false;
    return async () => {
      if (released) return;
      released = true;
      if (--this.#keepers > 0) return;
      for (const remove of this.#unwanted.splice(0)) await remove();
    };
  }

  async #unlink(path: string): Promise<void> {
    const remove = (): Promise<void> => unlink(path).catch(ignoreMissing);
    if (this.#keepers > 0) this.#unwanted.push(remove);
    else await remove();
  }

  #segmentPath(name: string): string {
    return join(segmentsIn(this.#root), checkedName(name));
  }

  #path(name: string): string {
    return join(this.#root, checkedName(name).slice(0, 2), name);
  }
}

interface Surroundings {
  readonly root: string;
  readonly named: Set<string>;
}

class FileBlobWriter implements BlobWriter {
  readonly #file: FileHandle;
  readonly #temporary: string;
  readonly #final: string;
  readonly #name: string;
  readonly #place: Surroundings;

  constructor(file: FileHandle, temporary: string, final: string, name: string, place: Surroundings) {
    this.#file = file;
    this.#temporary = temporary;
    this.#final = final;
    this.#name = name;
    this.#place = place;
  }

  async write(chunk: Uint8Array): Promise<void> {
    let at = 0;
    while (at < chunk.length) at += (await this.#file.write(chunk, at)).bytesWritten;
  }

  async finish(): Promise<string> {
    await this.#file.sync();
    await this.#file.close();
    const directory = join(this.#final, '..');
    const { root, named } = this.#place;
    await mkdir(directory, { mode: 0o700 }).catch(ignoreExisting);
    await rename(this.#temporary, this.#final);
    await syncDirectory(directory);
    // Another message may have made the directory and not synced its name yet, or have died before.
    if (!named.has(directory)) {
      await syncDirectory(root);
      named.add(directory);
    }
    return this.#name;
  }

  async abort(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await unlink(this.#temporary).catch(() => undefined);
  }
}

/** A new name in a directory is durable only when the directory itself is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function checkedName(name: string): string {
  if (!/^[0-9a-z]{26}$/.test(name)) throw new Error(`not a blob name: ${name}`);
  return name;
}

function noneIfMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code !== 'ENOENT') throw error;
  return [];
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
