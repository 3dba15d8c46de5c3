import { isIP } from 'node:net';
import { Refusal } from '../../base/errors.ts';
import { canonicalAddress, ipv6Groups } from '../../net/ip.ts';

/** Bits of a network that one client usually has for itself: an IPv4 address, an IPv6 /64. */
export const OWN_BITS = { 4: 32, 6: 64 } as const;
/** Bits of the neighbourhood that counts together, with a higher limit: IPv4 /24, IPv6 /48. */
export const WIDE_BITS = { 4: 24, 6: 48 } as const;
/** A shorter prefix is no network of a guesser but a mistake that locks everybody out. */
const LEAST_BITS = { 4: 8, 6: 16 } as const;

/** The text of the network of `bits` around a canonical address: "192.0.2.0/24", a whole IPv4 address without "/32". */
export function networkAround(address: string, bits: number): string {
  if (isIP(address) === 4) {
    const octets = address.split('.').map(Number);
    const masked = octets.map((octet, i) => octet & mask(bits - i * 8, 8));
    return bits === 32 ? masked.join('.') : `${masked.join('.')}/${bits}`;
  }
  const groups = ipv6Groups(address).map((group, i) => (group & mask(bits - i * 16, 16)).toString(16));
  return `${canonicalAddress(groups.join(':')) ?? address}/${bits}`;
}

/** The highest `bits` of `width` bits set. */
function mask(bits: number, width: number): number {
  const kept = Math.min(Math.max(bits, 0), width);
  return (2 ** width - 1) & ~(2 ** (width - kept) - 1);
}

/** What a client's failures count for: itself, and the neighbourhood it is in. */
export interface Places {
  /** The IPv4 address, or the /64 of an IPv6 one. */
  readonly own: string;
  /** The /24, or the /48. */
  readonly wide: string;
}

/** Undefined for '' (a Unix socket) and what is no address. */
export function placesOf(remoteAddress: string): Places | undefined {
  const address = canonicalAddress(remoteAddress);
  if (address === undefined) return undefined;
  const family = isIP(address) === 4 ? 4 : 6;
  return {
    own: networkAround(address, OWN_BITS[family]),
    wide: networkAround(address, WIDE_BITS[family]),
  };
}

/** The wide network that one of `placesOf`'s own ones lies in. */
export function wideOf(own: string): string {
  return placesOf(own.split('/')[0] ?? '')?.wide ?? own;
}

export interface ParsedNetwork {
  /** In the one spelling, host bits cleared. */
  readonly text: string;
  readonly bits: number;
}

/**
 * "192.0.2.7", "192.0.2.0/24", "2001:db8::1", "2001:db8::/32". Throws Refusal 'bad-input'. `widen`: an IPv6 address
 * alone means its /64, because whoever has one has all of it.
 */
export function parseNetwork(text: string, widen: boolean): ParsedNetwork {
  const [head = '', prefix, ...more] = text.trim().split('/');
  const address = canonicalAddress(head);
  const family = address === undefined ? 0 : isIP(address);
  const whole = family === 4 ? 32 : 128;
  const bits = prefix === undefined ? (family === 6 && widen ? OWN_BITS[6] : whole) : prefixOf(prefix);
  if (address === undefined || head.includes('%') || more.length > 0 || !(bits >= 0 && bits <= whole)) {
    throw new Refusal(
      'bad-input',
      `"${text.slice(0, 100)}" is not a network: write it as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/48.`,
    );
  }
  const least = family === 4 ? LEAST_BITS[4] : LEAST_BITS[6];
  if (bits < least) {
    throw new Refusal('bad-input', `/${bits} is too wide: a network has at least /${least} here.`);
  }
  return { text: networkAround(address, bits), bits };
}

function prefixOf(text: string): number {
  return /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
}
