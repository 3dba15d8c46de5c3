import { totalmem } from 'node:os';

const GiB = 1024 ** 3;
/** With this much memory and more, caches are as large as they are meant to be; together they come to some 7 % of it. */
const FULL_CACHES_AT = 4 * GiB;
/** Of their full size, on however small a machine. */
const LEAST_SHARE = 1 / 8;

/** Octets of memory that this process may use at most: the machine's, or what a container is allowed. */
export function memoryLimit(): number {
  const machine = totalmem();
  const allowed = process.constrainedMemory();
  return allowed > 0 ? Math.min(machine, allowed) : machine;
}

/** Octets for a cache that may have `full` on a machine with enough memory. */
export function cacheBytes(full: number, memory = memoryLimit()): number {
  return Math.floor(full * Math.min(1, Math.max(LEAST_SHARE, memory / FULL_CACHES_AT)));
}

/**
 * Octets to be kept for long, in memory that is theirs alone. Node takes small buffers out of slabs of 64 KiB, which stay as
 * long as anything in them does, and what zlib unpacks lies in a chunk of 16 KiB, however short it is: a cache of those would
 * hold many times the octets that it counts. Returned as they are when nothing else lies beside them.
 */
export function ownMemory(octets: Buffer): Buffer {
  if (octets.buffer.byteLength === octets.length) return octets;
  const own = Buffer.allocUnsafeSlow(octets.length);
  own.set(octets);
  return own;
}

/** Octets that a buffer kept in a map takes beside its own: measured; most is V8's account of it. */
export const KEPT_BUFFER_BYTES = 1100;

/** Smaller buffers are not worth the call. Sockets and files are read 64 KiB at a time. */
const FROM_BYTES = 16 * 1024;

/**
 * Give back the memory of octets that nobody will look at again, now instead of at the next garbage collection: the view
 * has length 0 from then on, and so has every other view of its memory. V8 counts the memory of buffers like objects that
 * survived; a large message read from a socket would cost a full collection every 12 MB, each of which holds the event
 * loop for some 25 ms in all. Does nothing where the memory is shared with other buffers, or little.
 */
export function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (byteLength < FROM_BYTES || buffer.byteLength !== byteLength) return;
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
