import { isIP } from 'node:net';
import type { Dns } from '../../mail/dns.ts';
import { canonicalAddress, ipv6Groups } from '../ip.ts';

export type Addresses =
  | {
      readonly status: 'ok';
      /** IPv6 and IPv4 addresses in canonical text, each family in the order of its answer. Never empty. */
      readonly ipv6: readonly string[];
      readonly ipv4: readonly string[];
      /** All answers that came (records or denial) were validated with DNSSEC. */
      readonly authenticated: boolean;
      readonly canonicalName?: string;
    }
  /** The host exists without addresses, or does not exist. */
  | { readonly status: 'none'; readonly nxdomain: boolean; readonly authenticated: boolean }
  | { readonly status: 'temporary'; readonly reason: string };

/** The addresses of a host: A and AAAA asked together. One family failing is no failure while the other has addresses. */
export async function lookupAddresses(dns: Dns, host: string, signal?: AbortSignal): Promise<Addresses> {
  const [six, four] = await Promise.all([dns.query(host, 'AAAA', signal), dns.query(host, 'A', signal)]);
  const ipv6 = six.status === 'ok' ? six.records.flatMap((address) => canonicalAddress(address) ?? []) : [];
  const ipv4 = four.status === 'ok' ? four.records.flatMap((address) => canonicalAddress(address) ?? []) : [];
  // A family without an answer gives no addresses that could be wrong: it must not take the others' proof from them, or
  // whoever spoils one answer has switched DANE off (RFC 7672 section 2.2.1).
  const answers = [six, four].filter((answer) => answer.status !== 'temporary');
  const authenticated = answers.length > 0 && answers.every((answer) => answer.authenticated === true);
  if (ipv6.length + ipv4.length > 0) {
    const canonicalName =
      (four.status === 'ok' && four.canonicalName) || (six.status === 'ok' && six.canonicalName);
    return { status: 'ok', ipv6, ipv4, authenticated, ...(canonicalName && { canonicalName }) };
  }
  if (four.status === 'temporary') return four;
  if (six.status === 'temporary') return six;
  return { status: 'none', nxdomain: four.status === 'nxdomain' && six.status === 'nxdomain', authenticated };
}

/** The name under which an address has its PTR records (RFC 1035 section 3.5, RFC 3596 section 2.5). */
export function reverseName(address: string): string | undefined {
  const canonical = canonicalAddress(address);
  if (canonical === undefined) return undefined;
  if (isIP(canonical) === 4) return `${canonical.split('.').toReversed().join('.')}.in-addr.arpa`;
  const nibbles = ipv6Groups(canonical).flatMap((group) => [...group.toString(16).padStart(4, '0')]);
  return `${nibbles.toReversed().join('.')}.ip6.arpa`;
}
