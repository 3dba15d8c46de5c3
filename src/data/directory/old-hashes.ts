import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/**
 * Older password hashes that Dovecot keeps: of MD5, and the keys of CRAM-MD5 and SCRAM. They are checked once: the first
 * login puts a hash of ours in their place.
 */

const derive = promisify(pbkdf2);
/** Iterations of SCRAM that are computed: half a second. */
const MAX_ITERATIONS = 1_000_000;

/** `{PLAIN-MD5}` in hex, `{LDAP-MD5}` in base64, `{SMD5}` with its salt behind the digest. */
export function md5(encoding: 'hex' | 'base64'): (password: string, hash: string) => boolean {
  return (password, hash) => {
    const bytes = Buffer.from(hash, encoding);
    if (bytes.length < 16) return false;
    const made = createHash('md5').update(password, 'utf8').update(bytes.subarray(16)).digest();
    return timingSafeEqual(made, bytes.subarray(0, 16));
  };
}

/** `{CRAM-MD5}`: in hex, the states of MD5 after the outer and the inner key block of HMAC-MD5. */
export function cramMd5(password: string, hash: string): boolean {
  const kept = Buffer.from(hash, 'hex');
  if (kept.length !== 32) return false;
  const bytes = Buffer.from(password, 'utf8');
  const key = Buffer.alloc(64);
  (bytes.length > 64 ? createHash('md5').update(bytes).digest() : bytes).copy(key);
  const made = Buffer.concat([
    md5State(key.map((byte) => byte ^ 0x5c)),
    md5State(key.map((byte) => byte ^ 0x36)),
  ]);
  return timingSafeEqual(made, kept);
}

/** Left rotations of the four rounds of MD5. */
const ROTATIONS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
] as const;

/** The state of MD5 after one whole block of 64 octets, in its order of octets. */
function md5State(block: Uint8Array): Buffer {
  const words = new DataView(block.buffer, block.byteOffset, block.length);
  const begin = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as const;
  let [a, b, c, d]: readonly number[] = begin as readonly [number, number, number, number];
  for (let i = 0; i < 64; i++) {
    const [mixed, index] = md5Step(i, b ?? 0, c ?? 0, d ?? 0);
    const sine = Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32);
    const sum = ((a ?? 0) + mixed + sine + words.getUint32(index * 4, true)) | 0;
    const turn = ROTATIONS[i >> 4]?.[i & 3] ?? 0;
    const next: number = ((b ?? 0) + ((sum << turn) | (sum >>> (32 - turn)))) | 0;
    [a, b, c, d] = [d, next, b, c];
  }
  const state = Buffer.alloc(16);
  [a, b, c, d].forEach((word, i) => state.writeUInt32LE(((word ?? 0) + (begin[i] ?? 0)) >>> 0, i * 4));
  return state;
}

/** The function of a round and the word of the block it takes. */
function md5Step(i: number, b: number, c: number, d: number): [mixed: number, index: number] {
  if (i < 16) return [(b & c) | (~b & d), i];
  if (i < 32) return [(d & b) | (~d & c), (5 * i + 1) % 16];
  if (i < 48) return [b ^ c ^ d, (3 * i + 5) % 16];
  return [c ^ (b | ~d), (7 * i) % 16];
}

/** `{SCRAM-SHA-1}` and `{SCRAM-SHA-256}`: "iterations,salt,StoredKey,ServerKey" (RFC 5802 section 3). */
export function scram(algorithm: 'sha1' | 'sha256'): (password: string, hash: string) => Promise<boolean> {
  const length = algorithm === 'sha1' ? 20 : 32;
  return async (password, hash) => {
    const [count = '', salt = '', stored = ''] = hash.split(',');
    const iterations = Number(count);
    const wanted = Buffer.from(stored, 'base64');
    if (!Number.isSafeInteger(iterations) || iterations < 1 || iterations > MAX_ITERATIONS) return false;
    if (wanted.length !== length) return false;
    const salted = await derive(password, Buffer.from(salt, 'base64'), iterations, length, algorithm);
    const clientKey = createHmac(algorithm, salted).update('Client Key').digest();
    return timingSafeEqual(createHash(algorithm).update(clientKey).digest(), wanted);
  };
}

const CRYPT64 = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** `$1$salt$hash`: the thousand rounds of MD5 that crypt(3) knows. */
export function md5Crypt(password: string, hash: string): boolean {
  const [, salt = '', kept = ''] = /^\$1\$([^$]{0,8})\$([./0-9A-Za-z]{22})$/.exec(hash) ?? [];
  if (kept === '') return false;
  const key = Buffer.from(password, 'utf8');
  const digest = (...parts: readonly (Buffer | string)[]): Buffer => {
    const made = createHash('md5');
    for (const part of parts) made.update(part);
    return made.digest();
  };
  const mixed = digest(key, salt, key);
  const first: (Buffer | string)[] = [key, '$1$', salt];
  for (let left = key.length; left > 0; left -= 16) first.push(mixed.subarray(0, Math.min(16, left)));
  for (let bits = key.length; bits > 0; bits >>= 1)
    first.push((bits & 1) === 1 ? Buffer.alloc(1) : key.subarray(0, 1));
  let state = digest(...first);
  for (let round = 0; round < 1000; round++) {
    const odd = round % 2 === 1;
    const parts: (Buffer | string)[] = [odd ? key : state];
    if (round % 3 !== 0) parts.push(salt);
    if (round % 7 !== 0) parts.push(key);
    parts.push(odd ? state : key);
    state = digest(...parts);
  }
  return timingSafeEqual(Buffer.from(crypt64(state)), Buffer.from(kept));
}

/** The order in which crypt(3) writes the octets of an MD5 digest. */
function crypt64(digest: Buffer): string {
  const groups = [
    [0, 6, 12],
    [1, 7, 13],
    [2, 8, 14],
    [3, 9, 15],
    [4, 10, 5],
  ];
  const at = (index: number | undefined): number => digest[index ?? 0] ?? 0;
  let text = '';
  const write = (value: number, count: number): void => {
    for (let i = 0, rest = value; i < count; i++, rest >>= 6) text += CRYPT64.charAt(rest & 63);
  };
  for (const [x, y, z] of groups) write((at(x) << 16) | (at(y) << 8) | at(z), 4);
  write(at(11), 2);
  return text;
}
