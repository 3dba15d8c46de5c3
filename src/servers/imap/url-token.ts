import { createHmac, timingSafeEqual } from 'node:crypto';
import type { UrlAuth } from '../../mail/imap-url.ts';

/** Octets of a mailbox access key (RFC 4467 section 2 asks for at least 128 bits). */
export const URL_KEY_BYTES = 32;
/** The only mechanism there is (RFC 4467 section 5). */
export const URL_MECHANISM = 'INTERNAL';
/** What a token begins with: how it was made. */
const VERSION = '01';

/** The token of a URL up to its access identifier (RFC 4467 section 9). */
export function urlToken(secret: Uint8Array, rump: string): string {
  return VERSION + createHmac('sha256', secret).update(rump, 'latin1').digest('hex');
}

/** Whether a URL carries the token that this key gives it. Takes as long for wrong ones. */
export function tokenIsGood(secret: Uint8Array, { rump, verifier }: UrlAuth): boolean {
  if (verifier?.mechanism !== URL_MECHANISM) return false;
  const expected = Buffer.from(urlToken(secret, rump));
  const given = Buffer.from(verifier.token);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
