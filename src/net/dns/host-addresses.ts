import { isIP } from 'node:net';
import type { Dns } from '../../mail/dns.ts';
import { lookupAddresses } from './addresses.ts';
import { systemAddresses } from './system.ts';

/**
 * Addresses of a host that a person has named (a relay, an endpoint), IPv6 first; a sentence when there are none. Such a
 * host is often named in /etc/hosts or only in the local network's DNS: where our resolver knows it not, the system's serves.
 */
export async function hostAddresses(dns: Dns | undefined, host: string): Promise<readonly string[] | string> {
  if (isIP(host) !== 0) return [host];
  if (dns === undefined || !host.includes('.')) return systemAddresses(host);
  const found = await lookupAddresses(dns, host);
  if (found.status === 'ok') return [...found.ipv6, ...found.ipv4];
  return found.status === 'temporary'
    ? `DNS gave no address of ${host}: ${found.reason}`
    : systemAddresses(host);
}
