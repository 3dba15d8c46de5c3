import { createHash, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { verify as verifyArgon2 } from '@node-rs/argon2';
import { compare as compareBcrypt } from 'bcryptjs';
import { verify as verifyUnix } from 'unixcrypt';
import { cramMd5, md5, md5Crypt, scram } from './old-hashes.ts';

/**
 * Password hashes that other servers made, in Dovecot's spelling `{SCHEME}hash` or bare where the hash names its own
 * kind. Some of these block for a while: they run in imported-hash.thread.ts.
 */
type Check = (password: string, hash: string) => boolean | Promise<boolean>;

const derive = promisify(pbkdf2);

/** Iterations of PBKDF2 we are willing to compute: about two seconds. */
const MAX_ITERATIONS = 2_000_000;

/** Schemes in braces. `.HEX` or `.B64` after a name says how the hash is written. */
const schemes: Readonly<Record<string, Check>> = {
  PLAIN: (password, hash) => sameText(password, hash),
  CLEARTEXT: (password, hash) => sameText(password, hash),
  SHA: digest('sha1'),
  SHA1: digest('sha1'),
  SHA256: digest('sha256'),
  SHA512: digest('sha512'),
  SSHA: digest('sha1'),
  SSHA256: digest('sha256'),
  SSHA512: digest('sha512'),
  PBKDF2: dovecotPbkdf2,
  CRYPT: bare,
  'BLF-CRYPT': bare,
  'SHA256-CRYPT': bare,
  'SHA512-CRYPT': bare,
  ARGON2I: bare,
  ARGON2ID: bare,
  'CRAM-MD5': cramMd5,
  'HMAC-MD5': cramMd5,
  'SCRAM-SHA-1': scram('sha1'),
  'SCRAM-SHA-256': scram('sha256'),
  'PLAIN-MD5': md5('hex'),
  'LDAP-MD5': md5('base64'),
  SMD5: md5('base64'),
  'MD5-CRYPT': bare,
  MD5: bare,
};

/** Hashes that name their own kind: by the start of the text. */
const kinds: readonly (readonly [prefix: string, check: Check])[] = [
  ['$argon2', (password, hash) => verifyArgon2(hash, password)],
  ['$2a$', (password, hash) => compareBcrypt(password, hash)],
  ['$2b$', (password, hash) => compareBcrypt(password, hash)],
  ['$2y$', (password, hash) => compareBcrypt(password, hash)],
  ['$1$', md5Crypt],
  ['$5$', (password, hash) => verifyUnix(password, hash)],
  ['$6$', (password, hash) => verifyUnix(password, hash)],
  ['$pbkdf2-sha256$', modularPbkdf2('sha256')],
  ['$pbkdf2-sha512$', modularPbkdf2('sha512')],
];

function find(hash: string): { check: Check; rest: string } | undefined {
  const braces = /^\{([A-Za-z0-9-]{1,32})(?:\.(?:HEX|B64|BASE64))?\}/i.exec(hash);
  if (braces === null) {
    const kind = kinds.find(([prefix]) => hash.startsWith(prefix));
    return kind && { check: kind[1], rest: hash };
  }
  const name = (braces[1] ?? '').toUpperCase();
  const check = Object.hasOwn(schemes, name) ? schemes[name] : undefined;
  if (check === undefined) return undefined;
  const rest = hash.slice(braces[0].length);
  // Both ways of writing end up as base64.
  const isHex = /\.HEX\}$/i.test(braces[0]);
  return { check, rest: isHex ? Buffer.from(rest, 'hex').toString('base64') : rest };
}

/** Whether a password could ever match this: an import refuses what it could not check. */
export function isKnownHash(hash: string): boolean {
  const found = find(hash);
  if (found === undefined) return false;
  return found.check !== bare || find(found.rest) !== undefined;
}

/** Whether the password is the one the hash was made of. False for schemes we do not know and for damaged hashes. */
export async function matchesImported(password: string, hash: string): Promise<boolean> {
  try {
    const found = find(hash);
    return found !== undefined && (await found.check(password, found.rest));
  } catch {
    return false;
  }
}

/** The scheme only repeats what the hash says itself. */
function bare(password: string, hash: string): boolean | Promise<boolean> {
  return kinds.find(([prefix]) => hash.startsWith(prefix))?.[1](password, hash) ?? false;
}

/** Base64 of a digest over password and salt, then the salt, if any. */
function digest(algorithm: 'sha1' | 'sha256' | 'sha512'): Check {
  const length = { sha1: 20, sha256: 32, sha512: 64 }[algorithm];
  return (password, hash) => {
    const bytes = Buffer.from(hash, 'base64');
    if (bytes.length < length) return false;
    const made = createHash(algorithm).update(password, 'utf8').update(bytes.subarray(length)).digest();
    return timingSafeEqual(made, bytes.subarray(0, length));
  };
}

/** Dovecot's {PBKDF2}: `$1$salt$iterations$hex`, with HMAC-SHA-1. */
function dovecotPbkdf2(password: string, hash: string): Promise<boolean> {
  const [, version, salt = '', iterations = '', hex = ''] = hash.split('$');
  if (version !== '1') return Promise.resolve(false);
  return samePbkdf2(password, Buffer.from(salt), Number(iterations), Buffer.from(hex, 'hex'), 'sha1');
}

/** `$pbkdf2-sha256$iterations$salt$hash`, base64 with "." for "+" and no padding. */
function modularPbkdf2(algorithm: string): Check {
  return (password, hash) => {
    const [, , iterations = '', salt = '', key = ''] = hash.split('$');
    const decode = (text: string): Buffer => Buffer.from(text.replaceAll('.', '+'), 'base64');
    return samePbkdf2(password, decode(salt), Number(iterations), decode(key), algorithm);
  };
}

async function samePbkdf2(
  password: string,
  salt: Buffer,
  iterations: number,
  key: Buffer,
  algorithm: string,
): Promise<boolean> {
  if (!Number.isSafeInteger(iterations) || iterations < 1 || iterations > MAX_ITERATIONS) return false;
  if (key.length < 16 || key.length > 64) return false;
  return timingSafeEqual(await derive(password, salt, iterations, key.length, algorithm), key);
}

function sameText(a: string, b: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(hash(a), hash(b));
}
