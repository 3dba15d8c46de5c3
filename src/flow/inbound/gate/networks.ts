import { isIP } from 'node:net';
import { ipv6Groups, networkList } from '../../../net/ip.ts';

/**
 * Networks that nobody outside can send from: loopback, private use (RFC 1918, RFC 4193), link-local (RFC 3927,
 * RFC 4291) and behind a provider's translation (RFC 6598).
 */
const isPrivate = networkList([
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '100.64.0.0/10',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
]);

/** Answers kept: one client is looked at several times for each of its messages. */
const REMEMBERED = 1000;

/**
 * Whether a client is one of us: a Unix socket, an address that cannot come from outside, or one of `own` (networks of
 * the site, listed proxies). Nothing is asked or remembered of such a client.
 */
export function exemption(own: readonly string[]): (address: string) => boolean {
  const isOwn = networkList(own);
  const known = new Map<string, boolean>();
  return (address) => {
    let exempt = known.get(address);
    if (exempt !== undefined) return exempt;
    exempt = address === '' || isPrivate(address) || isOwn(address);
    if (known.size >= REMEMBERED) known.clear();
    known.set(address, exempt);
    return exempt;
  };
}

/** What senders are counted by: the /24 of an IPv4 address, the /48 of an IPv6 one (a site usually has all of it). */
export function senderNetwork(address: string): string {
  if (isIP(address) === 4) return `${address.slice(0, address.lastIndexOf('.'))}.0/24`;
  const groups = ipv6Groups(address);
  if (groups.length !== 8) return address;
  const site = groups.slice(0, 3).map((group) => group.toString(16));
  return `${site.join(':')}::/48`;
}
