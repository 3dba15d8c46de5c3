import { createHash, createPublicKey, type JsonWebKey, timingSafeEqual, verify } from 'node:crypto';
import { type Cbor, readCbor } from './cbor.ts';

/**
 * What passkeys answer (WebAuthn level 3, sections 7.1 and 7.2). Which device somebody has is not asked for: attestation
 * is "none", and whatever stands there is not looked at.
 */

/** COSE algorithms (RFC 9053, RFC 8812): EdDSA, ES256, RS256. */
export const ALGORITHMS = [-8, -7, -257] as const;

/** Section 6.1: flags of authenticator data. */
const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const ATTESTED = 0x40;
/** Octets of authenticator data before what is optional, and of what names a credential. */
const FIXED = 37;
const CREDENTIAL_ID = 1023;

/** What an answer must be for. */
export interface Expected {
  /** Base64url, as it was sent. */
  readonly challenge: string;
  readonly origin: string;
  readonly rpId: string;
}

export interface NewCredential {
  readonly id: string;
  /** COSE. */
  readonly publicKey: Buffer;
  readonly counter: number;
}

export interface KnownCredential {
  readonly publicKey: Uint8Array;
  readonly counter: number;
}

/** `wrong`: why it is not taken, for the log. */
export type Registered = { readonly credential: NewCredential } | { readonly wrong: string };
export type Asserted = { readonly counter: number } | { readonly wrong: string };

/** Section 7.1: a new credential. `response`: base64url. */
export function verifyRegistration(
  response: { readonly clientDataJSON: string; readonly attestationObject: string },
  expected: Expected,
  id: string,
): Registered {
  const client = wrongClientData(response.clientDataJSON, 'webauthn.create', expected);
  if (client !== undefined) return { wrong: client };
  const object = readCbor(Buffer.from(response.attestationObject, 'base64url'))?.value;
  const octets = object instanceof Map ? object.get('authData') : undefined;
  const data = Buffer.isBuffer(octets) ? authenticatorData(octets) : undefined;
  if (!Buffer.isBuffer(octets) || data === undefined) return { wrong: 'the attestation cannot be read' };
  const problem = wrongAuthenticator(data, expected);
  if (problem !== undefined) return { wrong: problem };
  const attested = (data.flags & ATTESTED) === 0 ? undefined : attestedCredential(octets);
  if (attested === undefined) return { wrong: 'there is no credential in it' };
  if (attested.id !== id) return { wrong: 'the credential is another one' };
  if (keyOf(attested.publicKey) === undefined) return { wrong: 'the key is of a kind that is not taken' };
  return { credential: { ...attested, counter: data.counter } };
}

/** Section 7.2: somebody signs in. */
export function verifyAssertion(
  response: {
    readonly clientDataJSON: string;
    readonly authenticatorData: string;
    readonly signature: string;
  },
  expected: Expected,
  { publicKey, counter }: KnownCredential,
): Asserted {
  const client = wrongClientData(response.clientDataJSON, 'webauthn.get', expected);
  if (client !== undefined) return { wrong: client };
  const octets = Buffer.from(response.authenticatorData, 'base64url');
  const data = authenticatorData(octets);
  if (data === undefined) return { wrong: 'the authenticator data cannot be read' };
  const problem = wrongAuthenticator(data, expected);
  if (problem !== undefined) return { wrong: problem };
  const key = keyOf(Buffer.from(publicKey));
  if (key === undefined) return { wrong: 'the key cannot be read' };
  const hash = sha256(Buffer.from(response.clientDataJSON, 'base64url'));
  const signed = Buffer.concat([octets, hash]);
  const signature = Buffer.from(response.signature, 'base64url');
  if (!verify(key.digest, signed, createPublicKey({ key: key.jwk, format: 'jwk' }), signature))
    return { wrong: 'the signature is wrong' };
  // Section 6.1.1: one that does not go up may be a copy. Synchronised ones stay at 0.
  if ((counter > 0 || data.counter > 0) && data.counter <= counter)
    return { wrong: 'the counter did not go up: there may be a copy of the passkey' };
  return { counter: data.counter };
}

