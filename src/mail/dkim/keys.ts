import { createPrivateKey, createPublicKey, generateKeyPair as generate, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { Dns, TxtRecord } from '../dns.ts';
import type { SigningAlgorithm } from './signature.ts';
import { colonList, decodeBase64, isTagError, parseTags, type TagList } from './tags.ts';

/** Bits below which an RSA key is no proof: RFC 8301 section 3.2. */
const MIN_RSA_BITS = 1024;
/** Bits above which an RSA key is not evaluated. RFC 8301 asks for 4,096; verification grows with the square. */
const MAX_RSA_BITS = 8192;
/** Octets of a key record that is read. An RSA key of 8,192 bits takes 1,400. */
const MAX_KEY_RECORD_OCTETS = 8192;
/** TXT records at one selector that are looked at. Only one is right (RFC 6376 section 3.6.2.2). */
const MAX_KEY_RECORDS = 10;

/** A public key from DNS (RFC 6376 section 3.6.1, RFC 8463 section 3). */
export interface KeyRecord {
  readonly type: 'rsa' | 'ed25519';
  readonly key: KeyObject;
  /** Bits of the RSA modulus; 256 for Ed25519. */
  readonly bits: number;
  /** `t=y`: the domain is testing. */
  readonly testing: boolean;
  /** `t=s`: `i=` must be at `d=` itself, not below. */
  readonly strict: boolean;
}

/** `policy`: the key is there and not acceptable. */
export interface KeyFailure {
  readonly status: 'permerror' | 'temperror' | 'policy';
  readonly reason: string;
}

export type KeyLookup = { readonly status: 'ok'; readonly record: KeyRecord } | KeyFailure;

function permerror(reason: string): KeyFailure {
  return { status: 'permerror', reason };
}

/** DER in front of the 32 octets of an Ed25519 public key (RFC 8410 section 4). */
const ED25519_SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

function readEd25519(octets: Buffer): KeyObject | undefined {
  if (octets.length !== 32) return undefined;
  return createPublicKey({ key: Buffer.concat([ED25519_SPKI_PREFIX, octets]), format: 'der', type: 'spki' });
}

/** SubjectPublicKeyInfo is what is published; a bare RSAPublicKey is what the RFC's text describes. */
function readRsa(octets: Buffer): KeyObject | undefined {
  for (const type of ['spki', 'pkcs1'] as const) {
    try {
      const key = createPublicKey({ key: octets, format: 'der', type });
      return key.asymmetricKeyType === 'rsa' ? key : undefined;
    } catch {
      // not this form
    }
  }
  return undefined;
}

interface ReadKey {
  readonly key: KeyObject;
  readonly bits: number;
}

function readKey(type: 'rsa' | 'ed25519', octets: Buffer): ReadKey | undefined {
  try {
    const key = type === 'rsa' ? readRsa(octets) : readEd25519(octets);
    if (key === undefined) return undefined;
    return { key, bits: type === 'rsa' ? (key.asymmetricKeyDetails?.modulusLength ?? 0) : 256 };
  } catch {
    return undefined;
  }
}

/** Keys that are kept parsed: reading one costs more than a verification. At most 1 MB. */
const MAX_KEPT_KEYS = 200;
/** Characters of a `p=` whose key is kept: RSA of 4,096 bits has 736. */
const MAX_KEPT_CHARACTERS = 1000;
/** By type and `p=` as published, so one record can never stand for another; the oldest goes first. */
const kept = new Map<string, ReadKey>();

function keptKey(type: 'rsa' | 'ed25519', value: string): ReadKey | undefined {
  const name = `${type} ${value}`;
  const known = kept.get(name);
  if (known !== undefined) return known;
  const octets = decodeBase64(value);
  const read = octets === undefined ? undefined : readKey(type, octets);
  if (read === undefined || value.length > MAX_KEPT_CHARACTERS) return read;
  const [oldest] = kept.keys();
  if (kept.size >= MAX_KEPT_KEYS && oldest !== undefined) kept.delete(oldest);
  kept.set(name, read);
  return read;
}

/** The tags that say whether the record is for this signature; undefined when it is. */
function unsuitable(tags: TagList): KeyFailure | undefined {
  const version = tags.get('v')?.value;
  if (version !== undefined && (version !== 'DKIM1' || tags.keys().next().value !== 'v')) {
    return permerror('the key record has an unknown v=');
  }
  const hashes = tags.get('h')?.value;
  if (hashes !== undefined && !colonList(hashes.toLowerCase()).includes('sha256')) {
    return permerror('the key is not for sha256 (h=)');
  }
  const services = tags.get('s')?.value;
  if (services !== undefined && !colonList(services.toLowerCase()).some((s) => s === '*' || s === 'email')) {
    return permerror('the key is not for email (s=)');
  }
  return undefined;
}

/** Read one key record for a signature with `algorithm`. */
export function parseKeyRecord(text: string, algorithm: SigningAlgorithm): KeyLookup {
  const tags = parseTags(text);
  if (isTagError(tags)) return permerror(`the key record has ${tags.error}`);
  const value = tags.get('p')?.value;
  if (value === undefined) return permerror('the key record has no p=');
  const unfit = unsuitable(tags);
  if (unfit !== undefined) return unfit;
  const type = (tags.get('k')?.value ?? 'rsa').toLowerCase();
  if (type !== (algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519')) {
    return permerror('the key is of another type than the signature (k=)');
  }
  if (value === '') return permerror('the key is revoked');
  const read = keptKey(type, value);
  if (read === undefined) return permerror('the public key is unreadable');
  const { key, bits } = read;
  if (type === 'rsa' && bits < MIN_RSA_BITS) {
    return { status: 'policy', reason: `an RSA key of ${bits} bits is too short` };
  }
  if (bits > MAX_RSA_BITS) return { status: 'policy', reason: `an RSA key of ${bits} bits is too long` };
  const flags = colonList((tags.get('t')?.value ?? '').toLowerCase());
  return {
    status: 'ok',
    record: { type, key, bits, testing: flags.includes('y'), strict: flags.includes('s') },
  };
}

/** Which of several TXT records is the key: other uses of the name are passed over, two keys are an error. */
function chooseRecord(records: readonly TxtRecord[], algorithm: SigningAlgorithm): KeyLookup {
  if (records.length > MAX_KEY_RECORDS) return permerror('too many TXT records at the selector');
  if (records.some((record) => record.text.length > MAX_KEY_RECORD_OCTETS)) {
    return permerror('the key record is too long');
  }
  const first = records[0];
  if (first !== undefined && records.length === 1) return parseKeyRecord(first.text, algorithm);
  const keys = records.filter((record) => {
    const tags = parseTags(record.text);
    return !isTagError(tags) && tags.has('p');
  });
  const [only, ...others] = keys;
  if (only === undefined) return permerror('no key record among the TXT records of the selector');
  if (others.length > 0) return permerror('several key records at the selector');
  return parseKeyRecord(only.text, algorithm);
}

/** Fetch the public key at `selector._domainkey.domain` (RFC 6376 section 3.6.2). Never rejects. */
export async function lookUpKey(
  dns: Dns,
  domain: string,
  selector: string,
  algorithm: SigningAlgorithm,
  signal?: AbortSignal,
): Promise<KeyLookup> {
  const name = `${selector}._domainkey.${domain}`;
  if (name.length > 253) return permerror('the name of the key is too long for DNS');
  try {
    const answer = await dns.query(name, 'TXT', signal);
    if (answer.status === 'temporary') return { status: 'temperror', reason: `DNS: ${answer.reason}` };
    if (answer.status !== 'ok') return permerror('no key in DNS');
    return chooseRecord(answer.records, algorithm);
  } catch (error) {
    return { status: 'temperror', reason: error instanceof Error ? error.message : 'DNS failed' };
  }
}

/** A new pair for signing. */
export interface DkimKeyPair {
  readonly algorithm: SigningAlgorithm;
  /** PKCS #8. */
  readonly privatePem: string;
  /** For the `p=` tag. */
  readonly publicKeyBase64: string;
}

const generateAsync = promisify(generate);

/** Bits of the RSA keys we make: RFC 8301 section 3.2 (at least 2,048 recommended); more does not fit a plain DNS reply. */
const SIGNING_RSA_BITS = 2048;

/** Make a key pair, RSA-2048 or Ed25519, off the event loop. */
export async function generateKeyPair(algorithm: SigningAlgorithm): Promise<DkimKeyPair> {
  const { privateKey } =
    algorithm === 'rsa-sha256'
      ? await generateAsync('rsa', { modulusLength: SIGNING_RSA_BITS })
      : await generateAsync('ed25519');
  const privatePem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { algorithm, privatePem, publicKeyBase64: publicKeyBase64(privateKey) };
}

/** The `p=` value that belongs to a key, private or public: SubjectPublicKeyInfo for RSA, the 32 octets for Ed25519 (RFC 8463). */
export function publicKeyBase64(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const octets = publicKey.asymmetricKeyType === 'ed25519' ? der.subarray(-32) : der;
  return octets.toString('base64');
}

/** The TXT record to publish at `selector._domainkey.domain`, to be cut into strings of at most 255 octets. */
export function keyRecordText(pair: Pick<DkimKeyPair, 'algorithm' | 'publicKeyBase64'>): string {
  const type = pair.algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519';
  return `v=DKIM1; k=${type}; p=${pair.publicKeyBase64}`;
}

/** Read a private key in PEM for signing. Throws when it is none or of the wrong type: that is a configuration error. */
export function readPrivateKey(pem: string, algorithm: SigningAlgorithm): KeyObject {
  const key = createPrivateKey(pem);
  const wanted = algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519';
  if (key.asymmetricKeyType !== wanted) throw new Error(`the DKIM key is not of type ${wanted}`);
  return key;
}
