import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { Refusal } from '../../base/errors.ts';

/** Signed requests (RFC 8555 section 6.2) with a key for ES256 (RFC 7518 section 3.4). */

export interface AccountKey {
  readonly privateKey: KeyObject;
  /** The members that a thumbprint takes, in its order. */
  readonly jwk: { readonly crv: string; readonly kty: string; readonly x: string; readonly y: string };
  /** RFC 7638, base64url. */
  readonly thumbprint: string;
}

/** A new account key: PEM, PKCS #8. */
export function newAccountKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Throws a `Refusal` for what is no P-256 key. */
export function accountKey(pem: string): AccountKey {
  const privateKey = createPrivateKey(pem);
  const { crv, kty, x, y } = createPublicKey(privateKey).export({ format: 'jwk' });
  if (crv !== 'P-256' || kty !== 'EC' || x === undefined || y === undefined)
    throw new Refusal('bad-input', 'the ACME account key is no P-256 key');
  // RFC 7638 section 3: the required members in the order of their names, without spaces.
  const jwk = { crv, kty, x, y };
  const thumbprint = createHash('sha256').update(JSON.stringify(jwk)).digest('base64url');
  return { privateKey, jwk, thumbprint };
}

/** What proves that the account answers a challenge (RFC 8555 section 8.1). */
export function keyAuthorization(key: AccountKey, token: string): string {
  return `${token}.${key.thumbprint}`;
}

export interface Jws {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

export interface JwsOptions {
  readonly url: string;
  readonly nonce: string;
  /** URL of the account; undefined: the request carries the key itself. */
  readonly account: string | undefined;
}

/** Undefined as payload is POST-as-GET (RFC 8555 section 6.3). */
export function signed(key: AccountKey, payload: object | undefined, options: JwsOptions): Jws {
  const { url, nonce, account } = options;
  const who = account === undefined ? { jwk: key.jwk } : { kid: account };
  const header = encode({ alg: 'ES256', ...who, nonce, url });
  const body = payload === undefined ? '' : encode(payload);
  const signature = sign('sha256', Buffer.from(`${header}.${body}`), {
    key: key.privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  return { protected: header, payload: body, signature: signature.toString('base64url') };
}

/** An account at the authority's own shop that the ACME account is bound to. */
export interface ExternalAccount {
  readonly keyId: string;
  /** base64url, as authorities hand it out. */
  readonly hmacKey: string;
}

/** RFC 8555 section 7.3.4. */
export function externalAccountBinding(key: AccountKey, external: ExternalAccount, url: string): Jws {
  const header = encode({ alg: 'HS256', kid: external.keyId, url });
  const body = encode(key.jwk);
  const mac = createHmac('sha256', Buffer.from(external.hmacKey, 'base64url'));
  return { protected: header, payload: body, signature: mac.update(`${header}.${body}`).digest('base64url') };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