/** Section 5.8.1: what the browser says of the page and what it was asked. */
function wrongClientData(text: string, type: string, { challenge, origin }: Expected): string | undefined {
  let data: unknown;
  try {
    data = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return 'the client data cannot be read';
  }
  if (typeof data !== 'object' || data === null) return 'the client data cannot be read';
  const said: { type?: unknown; challenge?: unknown; origin?: unknown; crossOrigin?: unknown } = data;
  if (said.type !== type) return 'it is an answer to something else';
  if (typeof said.challenge !== 'string' || !sameText(said.challenge, challenge))
    return 'the challenge is another one';
  if (said.origin !== origin) return 'it was made for another page';
  return said.crossOrigin === true ? 'it was made within a page of another site' : undefined;
}

interface AuthenticatorData {
  readonly rpIdHash: Buffer;
  readonly flags: number;
  readonly counter: number;
}

/** Section 6.1. */
function authenticatorData(octets: Buffer): AuthenticatorData | undefined {
  if (octets.length < FIXED) return undefined;
  return { rpIdHash: octets.subarray(0, 32), flags: octets.readUInt8(32), counter: octets.readUInt32BE(33) };
}

function wrongAuthenticator({ rpIdHash, flags }: AuthenticatorData, { rpId }: Expected): string | undefined {
  if (!rpIdHash.equals(sha256(Buffer.from(rpId, 'utf8')))) return 'it was made for another name';
  if ((flags & USER_PRESENT) === 0) return 'nobody was there';
  return (flags & USER_VERIFIED) === 0 ? 'nobody showed a finger, a face or a PIN' : undefined;
}

/** Section 6.5.2: 16 octets of AAGUID, the length of the id, the id, the key. */
function attestedCredential(octets: Buffer): Omit<NewCredential, 'counter'> | undefined {
  const lengthAt = FIXED + 16;
  if (octets.length < lengthAt + 2) return undefined;
  const length = octets.readUInt16BE(lengthAt);
  const keyAt = lengthAt + 2 + length;
  if (length === 0 || length > CREDENTIAL_ID || octets.length <= keyAt) return undefined;
  const key = readCbor(octets, keyAt);
  if (key === undefined) return undefined;
  const id = octets.subarray(lengthAt + 2, keyAt).toString('base64url');
  return { id, publicKey: Buffer.from(octets.subarray(keyAt, key.end)) };
}

interface Key {
  readonly jwk: JsonWebKey;
  /** Of the signature; null where that is part of the scheme. */
  readonly digest: 'sha256' | null;
}

/** A COSE key (RFC 9052 section 7, RFC 9053 section 7, RFC 8230) of one of the algorithms; undefined for any other. */
function keyOf(octets: Buffer): Key | undefined {
  const map = readCbor(octets)?.value;
  if (!(map instanceof Map)) return undefined;
  const numbers = [1, 3, -1].map((label) => map.get(label));
  const part = (label: number, least: number, most: number): string | undefined => {
    const value: Cbor | undefined = map.get(label);
    if (!Buffer.isBuffer(value) || value.length < least || value.length > most) return undefined;
    return value.toString('base64url');
  };
  const [kty, algorithm, curve] = numbers;
  if (kty === 2 && algorithm === -7 && curve === 1) {
    const [x, y] = [part(-2, 32, 32), part(-3, 32, 32)];
    return usable({ kty: 'EC', crv: 'P-256', x, y }, 'sha256');
  }
  if (kty === 1 && algorithm === -8 && curve === 6)
    return usable({ kty: 'OKP', crv: 'Ed25519', x: part(-2, 32, 32) }, null);
  if (kty === 3 && algorithm === -257)
    return usable({ kty: 'RSA', n: part(-1, 256, 1024), e: part(-2, 1, 8) }, 'sha256');
  return undefined;
}

/** Whether the library takes it too: a point may lie beside its curve. */
function usable(parts: Readonly<Record<string, string | undefined>>, digest: Key['digest']): Key | undefined {
  const given = Object.entries(parts).filter((one): one is [string, string] => one[1] !== undefined);
  if (given.length < Object.keys(parts).length) return undefined;
  const jwk = Object.fromEntries(given);
  try {
    createPublicKey({ key: jwk, format: 'jwk' });
    return { jwk, digest };
  } catch {
    return undefined;
  }
}

function sha256(octets: Buffer): Buffer {
  return createHash('sha256').update(octets).digest();
}

function sameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
