import { createHash, generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { bitString, der, oid, pem, sequence } from '../../../src/net/der.ts';
import type { SnsEnvelope } from './types.ts';

/** The key SNS signs with, and its certificate. */
export interface SnsSigner {
  readonly certificatePem: string;
  /** "SimpleNotificationService-<hex>.pem" */
  readonly fileName: string;
  /** Base64 of the signature; version 1 is SHA1 with RSA, 2 SHA256. */
  sign(envelope: Omit<SnsEnvelope, 'Signature'>): string;
}

let shared: Promise<SnsSigner> | undefined;

/** One for the process: an RSA key takes a while to find. */
export function snsSigner(): Promise<SnsSigner> {
  shared ??= createSigner();
  return shared;
}

/** A key of its own: what an impostor signs with. */
export async function createSigner(commonName = 'sns.amazonaws.com'): Promise<SnsSigner> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const octets = certificate(commonName, publicKey, privateKey);
  const digest = createHash('md5').update(octets).digest('hex');
  return {
    certificatePem: pem('CERTIFICATE', octets),
    fileName: `SimpleNotificationService-${digest}.pem`,
    sign(envelope) {
      const algorithm = envelope.SignatureVersion === '2' ? 'sha256' : 'sha1';
      return sign(algorithm, Buffer.from(stringToSign(envelope)), privateKey).toString('base64');
    },
  };
}

/** Name and value of each signed member on lines of their own, in the alphabetical order SNS documents. */
export function stringToSign(envelope: Omit<SnsEnvelope, 'Signature'>): string {
  const members =
    envelope.Type === 'Notification'
      ? (['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'] as const)
      : (['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'] as const);
  return members
    .flatMap((name) => (envelope[name] === undefined ? [] : [`${name}\n${envelope[name]}\n`]))
    .join('');
}

const SHA256_RSA = '1.2.840.113549.1.1.11';
const COMMON_NAME = '2.5.4.3';
const SUBJECT_ALT_NAME = '2.5.29.17';

/** X.509 v3 (RFC 5280), self-signed, valid from yesterday for a year. */
function certificate(commonName: string, publicKey: KeyObject, privateKey: KeyObject): Buffer {
  const algorithm = sequence(oid(SHA256_RSA), der(0x05, Buffer.alloc(0)));
  const name = sequence(der(0x31, sequence(oid(COMMON_NAME), der(0x0c, Buffer.from(commonName)))));
  const day = 86_400_000;
  const alternative = sequence(
    oid(SUBJECT_ALT_NAME),
    der(0x04, sequence(der(0x82, Buffer.from(commonName, 'latin1')))),
  );
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([0x40, ...crypto.getRandomValues(new Uint8Array(15))])),
    algorithm,
    name,
    sequence(utcTime(Date.now() - day), utcTime(Date.now() + 365 * day)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(alternative)),
  );
  return sequence(body, algorithm, bitString(sign('sha256', body, privateKey)));
}

function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]/g, '');
  return der(0x17, Buffer.from(`${digits.slice(2, 14)}Z`, 'latin1'));
}
