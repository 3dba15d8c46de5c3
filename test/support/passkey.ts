import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** An authenticator in software: ES256, attestation "none" (WebAuthn level 3, sections 6.1 and 8.7). */

const UP = 0x01;
const UV = 0x04;
const AT = 0x40;

export interface PasskeyMore {
  /** The page that asks. Default: the one it was made at. */
  readonly origin?: string;
  readonly rpId?: string;
  /** False: nobody touched a sensor or typed a PIN. */
  readonly userVerified?: boolean;
  /** Over its own counter. */
  readonly counter?: number;
}

export interface SoftPasskey {
  readonly id: string;
  /** What navigator.credentials.create() gives. */
  create(options: { readonly challenge: string }, more?: PasskeyMore): object;
  /** What navigator.credentials.get() gives. */
  get(options: { readonly challenge: string }, more?: PasskeyMore): object;
}

/** `counts`: its counter goes up with each use; otherwise it stays at 0, as with passkeys that are synchronised. */
export function softPasskey(origin: string, counts = true): SoftPasskey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const credentialId = randomBytes(32);
  const id = credentialId.toString('base64url');
  const ownRpId = new URL(origin).hostname;
  let used = 0;
  const authenticatorData = (more: PasskeyMore, flags: number, rest: Buffer): Buffer => {
    const rpIdHash = createHash('sha256')
      .update(more.rpId ?? ownRpId)
      .digest();
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(more.counter ?? (counts ? ++used : 0));
    const verified = more.userVerified === false ? 0 : UV;
    return Buffer.concat([rpIdHash, Buffer.from([UP | verified | flags]), counter, rest]);
  };
  const clientData = (type: string, challenge: string, more: PasskeyMore): Buffer =>
    Buffer.from(JSON.stringify({ type, challenge, origin: more.origin ?? origin, crossOrigin: false }));
  const wrapped = (response: Readonly<Record<string, unknown>>) => {
    return { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response };
  };
  return {
    id,
    create({ challenge }, more = {}) {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(credentialId.length);
      const attested = Buffer.concat([Buffer.alloc(16), length, credentialId, coseKey(publicKey)]);
      const authData = authenticatorData(more, AT, attested);
      const object = cbor(
        new Map<string, unknown>([
          ['fmt', 'none'],
          ['attStmt', new Map()],
          ['authData', authData],
        ]),
      );
      return wrapped({
        clientDataJSON: clientData('webauthn.create', challenge, more).toString('base64url'),
        attestationObject: object.toString('base64url'),
        transports: ['internal'],
      });
    },
    get({ challenge }, more = {}) {
      const authData = authenticatorData(more, 0, Buffer.alloc(0));
      const client = clientData('webauthn.get', challenge, more);
      const signed = Buffer.concat([authData, createHash('sha256').update(client).digest()]);
      return wrapped({
        clientDataJSON: client.toString('base64url'),
        authenticatorData: authData.toString('base64url'),
        signature: sign('sha256', signed, privateKey).toString('base64url'),
      });
    },
  };
}

/** RFC 9052 section 7, RFC 9053 section 7.1: an EC2 key for ES256. */
function coseKey(key: KeyObject): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  return cbor(
    new Map<number, unknown>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, Buffer.from(x, 'base64url')],
      [-3, Buffer.from(y, 'base64url')],
    ]),
  );
}

/** RFC 8949: maps, texts, octets and small numbers. */
function cbor(value: unknown): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string')
    return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  if (value instanceof Map)
    return Buffer.concat([head(5, value.size), ...[...value].flatMap(([k, v]) => [cbor(k), cbor(v)])]);
  throw new TypeError('no CBOR for this');
}

function head(major: number, count: number): Buffer {
  if (count < 24) return Buffer.from([(major << 5) | count]);
  if (count < 256) return Buffer.from([(major << 5) | 24, count]);
  return Buffer.from([(major << 5) | 25, count >> 8, count & 255]);
}
