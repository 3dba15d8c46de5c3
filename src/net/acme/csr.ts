import { createPublicKey, generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { bitString, der, integer, oid, sequence, subjectAltName, TAG } from '../der.ts';

/** Kinds of keys for certificates. Every mail server of this century takes the first; the second is for the others. */
export type CertificateKeyType = 'ecdsa-p256' | 'rsa-2048';

const generate = promisify(generateKeyPair);

/** A new private key. RSA takes a tenth of a second, on a thread of libuv. */
export async function newCertificateKey(type: CertificateKeyType): Promise<KeyObject> {
  if (type === 'rsa-2048') return (await generate('rsa', { modulusLength: 2048 })).privateKey;
  return (await generate('ec', { namedCurve: 'prime256v1' })).privateKey;
}

const OID = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  sha256WithRsa: '1.2.840.113549.1.1.11',
  extensionRequest: '1.2.840.113549.1.9.14',
} as const;

/**
 * A certificate request (RFC 2986) for DNS names, in DER. The subject is empty: names are alternative names only
 * (RFC 8555 section 7.4 takes either, and a common name holds 64 characters at most).
 */
export function certificateRequest(key: KeyObject, names: readonly string[]): Buffer {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const wanted = der(TAG.set, sequence(subjectAltName(names)));
  const info = sequence(
    integer(Buffer.from([0])),
    sequence(),
    publicKey,
    der(TAG.context0, sequence(oid(OID.extensionRequest), wanted)),
  );
  const algorithm =
    key.asymmetricKeyType === 'rsa'
      ? sequence(oid(OID.sha256WithRsa), der(TAG.null, Buffer.alloc(0)))
      : sequence(oid(OID.ecdsaWithSha256));
  return sequence(info, algorithm, bitString(sign('sha256', info, key)));
}
