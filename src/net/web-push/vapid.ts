import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** Who sends a push, told to the push service (VAPID, RFC 8292). */

/** Seconds that one proof holds; services take at most a day. */
const PROOF_SECONDS = 12 * 3600;
/** Milliseconds before its end when a new one is made. */
const RENEW_MS = 3600_000;
/** Origins whose proofs are kept. */
const KEPT = 100;

export interface VapidKeys {
  /** Point on P-256, uncompressed, base64url: what browsers subscribe with. */
  readonly publicKey: string;
  /** PEM, PKCS #8. */
  readonly privateKey: string;
}

export function newVapidKeys(): VapidKeys {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  return {
    publicKey: point.toString('base64url'),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/**
 * Makes the Authorization field for a push service at an origin. `subject`: how its operator reaches us, a mailto: or
 * https: URL (section 2.1). `now`: milliseconds since the epoch.
 */
export function createVapid(keys: VapidKeys, subject: string): (origin: string, now: number) => string {
  const key: KeyObject = createPrivateKey(keys.privateKey);
  const kept = new Map<string, { readonly field: string; readonly until: number }>();
  return (origin, now) => {
    const known = kept.get(origin);
    if (known !== undefined && known.until - now > RENEW_MS) return known.field;
    const exp = Math.floor(now / 1000) + PROOF_SECONDS;
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ typ: 'JWT', alg: 'ES256' })}.${part({ aud: origin, exp, sub: subject })}`;
    // RFC 7518 section 3.4: both numbers, one after the other.
    const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
    const field = `vapid t=${signed}.${signature.toString('base64url')}, k=${keys.publicKey}`;
    kept.delete(origin);
    kept.set(origin, { field, until: exp * 1000 });
    for (const [oldest] of kept) {
      if (kept.size <= KEPT) break;
      kept.delete(oldest);
    }
    return field;
  };
}
