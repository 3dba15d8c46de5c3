import { Secret, TOTP } from 'otpauth';
import type { Totp } from '../../../data/access/types.ts';

/** Octets of a secret (RFC 4226 section 4 R6 recommends 160 bits). */
const SECRET_OCTETS = 20;
/** Seconds a code is shown, and its digits: what every authenticator app does. */
const PERIOD = 30;
const DIGITS = 6;
/** Steps a clock may be off, either way (RFC 6238 section 5.2). */
const WINDOW = 1;

export function newTotpSecret(): string {
  return new Secret({ size: SECRET_OCTETS }).base32;
}

/** What an authenticator app reads from the picture. */
export function totpUri(secret: string, issuer: string, label: string): string {
  return generator(secret, issuer, label).toString();
}

/**
 * The time step a code belongs to; undefined for a wrong one, or one of a step up to `lastStep`, which have been taken
 * (RFC 6238 section 5.2).
 */
export function totpStep({ secret, lastStep }: Totp, code: string, nowMs: number): number | undefined {
  const token = code.replaceAll(/\s/g, '');
  if (!/^\d{6}$/.test(token)) return undefined;
  const delta = generator(secret).validate({ token, timestamp: nowMs, window: WINDOW });
  if (delta === null) return undefined;
  const step = Math.floor(nowMs / 1000 / PERIOD) + delta;
  return step > lastStep ? step : undefined;
}

function generator(secret: string, issuer = '', label = ''): TOTP {
  return new TOTP({
    issuer,
    label,
    algorithm: 'SHA1',
    digits: DIGITS,
    period: PERIOD,
    secret: Secret.fromBase32(secret),
  });
}
