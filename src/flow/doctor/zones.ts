import type { Dns, DnsAnswer, DnsRecords, DnsType } from '../../mail/dns.ts';
import { lookupAddresses } from '../../net/dns/addresses.ts';
import type { DoctorState, MakeResolver } from './types.ts';

/**
 * What DNS says of a name: at the servers of its zone, which know it first hand, and at the resolver, which shows what
 * others see.
 */

/** Servers of a zone that are asked. */
const SERVERS_MAX = 4;
/** CNAMEs followed from zone to zone. */
const ALIASES_MAX = 8;

/** A server of a zone. */
export interface Authority {
  readonly host: string;
  readonly address: string;
  readonly dns: Dns;
}

export interface Zone {
  readonly name: string;
  readonly authorities: readonly Authority[];
  /** Hosts of NS records, and those of them without an address. */
  readonly hosts: readonly string[];
  readonly lost: readonly string[];
}

export type ZoneLookup =
  | { readonly status: 'ok'; readonly zone: Zone }
  /** The name does not exist as far as the resolver knows, nor does one above it but a top-level domain. */
  | { readonly status: 'none' }
  | { readonly status: 'unknown'; readonly reason: string };

/** Something about the servers that is no part of the answer. */
export interface Trouble {
  readonly state: Extract<DoctorState, 'warning' | 'problem'>;
  readonly found: string;
  readonly mend: readonly string[];
}

export type Seen<T extends DnsType = DnsType> = (
  | { readonly status: 'ok'; readonly records: readonly DnsRecords[T][] }
  | { readonly status: 'none' }
  | { readonly status: 'unknown'; readonly reason: string; readonly servfail: boolean }
) & {
  /** The resolver validated its answer with DNSSEC. */
  readonly authenticated: boolean;
  readonly trouble?: Trouble;
};

export interface Zones {
  /** The zone that a name is in. */
  zoneOf(name: string): Promise<ZoneLookup>;
  /** Ask everybody about a name. */
  look<T extends DnsType>(name: string, type: T): Promise<Seen<T>>;
}

export function createZones(parts: {
  readonly resolver: Dns;
  readonly makeResolver: MakeResolver;
  readonly dnsPort: number;
  readonly signal: AbortSignal;
}): Zones {
  const { resolver, makeResolver, dnsPort, signal } = parts;
  const known = new Map<string, Promise<ZoneLookup>>();

  async function authorities(name: string, hosts: readonly string[]): Promise<Zone> {
    const found: Authority[] = [];
    const lost: string[] = [];
    for (const host of hosts) {
      const addresses = await lookupAddresses(resolver, host, signal);
      if (addresses.status !== 'ok') {
        lost.push(host);
        continue;
      }
      const address = addresses.ipv4[0] ?? addresses.ipv6[0] ?? '';
      const dns = makeResolver([{ address, port: dnsPort, trusted: false }]);
      if (found.length < SERVERS_MAX) found.push({ host, address, dns });
    }
    return { name, authorities: found, hosts, lost };
  }

  async function find(name: string): Promise<ZoneLookup> {
    const answer = await resolver.query(name, 'NS', signal);
    if (answer.status === 'ok' && answer.canonicalName === undefined)
      return { status: 'ok', zone: await authorities(name, answer.records.toSorted()) };
    if (answer.status === 'temporary') return { status: 'unknown', reason: answer.reason };
    const above = name.slice(name.indexOf('.') + 1);
    // Top-level domains are nobody's to mend.
    return above.includes('.') ? zoneOf(above) : { status: 'none' };
  }

  function zoneOf(name: string): Promise<ZoneLookup> {
    const lookup = known.get(name) ?? find(name);
    known.set(name, lookup);
    return lookup;
  }

  async function look<T extends DnsType>(name: string, type: T, hops = 0): Promise<Seen<T>> {
    const [zone, public_] = await Promise.all([zoneOf(name), resolver.query(name, type, signal)]);
    const servers = zone.status === 'ok' ? zone.zone.authorities : [];
    const answers = await Promise.all(
      servers.map(async (server) => ({ server, answer: await server.dns.query(name, type, signal) })),
    );
    const told = answers.filter(({ answer }) => answer.status !== 'temporary');
    const alias = told.length > 0 ? undefined : await aliasOf(servers, name, type);
    if (alias !== undefined && hops < ALIASES_MAX) return look(alias, type, hops + 1);
    return judge(name, public_, told);
  }

  /** A server cannot follow an alias out of its zones, but knows it. */
  async function aliasOf(
    servers: readonly Authority[],
    name: string,
    type: DnsType,
  ): Promise<string | undefined> {
    if (type === 'CNAME') return undefined;
    for (const { dns } of servers) {
      const answer = await dns.query(name, 'CNAME', signal);
      if (answer.status === 'ok') return answer.records[0];
      if (answer.status !== 'temporary') return undefined;
    }
    return undefined;
  }

  return { zoneOf, look: (name, type) => look(name, type) };
}

/** Records in an order and form in which they can be compared. */
function canonical(answer: DnsAnswer): string {
  if (answer.status !== 'ok') return '';
  const texts = answer.records.map((record) =>
    JSON.stringify(typeof record === 'object' && 'text' in record ? record.text : record),
  );
  return texts.toSorted().join('\n');
}

function judge<T extends DnsType>(
  name: string,
  seen: DnsAnswer<T>,
  told: readonly { readonly server: Authority; readonly answer: DnsAnswer<T> }[],
): Seen<T> {
  const authenticated = seen.status !== 'temporary' && seen.authenticated === true;
  const [first] = told;
  if (first === undefined) return { ...result(seen), authenticated };
  const base = { ...result(first.answer), authenticated };
  const trouble = disagreement(first, told) ?? late(name, first.answer, seen);
  return trouble === undefined ? base : { ...base, trouble };
}

function result<T extends DnsType>(
  answer: DnsAnswer<T>,
):
  | { status: 'ok'; records: readonly DnsRecords[T][] }
  | { status: 'none' }
  | { status: 'unknown'; reason: string; servfail: boolean } {
  if (answer.status === 'ok') return { status: 'ok', records: answer.records };
  if (answer.status === 'temporary')
    return { status: 'unknown', reason: answer.reason, servfail: answer.reason.includes('SERVFAIL') };
  return { status: 'none' };
}

type Told = { readonly server: Authority; readonly answer: DnsAnswer };

function disagreement(first: Told, told: readonly Told[]): Trouble | undefined {
  const other = told.find(({ answer }) => canonical(answer) !== canonical(first.answer));
  if (other === undefined) return undefined;
  return {
    state: 'warning',
    found: `The servers of the zone do not agree: ${first.server.host} and ${other.server.host} say different things.`,
    mend: [
      'See that the zone is transferred: the serial numbers of its SOA record must be the same everywhere.',
    ],
  };
}

function late(name: string, own: DnsAnswer, seen: DnsAnswer): Trouble | undefined {
  if (seen.status === 'temporary')
    return {
      state: seen.reason.includes('SERVFAIL') ? 'problem' : 'warning',
      found: `The servers of the zone answer, but the resolver has no answer (${seen.reason}).`,
      mend: [
        `delv ${name}   # says whether DNSSEC is broken; if it is, renew the DS record or the signatures`,
      ],
    };
  if (canonical(own) === canonical(seen)) return undefined;
  const ttl = seen.ttl === undefined ? '' : ` for up to ${seen.ttl} s more`;
  return {
    state: 'warning',
    found: `The resolver still has another answer${ttl}: others see the change only later.`,
    mend: ['Wait, then ask again: postern doctor'],
  };
}
