import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  scrypt,
  type ScryptOptions,
} from 'node:crypto';
import { Refusal } from '../../base/errors.ts';

/** What opens a backup: a passphrase, or the octets of a key file. */
export type Secret = { readonly passphrase: string } | { readonly key: Buffer };

const KEY_BYTES = 32;
const SALT_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Octets that sealing adds. */
export const SEAL_BYTES = NONCE_BYTES + TAG_BYTES;
/** scrypt: 64 MiB and a fifth of a second for each guess. */
const SCRYPT = { n: 65_536, r: 8, p: 1 } as const;
/** The most that a repository may ask of us: 1 GiB. */
const SCRYPT_MOST = { n: 1_048_576, r: 8, p: 4 } as const;
/** Octets of a key file, at least and at most. */
export const KEY_FILE_BYTES = { least: 32, most: 4096 } as const;

/** How the key that wraps the master key is made; public. */
export type KeyDerivation =
  | {
      readonly kdf: 'scrypt';
      readonly n: number;
      readonly r: number;
      readonly p: number;
      readonly salt: string;
    }
  | { readonly kdf: 'hkdf-sha256'; readonly salt: string };

/** The master key, sealed; public. Octets in base64. */
export interface WrappedKey {
  readonly derivation: KeyDerivation;
  readonly sealed: string;
}

/** What the objects of one repository are sealed and named with. */
export interface RepositoryKeys {
  /** AES-256-GCM over the octets and the name they lie under: nonce, ciphertext, tag. */
  seal(name: string, octets: Uint8Array): Buffer;
  /** Undefined: the octets are not what was sealed under this name. */
  unseal(name: string, sealed: Uint8Array): Buffer | undefined;
  /** The name of a content: 160 bits of HMAC-SHA-256, so that names tell strangers nothing. */
  contentName(octets: Uint8Array): string;
}

/** A new master key, wrapped for a secret. `id`: of the repository. */
export async function newKeys(
  secret: Secret,
  id: string,
): Promise<{ readonly wrapped: WrappedKey; readonly keys: RepositoryKeys }> {
  const salt = randomBytes(SALT_BYTES).toString('base64');
  const derivation: KeyDerivation =
    'passphrase' in secret ? { kdf: 'scrypt', ...SCRYPT, salt } : { kdf: 'hkdf-sha256', salt };
  const master = randomBytes(KEY_BYTES);
  const sealed = sealWith(await wrappingKey(secret, derivation), wrapName(id), master).toString('base64');
  return { wrapped: { derivation, sealed }, keys: keysOf(master) };
}

/** Refusal 'authentication-failed' when the secret is another one. */
export async function unwrapKeys(secret: Secret, id: string, wrapped: WrappedKey): Promise<RepositoryKeys> {
  const { derivation, sealed } = wrapped;
  const wanted = derivation.kdf === 'scrypt' ? 'passphrase' : 'key';
  if (!(wanted in secret)) {
    const what = wanted === 'passphrase' ? 'a passphrase, not a key file' : 'a key file, not a passphrase';
    throw new Refusal('authentication-failed', `This backup is locked with ${what}.`);
  }
  const key = await wrappingKey(secret, derivation);
  const master = unsealWith(key, wrapName(id), Buffer.from(sealed, 'base64'));
  if (master?.length === KEY_BYTES) return keysOf(master);
  throw new Refusal(
    'authentication-failed',
    `This ${wanted === 'passphrase' ? 'passphrase' : 'key file'} does not open the backup.`,
  );
}

function wrapName(id: string): string {
  return `postern-backup-key:${id}`;
}

async function wrappingKey(secret: Secret, derivation: KeyDerivation): Promise<Buffer> {
  const salt = Buffer.from(derivation.salt, 'base64');
  if ('key' in secret) {
    if (secret.key.length < KEY_FILE_BYTES.least)
      throw new Refusal('bad-input', `A key file has ${KEY_FILE_BYTES.least} octets or more.`);
    return Buffer.from(hkdfSync('sha256', secret.key, salt, 'postern backup key file', KEY_BYTES));
  }
  if (derivation.kdf !== 'scrypt') throw new Error('a passphrase goes through scrypt');
  const { n, r, p } = derivation;
  if (n > SCRYPT_MOST.n || r > SCRYPT_MOST.r || p > SCRYPT_MOST.p)
    throw new Refusal(
      'bad-input',
      'The backup asks for more memory than a passphrase needs: it was tampered with.',
    );
  return scryptKey(secret.passphrase, salt, { N: n, r, p, maxmem: 128 * n * r * p + 1024 * 1024 });
}

function scryptKey(passphrase: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), salt, KEY_BYTES, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}

function keysOf(master: Buffer): RepositoryKeys {
  const derive = (use: string): Buffer =>
    Buffer.from(hkdfSync('sha256', master, Buffer.alloc(0), `postern backup ${use}`, KEY_BYTES));
  const sealing = derive('seal');
  const naming = derive('name');
  return {
    seal: (name, octets) => sealWith(sealing, name, octets),
    unseal: (name, sealed) => unsealWith(sealing, name, sealed),
    contentName: (octets) => createHmac('sha256', naming).update(octets).digest('hex').slice(0, 40),
  };
}

/** The name is authenticated too, so nobody can put one object into the place of another. */
function sealWith(key: Buffer, name: string, octets: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name));
  return Buffer.concat([nonce, cipher.update(octets), cipher.final(), cipher.getAuthTag()]);
}

function unsealWith(key: Buffer, name: string, sealed: Uint8Array): Buffer | undefined {
  if (sealed.length < SEAL_BYTES) return undefined;
  const end = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(Buffer.from(name))
    .setAuthTag(sealed.subarray(end));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, end)), decipher.final()]);
  } catch {
    return undefined;
  }
}
