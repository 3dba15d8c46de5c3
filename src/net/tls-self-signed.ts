import { generateKeyPairSync, randomBytes, sign, createHash, type KeyObject } from 'node:crypto';
import { bitString, der, extension, integer, oid, pem, sequence, subjectAltName, TAG } from './der.ts';

/**
 * A self-signed certificate for the try-out and for tests: X.509 v3 (RFC 5280), ECDSA P-256 with SHA-256. Node's crypto
 * reads certificates but does not make them, so the few DER structures it takes are written here.
 */
export interface SelfSignedOptions {
  /** Common name, and what issuer and subject are called. */
  readonly commonName: string;
  /** DNS names and IP addresses it is valid for. */
  readonly names: readonly string[];
  /** Milliseconds since the epoch, inclusive; seconds are what is kept. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Octets of an acmeIdentifier extension (RFC 8737 section 3), for a certificate that answers a validation. */
  readonly acmeIdentifier?: Buffer;
}

export interface CertificatePair {
  /** PEM. */
  readonly cert: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

/** Make a key and its self-signed certificate. Takes under a millisecond. */
export function createSelfSigned(options: SelfSignedOptions): CertificatePair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const certificate = signedCertificate(options, publicKey, privateKey);
  return {
    cert: pem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

const OID = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  subjectKeyIdentifier: '2.5.29.14',
  acmeIdentifier: '1.3.6.1.5.5.7.1.31',
} as const;

/** RFC 5280 appendix A: ub-common-name. */
const MAX_COMMON_NAME = 64;

function signedCertificate(options: SelfSignedOptions, publicKey: KeyObject, privateKey: KeyObject): Buffer {
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const name = sequence(
    der(
      TAG.set,
      sequence(
        oid(OID.commonName),
        der(TAG.utf8String, Buffer.from(options.commonName.slice(0, MAX_COMMON_NAME))),
      ),
    ),
  );
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const body = sequence(
    der(TAG.context0, integer(Buffer.from([2]))), // v3
    integer(serialNumber()),
    algorithm,
    name,
    sequence(time(options.notBefore), time(options.notAfter)),
    name,
    spki,
    der(TAG.context3, sequence(...extensions(options, spki))),
  );
  return sequence(body, algorithm, bitString(sign('sha256', body, privateKey)));
}

function extensions(options: SelfSignedOptions, spki: Buffer): Buffer[] {
  const { acmeIdentifier: acme } = options;
  // Any unique value will do as identifier (RFC 7093 section 2 method 1 would hash the bare key).
  const keyId = createHash('sha256').update(spki).digest().subarray(0, 20);
  return [
    extension(OID.basicConstraints, true, sequence()),
    // digitalSignature alone: seven unused bits, then the first bit.
    extension(OID.keyUsage, true, der(TAG.bitString, Buffer.from([7, 0x80]))),
    extension(OID.extendedKeyUsage, false, sequence(oid(OID.serverAuth))),
    subjectAltName(options.names),
    extension(OID.subjectKeyIdentifier, false, der(TAG.octetString, keyId)),
    ...(acme === undefined ? [] : [extension(OID.acmeIdentifier, true, der(TAG.octetString, acme))]),
  ];
}

/** 16 random octets, positive and not zero (RFC 5280 section 4.1.2.2). */
function serialNumber(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

/** UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280 section 4.1.2.5). */
function time(ms: number): Buffer {
  const digits = `${new Date(ms).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`;
  const utc = digits < '2050';
  return der(utc ? TAG.utcTime : TAG.generalizedTime, Buffer.from(utc ? digits.slice(2) : digits, 'latin1'));
}
