import { generateKeyPairSync, randomBytes, sign, createHash, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { ipv6Groups } from './ip.ts';

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

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  /** Context-specific [0] and [3], constructed. */
  version: 0xa0,
  extensions: 0xa3,
  /** GeneralName choices [2] dNSName and [7] iPAddress (RFC 5280 section 4.2.1.6). */
  dnsName: 0x82,
  ipAddress: 0x87,
} as const;

const OID = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  subjectAltName: '2.5.29.17',
  subjectKeyIdentifier: '2.5.29.14',
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
    der(TAG.version, integer(Buffer.from([2]))), // v3
    integer(serialNumber()),
    algorithm,
    name,
    sequence(time(options.notBefore), time(options.notAfter)),
    name,
    spki,
    der(TAG.extensions, sequence(...extensions(options.names, spki))),
  );
  return sequence(body, algorithm, bitString(sign('sha256', body, privateKey)));
}

function extensions(names: readonly string[], spki: Buffer): Buffer[] {
  // Any unique value will do as identifier (RFC 7093 section 2 method 1 would hash the bare key).
  const keyId = createHash('sha256').update(spki).digest().subarray(0, 20);
  return [
    extension(OID.basicConstraints, true, sequence()),
    // digitalSignature alone: seven unused bits, then the first bit.
    extension(OID.keyUsage, true, der(TAG.bitString, Buffer.from([7, 0x80]))),
    extension(OID.extendedKeyUsage, false, sequence(oid(OID.serverAuth))),
    extension(OID.subjectAltName, false, sequence(...names.map(generalName))),
    extension(OID.subjectKeyIdentifier, false, der(TAG.octetString, keyId)),
  ];
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  const flag = critical ? [der(TAG.boolean, Buffer.from([0xff]))] : [];
  return sequence(oid(id), ...flag, der(TAG.octetString, value));
}

function generalName(name: string): Buffer {
  const family = isIP(name);
  if (family === 0) return der(TAG.dnsName, Buffer.from(name, 'latin1'));
  if (family === 4) return der(TAG.ipAddress, Buffer.from(name.split('.').map(Number)));
  return der(TAG.ipAddress, Buffer.from(ipv6Groups(name).flatMap((group) => [group >> 8, group & 0xff])));
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

/** Tag, definite length, contents. */
function der(tag: number, contents: Buffer): Buffer {
  const { length } = contents;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), contents]);
  const octets = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...octets]), contents]);
}

function sequence(...parts: Buffer[]): Buffer {
  return der(TAG.sequence, Buffer.concat(parts));
}

function integer(bytes: Buffer): Buffer {
  return der(TAG.integer, bytes);
}

function bitString(bytes: Buffer): Buffer {
  return der(TAG.bitString, Buffer.concat([Buffer.from([0]), bytes]));
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(TAG.oid, Buffer.from(bytes));
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
