import { BlockList, isIP } from 'node:net';
import { canonicalAddress, ipv6Groups } from './ip.ts';

/**
 * Which addresses are hosts on the public Internet. What others name (policies, callbacks, pictures) is fetched from
 * those only, so that nobody has us ask the machines beside us.
 */

/** IANA's special-purpose registry for IPv4 (RFC 6890 and later), and multicast. */
const SPECIAL_V4: readonly (readonly [network: string, bits: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
/** Global unicast is 2000::/3; these parts of it are not: protocol assignments (Teredo and others), 6to4, examples. */
const SPECIAL_V6: readonly (readonly [network: string, bits: number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const special = new BlockList();
for (const [network, bits] of SPECIAL_V4) special.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of SPECIAL_V6) special.addSubnet(network, bits, 'ipv6');
const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');

/** Whether this is the address of a host on the public Internet; false for anything that is no address. */
export function isPublicAddress(text: string): boolean {
  // A zone ("%eth0") means a link of ours. IPv4-mapped IPv6 becomes IPv4 here, however it is written.
  if (text.includes('%')) return false;
  const address = canonicalAddress(text);
  if (address === undefined) return false;
  if (isIP(address) === 4) return !special.check(address, 'ipv4');
  const embedded = translated(address);
  if (embedded !== undefined) return isPublicAddress(embedded);
  return globalUnicast.check(address, 'ipv6') && !special.check(address, 'ipv6');
}

/** The IPv4 address that a NAT64 gateway makes of 64:ff9b::/96 (RFC 6052). */
function translated(address: string): string | undefined {
  const groups = ipv6Groups(address);
  const [first, second, , , , , high = 0, low = 0] = groups;
  if (first !== 0x64 || second !== 0xff9b || groups.slice(2, 6).some((group) => group !== 0))
    return undefined;
  return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`;
}
