import { createHash, verify as cryptoVerify } from 'node:crypto';
import type { KeyRecord } from './keys.ts';

/**
 * Whether `signature` is the key's over `pieces` in a row: RSASSA-PKCS1-v1_5 over SHA-256 (RFC 6376 section 3.3.2), Ed25519
 * over the SHA-256 (RFC 8463 section 3). Works in a thread of libuv; never rejects. A signature of an impossible length is
 * just wrong.
 */
export function verifyOctets(
  pieces: readonly Buffer[],
  signature: Buffer,
  key: Pick<KeyRecord, 'type' | 'key'>,
): Promise<boolean> {
  let data: Buffer;
  if (key.type === 'rsa') {
    data = Buffer.concat(pieces);
  } else {
    const hash = createHash('sha256');
    for (const piece of pieces) hash.update(piece);
    data = hash.digest();
  }
  return new Promise((resolve) => {
    cryptoVerify(key.type === 'rsa' ? 'sha256' : null, data, key.key, signature, (error, ok) => {
      resolve(error === null && ok);
    });
  });
}
