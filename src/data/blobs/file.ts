import { createReadStream, existsSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../../base/files.ts';
import { randomToken } from '../../base/ids.ts';

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

/** Where large bodies lie. Names are made by the store and safe as paths. */
export interface BlobStore {
  create(): Promise<BlobWriter>;
  /** The octets [start, end) in pieces of at most 64 KiB. */
  read(name: string, start: number, end: number): AsyncIterable<Buffer>;
  /** Removing what is not there is no error. */
  remove(name: string): Promise<void>;
  /** All names with the time they were written, for sweeping what no row refers to. */
  list(): AsyncIterable<{ name: string; writtenAt: number }>;
}

/** Large bodies as files, spread over 1,024 directories; `incoming/` holds those being written. */
export class FileBlobStore implements BlobStore {
  readonly #root: string;
  /** Directories whose own names are durable since this process looked after it. */
  readonly #named = new Set<string>();

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
    const stream = createReadStream(this.#path(name), { start, end: end - 1, highWaterMark: PIECE });
    for await (const piece of stream) yield piece as Buffer;
  }

  async remove(name: string): Promise<void> {
    await unlink(this.#path(name)).catch(ignoreMissing);
  }

  async *list(): AsyncIterable<{ name: string; writtenAt: number }> {
    for (const directory of await readdir(this.#root)) {
      if (directory === 'incoming') continue;
      for (const name of await readdir(join(this.#root, directory))) {
        const found = await stat(join(this.#root, directory, name)).catch(() => undefined);
        if (found !== undefined) yield { name, writtenAt: found.mtimeMs };
      }
    }
  }

  #path(name: string): string {
    if (!/^[0-9a-z]{26}$/.test(name)) throw new Error(`not a blob name: ${name}`);
    return join(this.#root, name.slice(0, 2), name);
  }
}

interface Place {
  readonly root: string;
  readonly named: Set<string>;
}

class FileBlobWriter implements BlobWriter {
  readonly #file: FileHandle;
  readonly #temporary: string;
  readonly #final: string;
  readonly #name: string;
  readonly #place: Place;

  constructor(file: FileHandle, temporary: string, final: string, name: string, place: Place) {
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

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
