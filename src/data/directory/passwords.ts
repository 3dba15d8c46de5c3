import { randomBytes } from 'node:crypto';
import { hash as argon2, verify } from '@node-rs/argon2';
import { Refusal } from '../../base/errors.ts';
import { saslprep } from '../../mail/sasl/saslprep.ts';
import { deriveScramKeys } from '../../mail/sasl/scram.ts';
import type { ScramSecret } from './types.ts';

/** Characters of a new password unless told otherwise (NIST SP 800-63B 5.1.1.2). */
export const MIN_PASSWORD = 8;
/** Octets of a password, as SASL takes them. */
export const MAX_PASSWORD_OCTETS = 1024;

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane; about 10 ms. */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const OWN_PREFIX = '$argon2id$v=19$m=19456,t=2,p=1$';

/** RFC 7677 section 4 asks for at least 4,096; the client pays as well, and some clients are slow. */
export const SCRAM_ITERATIONS = 16_384;
export const SCRAM_SALT_OCTETS = 16;

export interface PasswordSecrets {
  readonly hash: string;
  readonly scram: ScramSecret;
}

/**
 * What is stored of a password: an argon2id hash and SCRAM-SHA-256 keys. Refusal 'bad-input' when it is shorter than
 * `minLength` characters (8), longer than 1,024 octets, or has characters nobody can type. `scram`: the salt of the
 * account's app passwords, which SCRAM can only ask for together.
 */
export async function hashPassword(
  password: string,
  options: { minLength?: number; scram?: Pick<ScramSecret, 'salt' | 'iterations'> } = {},
): Promise<PasswordSecrets> {
  const minLength = options.minLength ?? MIN_PASSWORD;
  if ([...password].length < minLength) {
    throw new Refusal('bad-input', `The password is too short: it needs at least ${minLength} characters.`);
  }
  if (Buffer.byteLength(password) > MAX_PASSWORD_OCTETS) {
    throw new Refusal('bad-input', `The password is longer than ${MAX_PASSWORD_OCTETS} octets.`);
  }
  const prepared = saslprep(password);
  if (prepared === undefined) {
    throw new Refusal('bad-input', 'The password has control or otherwise unusable characters.');
  }
  const salt = Buffer.from(options.scram?.salt ?? randomBytes(SCRAM_SALT_OCTETS));
  const keys = await deriveScramKeys(password, salt, options.scram?.iterations ?? SCRAM_ITERATIONS);
  return { hash: await argon2(prepared, ARGON2), scram: keys };
}

/** Whether `hashPassword` made this hash; any other is an imported one. */
export function isOwnHash(hash: string): boolean {
  return hash.startsWith(OWN_PREFIX);
}

/** Whether the password is the one an own hash was made of. About 10 ms in libuv's threads. */
export async function matchesOwn(password: string, hash: string): Promise<boolean> {
  return verify(hash, saslprep(password) ?? password);
}

/** A hash that no password has, and that takes as long to check as any: for logins that do not exist. */
export function decoyHash(): string {
  const text = (octets: number): string => randomBytes(octets).toString('base64').replaceAll('=', '');
  return `${OWN_PREFIX}${text(16)}$${text(32)}`;
}
