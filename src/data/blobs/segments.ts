import { closeSync, fdatasyncSync, fsyncSync, ftruncateSync, openSync, readSync, writevSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode, errorText } from '../../base/errors.ts';
import { makeDirectory } from '../../base/files.ts';
import { randomToken } from '../../base/ids.ts';
import { parsePlace, placeName } from './place.ts';

/**
 * Octets from which a body goes into a segment. A smaller one is cheaper in its row: it takes a few pages there, and a
 * group without segments needs one fsync and not two.
 */
export const SEGMENT_FROM_BYTES = 32 * 1024;
/** Octets after which a segment is ended; the group that reaches them may pass them. */
const SEGMENT_BYTES = 64 * 1024 * 1024;
/** Buffers of one writev (IOV_MAX is 1,024). */
const VECTOR_MAX = 512;

/** Segments as writes see them. */
export interface Segments {
  /** The name its row gets. The octets must not change until the commit, which makes them durable first. */
  append(octets: Uint8Array): string;
  /** Octets that were committed before. Throws when they are not all there. */
  read(name: string, size: number): Buffer;
  /** Whether it may still grow. Once it may not, it never will again. */
  isActive(segment: string): boolean;
}

/** A segment could not be written, and what the disk has of it is not known: nobody may go on as if nothing were. */
export class SegmentFailure extends Error {}

/**
 * Bodies of middling size, one after the other in files that only grow: written once, in one piece for a whole group,
 * and synced before the commit whose rows name them. What no row names (the end of a segment after a crash) is dead
 * space. One object writes at a time, and each begins with a segment of its own, so nothing is ever appended to a file
 * that somebody else left behind. Synchronous: for the store thread.
 */
export class SegmentWriter implements Segments {
  readonly #directory: string;
  readonly #sync: (file: number) => void;
  #name: string | undefined;
  #file: number | undefined;
  /** Octets of the segment that were committed, or may have been: where the next group begins. */
  #end = 0;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #flushed = false;

  /** `sync`: makes the octets of a file durable; for tests of failing disks. */
  constructor(directory: string, sync: (file: number) => void = fdatasyncSync) {
    this.#directory = directory;
    this.#sync = sync;
  }

  append(octets: Uint8Array): string {
    if (this.#pending.length === 0 && this.#end >= SEGMENT_BYTES) this.abandon();
    this.#name ??= randomToken(26);
    const name = placeName({ segment: this.#name, offset: this.#end + this.#pendingBytes });
    this.#pending.push(octets);
    this.#pendingBytes += octets.length;
    return name;
  }

  /** Bodies appended by this group so far. */
  mark(): number {
    return this.#pending.length;
  }

  /** Forget the bodies appended since: their write was refused. */
  backTo(mark: number): void {
    for (const octets of this.#pending.splice(mark)) this.#pendingBytes -= octets.length;
  }

  /**
   * Make durable what the group appended. Throws ENOSPC or EDQUOT as the system gave them, with the file as it was
   * before; anything else as a `SegmentFailure`. A segment whose fsync failed is never used again: its pages may be
   * gone, and the next fsync would not say so.
   */
  flush(): void {
    if (this.#pending.length === 0) return;
    this.#flushed = true;
    const file = this.#file ?? this.#attempt(() => this.#create());
    try {
      writeAll(file, this.#pending, this.#end);
    } catch (error) {
      this.rolledBack();
      throw failure(error);
    }
    this.#attempt(() => this.#sync(file));
  }

  /** Do what must not fail: when it does, the segment is ended. */
  #attempt<T>(fn: () => T): T {
    try {
      return fn();
    } catch (error) {
      this.abandon();
      throw failure(error);
    }
  }

  /** Rows name what the group appended. */
  committed(): void {
    this.#end += this.#pendingBytes;
    this.#forget();
  }

  /** No row names what the group appended, and none ever will: its room is given back. */
  rolledBack(): void {
    const flushed = this.#flushed;
    this.#forget();
    if (!flushed || this.#file === undefined) return;
    try {
      ftruncateSync(this.#file, this.#end);
    } catch {
      this.abandon();
    }
  }

  /** End this segment; the next body begins another. What was written stays. */
  abandon(): void {
    this.#forget();
    const file = this.#file;
    this.#name = undefined;
    this.#file = undefined;
    this.#end = 0;
    try {
      if (file !== undefined) closeSync(file);
    } catch {
      // It was synced, or is not trusted any more.
    }
  }

  read(name: string, size: number): Buffer {
    const place = parsePlace(name);
    if (place === undefined) throw new Error(`${name} does not lie in a segment`);
    const file = openSync(join(this.#directory, place.segment), 'r');
    try {
      const octets = Buffer.allocUnsafeSlow(size);
      for (let at = 0; at < size; ) {
        const count = readSync(file, octets, at, size - at, place.offset + at);
        if (count === 0) throw new Error(`${name} ends after ${at} of ${size} octets`);
        at += count;
      }
      return octets;
    } finally {
      closeSync(file);
    }
  }

  isActive(segment: string): boolean {
    return segment === this.#name;
  }

  #forget(): void {
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#flushed = false;
  }

  /** A new file, its name durable. */
  #create(): number {
    makeDirectory(this.#directory);
    const file = openSync(join(this.#directory, this.#name ?? ''), 'wx', 0o600);
    this.#file = file;
    syncDirectory(this.#directory);
    // The directory itself may be new.
    syncDirectory(join(this.#directory, '..'));
    return file;
  }
}

/** All octets of the buffers, from a position on: a system call may take only some. */
function writeAll(file: number, buffers: readonly Uint8Array[], position: number): void {
  let at = position;
  let next = 0;
  let within = 0;
  while (next < buffers.length) {
    const vector = buffers.slice(next, next + VECTOR_MAX);
    if (within > 0) vector[0] = (vector[0] ?? new Uint8Array()).subarray(within);
    let written = writevSync(file, vector, at);
    if (written === 0) throw new Error('a write took nothing');
    at += written;
    for (const octets of vector) {
      if (written < octets.length) break;
      written -= octets.length;
      next++;
      within = 0;
    }
    within += written;
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function failure(error: unknown): unknown {
  return isFull(error) ? error : new SegmentFailure(errorText(error));
}

/** No room: nothing else is wrong. */
export function isFull(error: unknown): boolean {
  const code = errnoCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}
