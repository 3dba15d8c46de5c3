import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'; // Crockford base 32, lower case: no i, l, o, u to misread

let pool = Buffer.alloc(0);
let used = 0;

/** `count` random bytes from a pool, so that an id does not cost a system call. */
function random(count: number): Buffer {
  if (used + count > pool.length) {
    pool = randomBytes(4096);
    used = 0;
  }
  const bytes = pool.subarray(used, used + count);
  used += count;
  return bytes;
}

/**
 * A time-ordered identifier of 18 characters: 9 of milliseconds since the epoch, 9 random (45 bits). Used for
 * trace ids and queue ids: sorts by time, is safe in headers, file names and shells, and can be read over a telephone.
 */
export function timeId(nowMs: number): string {
  let time = '';
  let rest = Math.floor(nowMs);
  for (let i = 0; i < 9; i++) {
    time = (ALPHABET[rest % 32] ?? '0') + time;
    rest = Math.floor(rest / 32);
  }
  let tail = '';
  for (const byte of random(9)) tail += ALPHABET[byte & 31];
  return time + tail;
}

/** `length` characters of URL-safe randomness, 5 bits each. */
export function randomToken(length: number): string {
  let token = '';
  for (const byte of randomBytes(length)) token += ALPHABET[byte & 31];
  return token;
}
