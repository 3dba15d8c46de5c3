import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { Refusal } from '../../base/errors.ts';
import { saslprep } from './saslprep.ts';
import type { ChannelBindings, ScramKeys } from './types.ts';

/** Octets of SHA-256, so of every key, proof and signature here. */
export const HASH_OCTETS = 32;

/** What a client may meet; servers of ours have SHA-256 only. */
export type ScramHash = 'sha256' | 'sha1';
const OCTETS: Readonly<Record<ScramHash, number>> = { sha256: HASH_OCTETS, sha1: 20 };

/** Characters of a nonce that are taken from the other side; ours have 24. */
export const NONCE_LENGTH = 512;

const derive = promisify(pbkdf2);

/** SaltedPassword (RFC 5802 section 3). Throws a Refusal when the password has characters that SASLprep prohibits. */
export async function saltPassword(
  password: string,
  salt: Buffer,
  iterations: number,
  hash: ScramHash = 'sha256',
): Promise<Buffer> {
  const prepared = saslprep(password);
  if (prepared === undefined) {
    throw new Refusal('bad-input', 'The password is empty or has control or otherwise unusable characters');
  }
  return derive(Buffer.from(prepared, 'utf8'), salt, iterations, OCTETS[hash], hash);
}

/**
 * What a server stores so that SCRAM-SHA-256 (RFC 5802, 7677) can check a password without knowing it. Runs in
 * libuv's threads. Throws like `saltPassword`.
 */
export async function deriveScramKeys(
  password: string,
  salt: Buffer,
  iterations: number,
): Promise<ScramKeys> {
  const salted = await saltPassword(password, salt, iterations);
  return {
    salt,
    iterations,
    storedKey: sha256(hmac(salted, 'Client Key')),
    serverKey: hmac(salted, 'Server Key'),
  };
}

/** ClientProof for SaltedPassword and AuthMessage. */
export function clientProof(salted: Buffer, authMessage: string, hash: ScramHash = 'sha256'): Buffer {
  const clientKey = hmac(salted, 'Client Key', hash);
  const storedKey = createHash(hash).update(clientKey).digest();
  return xor(clientKey, hmac(storedKey, authMessage, hash));
}

/** Whether a ClientProof was made by someone who knows the password behind `storedKey`. Constant time. */
export function proofMatches(proof: Buffer, storedKey: Buffer, authMessage: string): boolean {
  if (proof.length !== HASH_OCTETS || storedKey.length !== HASH_OCTETS) return false;
  return timingSafeEqual(sha256(xor(proof, hmac(storedKey, authMessage))), storedKey);
}

export function serverSignature(serverKey: Buffer, authMessage: string, hash: ScramHash = 'sha256'): Buffer {
  return hmac(serverKey, authMessage, hash);
}

export function serverKeyOf(salted: Buffer, hash: ScramHash = 'sha256'): Buffer {
  return hmac(salted, 'Server Key', hash);
}

/** The binding data of a type by its registered name; undefined when the type is unknown or not available here. */
export function bindingData(bindings: ChannelBindings | undefined, type: string): Buffer | undefined {
  if (type === 'tls-exporter') return bindings?.exporter;
  if (type === 'tls-server-end-point') return bindings?.serverEndPoint;
  return undefined;
}

/** saslname (RFC 5802 5.1): "," and "=" are written =2C and =3D. */
export function encodeSaslName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

/** Undefined for an empty name, a NUL, or a "=" that is not one of the two. */
export function decodeSaslName(text: string): string | undefined {
  if (text === '' || text.includes('\0') || /=(?!2C|3D)/.test(text)) return undefined;
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

/** nonce: printable ASCII without comma (RFC 5802 section 7). */
export function isNonce(text: string): boolean {
  return text.length > 0 && text.length <= NONCE_LENGTH && /^[!-+\--~]+$/.test(text);
}

function hmac(key: Buffer, text: string, hash: ScramHash = 'sha256'): Buffer {
  return createHmac(hash, key).update(text, 'utf8').digest();
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((octet, i) => octet ^ (b[i] ?? 0)));
}
