import { BlockList, isIP, SocketAddress } from 'node:net';
import { Refusal } from '../base/errors.ts';

/**
 * Canonical text of an address: IPv4-mapped IPv6 as IPv4, other IPv6 as RFC 5952 says (lower case, compressed), no zone.
 * undefined when it is not an address. The same host must always give the same text: limits and reputations count by it.
 */
export function canonicalAddress(text: string): string | undefined {
  const zone = text.indexOf('%');
  const bare = zone === -1 ? text : text.slice(0, zone);
  const family = isIP(bare);
  if (family === 0) return undefined;
  if (family === 4) return bare;
  const canonical = new SocketAddress({ address: bare, family: 'ipv6' }).address.toLowerCase();
  const mapped = canonical.startsWith('::ffff:') ? canonical.slice(7) : '';
  return isIP(mapped) === 4 ? mapped : canonical;
}

/** The eight 16-bit groups of an IPv6 address; empty for anything else. */
export function ipv6Groups(address: string): number[] {
  if (isIP(address) !== 6) return [];
  const zone = address.indexOf('%');
  let text = zone === -1 ? address : address.slice(0, zone);
  const lastColon = text.lastIndexOf(':');
  const tail = text.slice(lastColon + 1);
  if (tail.includes('.')) {
    const [a = 0, b = 0, c = 0, d = 0] = tail.split('.').map(Number);
    text = `${text.slice(0, lastColon + 1)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  }
  const [head = '', rest] = text.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = rest === undefined || rest === '' ? [] : rest.split(':');
  const zeros = rest === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array.from({ length: zeros }, () => '0'), ...right].map((group) =>
    Number.parseInt(group, 16),
  );
}

/** What a limit per client counts by: an IPv4 address, or the /64 of an IPv6 one (one host usually has all of it). */
export function clientNetwork(address: string): string {
  const groups = ipv6Groups(address);
  if (groups.length !== 8) return address;
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** True for 127.0.0.0/8 and ::1. */
export function isLoopback(address: string): boolean {
  return (isIP(address) === 4 && address.startsWith('127.')) || address === '::1';
}

/** Whether a canonical address is in one of the networks ("192.0.2.0/24", "2001:db8::/32", or single addresses). */
export function networkList(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address);
    const prefix = bits === undefined ? (family === 6 ? 128 : 32) : Number(bits);
    const known =
      family !== 0 && Number.isInteger(prefix) && prefix >= 0 && prefix <= (family === 6 ? 128 : 32);
    if (!known || bits === '') {
      throw new Refusal(
        'bad-input',
        `"${network}" is not a network: write it as 192.0.2.0/24 or 2001:db8::/32`,
      );
    }
    list.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
  }
  return (address) => {
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
}
