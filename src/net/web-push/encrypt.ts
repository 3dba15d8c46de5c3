import { createCipheriv, createECDH, createHmac, randomBytes } from 'node:crypto';

/** Encryption of a push for one device (RFC 8291), in one record of aes128gcm (RFC 8188). */

/** Octets of text that fit: services take 4096 octets in all (RFC 8030 section 7.2). */
export const PUSH_TEXT_BYTES = 4096 - 86 - 17;
const RECORD_SIZE = 4096;
/** Ends the last record (RFC 8188 section 2). */
const LAST_RECORD = 2;

/** Keys of a device, as its browser gives them: base64url. */
export interface DeviceKeys {
  /** Point on P-256, uncompressed: 65 octets. */
  readonly p256dh: string;
  /** 16 octets. */
  readonly auth: string;
}

/** Whether these are keys that something can be encrypted for. */
export function areDeviceKeys({ p256dh, auth }: DeviceKeys): boolean {
  const point = octets(p256dh);
  if (point?.length !== 65 || point[0] !== 4 || octets(auth)?.length !== 16) return false;
  try {
    // A point that is not on the curve gives no secret.
    const own = createECDH('prime256v1');
    own.generateKeys();
    own.computeSecret(point);
    return true;
  } catch {
    return false;
  }
}

/** Octets of strict base64url, with or without padding; undefined for what is none. */
function octets(text: string): Buffer | undefined {
  return /^[A-Za-z0-9_-]{1,200}={0,2}$/.test(text) ? Buffer.from(text, 'base64url') : undefined;
}

/** HKDF (RFC 5869) with SHA-256 for outputs of at most one block. */
function hkdf(salt: Buffer, secret: Buffer, info: Buffer, length: number): Buffer {
  const key = createHmac('sha256', salt).update(secret).digest();
  return createHmac('sha256', key)
    .update(info)
    .update(Buffer.from([1]))
    .digest()
    .subarray(0, length);
}

/**
 * The body of the request to the push service. `given` is for tests: our key of this message and its salt, which are
 * random otherwise and must never be used twice.
 * @throws Error when the keys are none, or the text is too long
 */
export function encryptPush(
  text: Buffer,
  { p256dh, auth }: DeviceKeys,
  given?: { readonly privateKey: Buffer; readonly salt: Buffer },
): Buffer {
  if (text.length > PUSH_TEXT_BYTES) throw new Error('a push has too many octets');
  const device = Buffer.from(p256dh, 'base64url');
  const own = createECDH('prime256v1');
  if (given === undefined) own.generateKeys();
  else own.setPrivateKey(given.privateKey);
  const ownPoint = own.getPublicKey();
  const salt = given?.salt ?? randomBytes(16);
  // RFC 8291 section 3.3 and 3.4.
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), device, ownPoint]);
  const secret = hkdf(Buffer.from(auth, 'base64url'), own.computeSecret(device), info, 32);
  const key = hkdf(salt, secret, Buffer.from('Content-Encoding: aes128gcm\0'), 16);
  const nonce = hkdf(salt, secret, Buffer.from('Content-Encoding: nonce\0'), 12);
  const cipher = createCipheriv('aes-128-gcm', key, nonce);
  const sealed = Buffer.concat([
    cipher.update(text),
    cipher.update(Buffer.from([LAST_RECORD])),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  // RFC 8188 section 2.1: salt, size of records, and our point as the id of the key.
  const header = Buffer.alloc(21);
  salt.copy(header);
  header.writeUInt32BE(RECORD_SIZE, 16);
  header.writeUInt8(ownPoint.length, 20);
  return Buffer.concat([header, ownPoint, sealed]);
}
