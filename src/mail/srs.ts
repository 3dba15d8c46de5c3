import { createHmac, timingSafeEqual } from 'node:crypto';
import { normalizeDomain } from './address/domain.ts';
import { LOCAL_PART_OCTETS } from './address/local-part.ts';
import type { EnvelopeAddress } from './address/path.ts';

/**
 * The Sender Rewriting Scheme: a forwarded message leaves with a reverse-path of our own domain, so that SPF passes,
 * and a bounce to that address finds its way back to the sender. Forms, all in the local part:
 *
 *     SRS0=tag=tt=domain=local     a sender we rewrote first
 *     SRS1=tag=domain=rest         one that another host had rewritten: `rest` is what follows its SRS0
 *     SRST=tag=tt=token            one that does not fit; the caller keeps what the token stands for
 *
 * `tag` is 6 base32 digits (30 bits) of HMAC-SHA-256 over the rest in lower case, `tt` the day. Everything survives a
 * host that lowers the case of local parts, except the case of the original local part.
 */

/** Days for which bounces come back: longer than anyone's queue (RFC 5321 4.5.4.1: 4 to 5 days) plus a slow reply. */
export const SRS_VALID_DAYS = 21;

/** Clocks of two of our machines may differ over midnight. */
const FUTURE_DAYS = 1;

const DAY_MS = 86_400_000;
const DAY_CYCLE = 1024; // two base32 digits
const TAG_LENGTH = 6;
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

export type SrsForward =
  | { readonly kind: 'rewritten'; readonly address: EnvelopeAddress }
  /** The null path, or an address that is ours already. */
  | { readonly kind: 'unchanged' }
  /** No rewritten form fits 64 octets: store the sender under a token and use `srsToken`. */
  | { readonly kind: 'too-long' };

/**
 * The reverse-path for forwarding a message of `sender` (undefined for <>) from `ourDomain`. Addresses of `ourDomain` stay as
 * they are, rewritten ones included; whether a domain is another one of ours is for the caller to see.
 * `key`: at least 16 octets, kept for as long as bounces are to be accepted.
 */
export function srsForward(
  sender: EnvelopeAddress | undefined,
  ourDomain: string,
  key: Buffer,
  nowMs: number,
): SrsForward {
  if (sender === undefined || sender.domain === ourDomain) return { kind: 'unchanged' };
  const { localPart, domain } = sender;
  const scheme = /^SRS([01])([=+-])/i.exec(localPart);
  const first = scheme?.[1] === '1' ? /^SRS1[=+-][^=]*=([^=]+)=(.+)$/is.exec(localPart) : undefined;
  if (first) {
    // Already twice rewritten: keep the first forwarder, replace only the tag, so that the path never grows.
    const [, forwarder = '', rest = ''] = first;
    return fitted(ourDomain, 'SRS1', `${forwarder}=${rest}`, key);
  }
  if (scheme?.[1] === '0') return fitted(ourDomain, 'SRS1', `${domain}=${localPart.slice(4)}`, key);
  return fitted(ourDomain, 'SRS0', `${dayDigits(nowMs)}=${domain}=${localPart}`, key);
}

/**
 * The compact form for a sender that does not fit: `token` is the caller's key to where it keeps the sender,
 * letters and digits in any case that survives lowering, at most 48. Throws RangeError for any other token.
 */
export function srsToken(token: string, ourDomain: string, key: Buffer, nowMs: number): EnvelopeAddress {
  if (!/^[a-z0-9]{1,48}$/.test(token))
    throw new RangeError('an SRS token is 1 to 48 lower-case letters and digits');
  return { localPart: signed('SRST', `${dayDigits(nowMs)}=${token}`, key), domain: ourDomain };
}

export type SrsReverse =
  | { readonly kind: 'original'; readonly address: EnvelopeAddress }
  | { readonly kind: 'token'; readonly token: string }
  /** An ordinary local part. */
  | { readonly kind: 'not-srs' }
  | { readonly kind: 'refused'; readonly reason: 'malformed' | 'bad-tag' | 'expired' };

/**
 * The sender behind a local part that `srsForward` made, for any of `keys` (the current and older ones). Refuse mail
 * to it on anything but 'original' or 'token', and accept only notifications (null reverse-path): it is no mailbox.
 */
export function srsReverse(localPart: string, keys: readonly Buffer[], nowMs: number): SrsReverse {
  const match = /^SRS([01T])[=+-]([a-z2-7]{6})=(.+)$/is.exec(localPart);
  if (!match) {
    return /^SRS[01T][=+-]/i.test(localPart) ? { kind: 'refused', reason: 'malformed' } : { kind: 'not-srs' };
  }
  const [, form = '', tag = '', rest = ''] = match;
  const scheme = `SRS${form.toUpperCase()}`;
  if (!keys.some((key) => sameTag(tag, tagOf(scheme, rest, key))))
    return { kind: 'refused', reason: 'bad-tag' };
  if (form === '1') return original(/^([^=]+)=(.+)$/s.exec(rest), (local) => `SRS0${local}`);
  const day = /^([a-z2-7]{2})=(.+)$/is.exec(rest);
  if (!day) return { kind: 'refused', reason: 'malformed' };
  if (!isCurrent(day[1] ?? '', nowMs)) return { kind: 'refused', reason: 'expired' };
  if (scheme === 'SRST') return { kind: 'token', token: (day[2] ?? '').toLowerCase() };
  return original(/^([^=]+)=(.+)$/s.exec(day[2] ?? ''), (local) => local);
}

function original(match: RegExpExecArray | null, restore: (local: string) => string): SrsReverse {
  const [, written = '', local = ''] = match ?? [];
  // A domain of ours that was an address literal is no domain name, but was canonical when it was signed.
  const domain = written.startsWith('[') ? written : normalizeDomain(written);
  if (domain === undefined || local === '') return { kind: 'refused', reason: 'malformed' };
  return { kind: 'original', address: { localPart: restore(local), domain } };
}

function fitted(ourDomain: string, scheme: string, rest: string, key: Buffer): SrsForward {
  const localPart = signed(scheme, rest, key);
  if (Buffer.byteLength(localPart) > LOCAL_PART_OCTETS) return { kind: 'too-long' };
  return { kind: 'rewritten', address: { localPart, domain: ourDomain } };
}

function signed(scheme: string, rest: string, key: Buffer): string {
  return `${scheme}=${tagOf(scheme, rest, key)}=${rest}`;
}

function tagOf(scheme: string, rest: string, key: Buffer): string {
  const digest = createHmac('sha256', key).update(`${scheme}=${rest.toLowerCase()}`, 'utf8').digest();
  let tag = '';
  for (const octet of digest.subarray(0, TAG_LENGTH)) tag += BASE32[octet & 31] ?? '';
  return tag;
}

function sameTag(given: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(given.toLowerCase(), 'latin1'), Buffer.from(expected, 'latin1'));
}

function dayDigits(nowMs: number): string {
  const day = Math.floor(nowMs / DAY_MS) % DAY_CYCLE;
  return `${BASE32[day >> 5] ?? ''}${BASE32[day & 31] ?? ''}`;
}

function isCurrent(digits: string, nowMs: number): boolean {
  const [high = '', low = ''] = digits.toLowerCase();
  const day = BASE32.indexOf(high) * 32 + BASE32.indexOf(low);
  const age = (Math.floor(nowMs / DAY_MS) - day + FUTURE_DAYS + DAY_CYCLE) % DAY_CYCLE;
  return age <= SRS_VALID_DAYS + FUTURE_DAYS;
}
