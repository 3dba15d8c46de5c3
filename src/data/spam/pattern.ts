import { Refusal } from '../../base/errors.ts';
import { isIPv4 } from 'node:net';
import { canonicalAddress, ipv6Groups } from '../../net/ip.ts';
import { needAddress, needDomainName, ownAddress } from '../directory/address.ts';

/** Prefix lengths a network of a list may have: what a message's address can be in is then a short list. */
const IPV4_BITS = { least: 8, most: 32, step: 1 } as const;
const IPV6_BITS = { least: 16, most: 128, step: 4 } as const;

/** Networks an address can be in, at most. */
export const MAX_NETWORKS = 29;

/**
 * A pattern of a sender list in its one spelling: "user@example.com", "@example.com" (that domain, not those below it),
 * "192.0.2.0/24", "2001:db8::/32". A bare domain means "@domain", a bare address the network of itself.
 * @throws Refusal 'bad-input'
 */
export function needPattern(given: string): { kind: 'sender' | 'network'; pattern: string } {
  const text = given.trim();
  if (text.startsWith('@')) return { kind: 'sender', pattern: `@${needDomainName(text.slice(1))}` };
  if (text.includes('@')) {
    const { localPart, domain } = needAddress(text);
    return { kind: 'sender', pattern: ownAddress(localPart, domain) };
  }
  const slash = text.indexOf('/');
  const address = canonicalAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return { kind: 'sender', pattern: `@${needDomainName(text)}` };
  const bits = slash < 0 ? undefined : text.slice(slash + 1);
  return { kind: 'network', pattern: needNetwork(text, address, bits) };
}

function needNetwork(text: string, address: string, bitsText: string | undefined): string {
  const { least, most, step } = bitsOf(address);
  const bits = bitsText === undefined ? most : /^\d{1,3}$/.test(bitsText) ? Number(bitsText) : -1;
  if (bits >= least && bits <= most && bits % step === 0) return network(address, bits);
  const every = step === 1 ? '' : `, in steps of ${step}`;
  throw new Refusal(
    'bad-input',
    `"${text.slice(0, 100)}" is not a network of a sender list: the length after the slash is ${least} to ${most}${every}.`,
  );
}

function bitsOf(address: string): typeof IPV4_BITS | typeof IPV6_BITS {
  return isIPv4(address) ? IPV4_BITS : IPV6_BITS;
}

/** The network of the first `bits` bits of a canonical address. */
function network(address: string, bits: number): string {
  if (isIPv4(address)) {
    const octets = address.split('.').map((octet, i) => Number(octet) & (0xff00 >> within(bits - 8 * i, 8)));
    return `${octets.join('.')}/${bits}`;
  }
  const groups = ipv6Groups(address).map((group, i) => group & (0xffff0000 >> within(bits - 16 * i, 16)));
  const text = groups.map((group) => group.toString(16)).join(':');
  return `${canonicalAddress(text) ?? text}/${bits}`;
}

function within(bits: number, most: number): number {
  return Math.max(0, Math.min(most, bits));
}

/** Every pattern of a network that an address is in, the narrowest first; none for what is no address. */
export function networksOf(ip: string): string[] {
  const address = canonicalAddress(ip);
  if (address === undefined) return [];
  const { least, most, step } = bitsOf(address);
  const found: string[] = [];
  for (let bits: number = most; bits >= least; bits -= step) found.push(network(address, bits));
  return found;
}
