import { isIPv4, isIPv6 } from 'node:net';

/** An address as octets: 4 or 16. */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly octets: Uint8Array;
}

function parseV4(text: string): Uint8Array {
  return Uint8Array.from(text.split('.'), Number);
}

/** The 16-bit groups of one side of "::"; a dotted quad makes two. */
function groupsOf(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = parseV4(group);
    return [a * 256 + b, c * 256 + d];
  });
}

/** `text` is known to be valid by `isIPv6`. */
function parseV6(text: string): Uint8Array {
  const octets = new Uint8Array(16);
  const [head = '', tail] = text.split('::');
  const write = (values: number[], at: number): void => {
    values.forEach((value, i) => {
      octets[at + 2 * i] = value >> 8;
      octets[at + 2 * i + 1] = value & 255;
    });
  };
  write(groupsOf(head), 0);
  if (tail !== undefined) {
    const last = groupsOf(tail);
    write(last, 16 - 2 * last.length);
  }
  return octets;
}

/** Read an address in text form; undefined when it is none. Zones ("%eth0") are none. */
export function parseIp(text: string): IpAddress | undefined {
  if (isIPv4(text)) return { family: 4, octets: parseV4(text) };
  if (isIPv6(text) && !text.includes('%')) return { family: 6, octets: parseV6(text) };
  return undefined;
}

/** `::ffff:192.0.2.1` is 192.0.2.1 (RFC 7208 section 5); others stay. */
export function unmapped(ip: IpAddress): IpAddress {
  if (ip.family === 4) return ip;
  const mapped = ip.octets.every((octet, i) => i >= 12 || octet === (i < 10 ? 0 : 255));
  return mapped ? { family: 4, octets: ip.octets.slice(12) } : ip;
}

/** Are the first `bits` bits the same? False for addresses of two families. */
export function inNetwork(ip: IpAddress, network: IpAddress, bits: number): boolean {
  if (ip.family !== network.family) return false;
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (ip.octets[i] !== network.octets[i]) return false;
  const rest = bits & 7;
  if (rest === 0) return true;
  const shift = 8 - rest;
  return (ip.octets[whole] ?? 0) >> shift === (network.octets[whole] ?? 0) >> shift;
}

/** "192.0.2.1", or the nibbles of an IPv6 address with dots, in upper case as the test suite has it (RFC 7208 section 7.3, macro i). */
export function dotted(ip: IpAddress): string {
  if (ip.family === 4) return ip.octets.join('.');
  return Buffer.from(ip.octets).toString('hex').toUpperCase().split('').join('.');
}

/** The address for people (macro c). */
export function readable(ip: IpAddress): string {
  if (ip.family === 4) return dotted(ip);
  const groups = Buffer.from(ip.octets).toString('hex').match(/.{4}/g) ?? [];
  return compress(groups.map((group) => group.replace(/^0{1,3}/, '')));
}

/** RFC 5952: the longest run of two or more zero groups becomes "::". */
function compress(groups: readonly string[]): string {
  let best = { at: 0, length: 1 };
  for (let i = 0; i < groups.length; i++) {
    let end = i;
    while (groups[end] === '0') end++;
    if (end - i > best.length) best = { at: i, length: end - i };
    i = Math.max(i, end);
  }
  if (best.length < 2) return groups.join(':');
  return `${groups.slice(0, best.at).join(':')}::${groups.slice(best.at + best.length).join(':')}`;
}

/** The name whose PTR records name the address. */
export function reverseName(ip: IpAddress): string {
  const labels = dotted(ip).toLowerCase().split('.').toReversed().join('.');
  return `${labels}.${ip.family === 4 ? 'in-addr' : 'ip6'}.arpa`;
}
