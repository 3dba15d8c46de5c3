import { randomInt } from 'node:crypto';
import { isIP } from 'node:net';
import type { Dns, MxRecord } from '../../../mail/dns.ts';
import { lookupAddresses } from '../../../net/dns/addresses.ts';
import { deferred, failed, type Outcome } from '../transport.ts';

/** Hosts of a destination that are tried in one attempt. */
const HOSTS_MAX = 5;
/** Addresses of one host that are tried. */
const ADDRESSES_MAX = 6;

export interface NextHost {
  /** Name for SNI, certificate checks and the journal. */
  readonly name: string;
  readonly addresses: readonly string[];
  /** A Unix socket instead of addresses. */
  readonly path?: string;
  /** DNSSEC vouches for the addresses, and for the aliases on the way to them. */
  readonly secure?: boolean;
  /** Where the name is an alias: what of, at the end. */
  readonly canonicalName?: string;
}

export interface FoundHosts {
  readonly hosts: readonly NextHost[];
  /** DNSSEC vouches for the names of the hosts. */
  readonly secure: boolean;
  /** What the destination is an alias of. */
  readonly alias?: string;
}
export type Hosts = FoundHosts | { readonly outcome: Outcome };

/**
 * Where mail for a domain goes (RFC 5321 5.1): its MX hosts by preference, or the domain itself without any; IPv6
 * before IPv4. A host that is ourselves, and all that are not better than it, are left out: they would loop.
 */
export async function findHosts(dns: Dns, destination: string, ourName: string): Promise<Hosts> {
  const literal = literalAddress(destination);
  if (literal !== undefined) return { hosts: [{ name: destination, addresses: [literal] }], secure: false };
  const answer = await dns.query(destination, 'MX');
  if (answer.status === 'temporary')
    return { outcome: deferred(`451 4.4.3 DNS gave no MX of ${destination}: ${answer.reason}`) };
  if (answer.status === 'nxdomain')
    return { outcome: failed('5.1.2', `The domain ${destination} does not exist`) };
  if (answer.status === 'nodata') {
    const itself = [{ preference: 0, exchange: destination }];
    return addressesOf(dns, destination, itself, { secure: answer.authenticated === true });
  }
  // RFC 7505 section 3: a null MX stands alone; beside others it means nothing.
  const named = answer.records.filter(({ exchange }) => exchange !== '');
  if (named.length === 0) {
    return {
      outcome: failed('5.1.10', `The domain ${destination} does not accept mail (null MX, RFC 7505)`),
    };
  }
  const usable = withoutUs(named, ourName);
  if (usable.length === 0) {
    return {
      outcome: failed(
        '5.4.6',
        `The MX of ${destination} is this host, which has no such domain: mail would loop`,
      ),
    };
  }
  const alias = answer.canonicalName === undefined ? {} : { alias: answer.canonicalName };
  return addressesOf(dns, destination, usable, { secure: answer.authenticated, ...alias });
}

function literalAddress(destination: string): string | undefined {
  const match = /^\[(?:IPv6:)?([^\]]+)\]$/i.exec(destination);
  return match?.[1] !== undefined && isIP(match[1]) !== 0 ? match[1] : undefined;
}

function withoutUs(records: readonly MxRecord[], ourName: string): MxRecord[] {
  const own = records.find(({ exchange }) => exchange.toLowerCase() === ourName.toLowerCase());
  return own === undefined ? [...records] : records.filter(({ preference }) => preference < own.preference);
}

async function addressesOf(
  dns: Dns,
  destination: string,
  records: readonly MxRecord[],
  facts: Omit<FoundHosts, 'hosts'>,
): Promise<Hosts> {
  const hosts: NextHost[] = [];
  let problem: string | undefined;
  let temporary = false;
  for (const { exchange } of shuffled(records).slice(0, HOSTS_MAX)) {
    const found = await lookupAddresses(dns, exchange);
    if (found.status === 'ok') {
      hosts.push({
        name: exchange,
        addresses: someOf(found.ipv6, found.ipv4),
        secure: found.authenticated,
        ...(found.canonicalName !== undefined && { canonicalName: found.canonicalName }),
      });
    } else if (found.status === 'temporary') {
      temporary = true;
      problem = `DNS gave no address of ${exchange}: ${found.reason}`;
    } else problem ??= `${exchange}, which takes mail for ${destination}, has no address`;
  }
  if (hosts.length > 0) return { ...facts, hosts };
  return { outcome: temporary ? deferred(`451 4.4.3 ${problem}`) : failed('5.4.4', problem ?? 'No host') };
}

/** IPv6 first, but never so many that IPv4 has no place. */
function someOf(ipv6: readonly string[], ipv4: readonly string[]): string[] {
  const six = ipv6.slice(0, ipv4.length === 0 ? ADDRESSES_MAX : ADDRESSES_MAX / 2);
  return [...six, ...ipv4].slice(0, ADDRESSES_MAX);
}

/** By preference; hosts of the same one in random order, to spread the load (RFC 5321 5.1). */
function shuffled(records: readonly MxRecord[]): MxRecord[] {
  return records
    .map((record) => ({ record, at: randomInt(2 ** 32) }))
    .toSorted((a, b) => a.record.preference - b.record.preference || a.at - b.at)
    .map(({ record }) => record);
}
