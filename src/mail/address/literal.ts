import { isIPv4, isIPv6 } from 'node:net';

/** Characters of the longest address literal we could accept: "[IPv6:" + 45 + "]". */
const LITERAL_LENGTH = 52;

/**
 * Parse an address literal with its brackets (RFC 5321 4.1.3): `[192.0.2.1]` or `[IPv6:2001:db8::1]`. Other tags have
 * never been registered and are refused, as are IPv6 zones. Returns the address and the literal in one canonical
 * spelling (RFC 5952), or undefined.
 */
export function parseAddressLiteral(text: string): { ip: string; literal: string } | undefined {
  if (text.length > LITERAL_LENGTH || !text.startsWith('[') || !text.endsWith(']')) return undefined;
  const inner = text.slice(1, -1);
  if (isIPv4(inner)) return { ip: inner, literal: `[${inner}]` };
  if (inner.slice(0, 5).toLowerCase() !== 'ipv6:') return undefined;
  const address = inner.slice(5);
  if (!isIPv6(address) || address.includes('%')) return undefined;
  const ip = new URL(`http://[${address}]`).hostname.slice(1, -1);
  return { ip, literal: `[IPv6:${ip}]` };
}
