import type { Answer } from 'dns-packet';
import type { Clock } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { randomToken } from '../../base/ids.ts';
import { checkBefore } from './adaptors.ts';
import {
  type DnsAnswer,
  type DnsServerPlace,
  type DnsSession,
  severalAtOnce,
  withSession,
} from './dns-session.ts';
import { parseTsigKey } from './tsig.ts';
import {
  type DnsProvider,
  RECORD_TYPES,
  type RecordChange,
  type RecordSet,
  type RecordType,
} from './types.ts';
import { bareName, inZone, sameValues } from './values.ts';
import { CLASSES, encodeData, encodeUpdate, type UpdateRecord, type WireRecord, wireRecord } from './wire.ts';

/** A name server that takes updates (RFC 2136) signed by TSIG: BIND, Knot, PowerDNS, Windows and others. */

export interface Rfc2136Options {
  readonly clock: Clock;
  /** The primary server of the zones. */
  readonly host: string;
  readonly port: number;
  /** Text with the TSIG key. */
  readonly credentials: string;
}

const NOERROR = 0;
const NXDOMAIN = 3;
/** Characters of a label that nobody has. */
const NOBODY_LENGTH = 16;

export function rfc2136({ clock, host, port, credentials }: Rfc2136Options): DnsProvider {
  const place: DnsServerPlace = { host, port, key: parseTsigKey(credentials), clock };
  return {
    kind: 'rfc2136',
    zoneOf: (name) => withSession(place, (session) => zoneOf(session, bareName(name))),
    read: (zone, names) =>
      withSession(place, async (session) => {
        const found = await severalAtOnce(names, (name) => readName(session, name));
        return found.flat().map(({ name, type, ttl, values }) => ({ name, type, ttl, values }));
      }),
    change: (zone, changes) => withSession(place, (session) => update(session, zone, changes)),
  };
}

/** The server that has a zone names its SOA, in the answer or, for other names in it, as authority (RFC 2308). */
async function zoneOf(session: DnsSession, name: string): Promise<string | undefined> {
  const labels = name.split('.');
  for (let i = 0; i < labels.length; i++) {
    const { packet } = await session.query(labels.slice(i).join('.'), 'SOA');
    if (!packet.flag_aa) continue;
    const records = [...(packet.answers ?? []), ...(packet.authorities ?? [])];
    const soa = records.find((record) => record.type === 'SOA');
    const owner = soa === undefined ? undefined : bareName(soa.name);
    if (owner !== undefined && inZone(name, owner)) return owner;
  }
  return undefined;
}

interface WireSet extends RecordSet {
  readonly records: readonly WireRecord[];
}

/** All that stands at a name; what a wildcard above it gives does not. */
async function readName(session: DnsSession, name: string): Promise<WireSet[]> {
  const sets: WireSet[] = [];
  // The alias first: asked for another type a server follows it, and "no such name" would be said of its target.
  for (const type of ['CNAME', ...RECORD_TYPES.filter((each) => each !== 'CNAME')] as const) {
    const answer = await session.query(name, type);
    if (answer.rcode === NXDOMAIN) return [];
    const records = recordsAt(answer, name, type);
    if (records.length > 0) sets.push(setOf(name, type, records));
    if (type === 'CNAME' && records.length > 0) break;
  }
  if (sets.length === 0) return [];
  // RFC 4592 section 2.2.1: below a name that is there a wildcard above it gives nothing.
  const nobody = `${randomToken(NOBODY_LENGTH)}.${name}`;
  if (nobody.length > 253) return sets;
  const own = await Promise.all(
    sets.map(async (set) => {
      const given = recordsAt(await session.query(nobody, set.type), nobody, set.type);
      const values = given.map(({ value }) => value);
      return given.length === 0 || !sameValues(values, set.values);
    }),
  );
  return sets.filter((_, i) => own[i]);
}

function setOf(name: string, type: RecordType, records: readonly WireRecord[]): WireSet {
  return { name, type, ttl: records[0]?.ttl ?? 0, values: records.map(({ value }) => value), records };
}

function recordsAt({ rcode, packet }: DnsAnswer, name: string, type: RecordType): WireRecord[] {
  if (rcode === NXDOMAIN) return [];
  if (rcode !== NOERROR) throw refusalOf(rcode, name);
  return (packet.answers ?? []).flatMap((answer: Answer) => {
    if (answer.type !== type || bareName(answer.name) !== name) return [];
    const record = wireRecord(answer);
    return record === undefined ? [] : [record];
  });
}

/** One message: all of it is done, or nothing (RFC 2136 section 3). */
async function update(session: DnsSession, zone: string, changes: readonly RecordChange[]): Promise<void> {
  const names = [...new Set(changes.map(({ name }) => name))];
  const there = (await severalAtOnce(names, (name) => readName(session, name))).flat();
  const prerequisites: UpdateRecord[] = [];
  const removals: UpdateRecord[] = [];
  const additions: UpdateRecord[] = [];
  for (const { name, type, ttl, add, remove, ...change } of changes) {
    const set = there.find((each) => each.name === name && each.type === type);
    const values = set?.values ?? [];
    checkBefore({ name, type, ttl, add, remove, ...change }, values);
    const records = set?.records ?? [];
    prerequisites.push(...prerequisite(name, type, records));
    for (const { data } of records.filter(({ value }) => remove.includes(value)))
      removals.push({ name, type, class: CLASSES.none, ttl: 0, data });
    for (const value of add.filter((each) => !values.includes(each)))
      additions.push({ name, type, class: CLASSES.in, ttl: set?.ttl ?? ttl, data: encodeData(type, value) });
  }
  const updates = [...removals, ...additions];
  if (updates.length === 0) return;
  const { rcode } = await session.exchange((id) => encodeUpdate(id, zone, prerequisites, updates));
  if (rcode !== NOERROR) throw refusalOf(rcode, zone);
}

/** Nobody has changed the set since it was read (RFC 2136 sections 2.4.2 and 2.4.3). */
function prerequisite(name: string, type: RecordType, records: readonly WireRecord[]): UpdateRecord[] {
  if (records.length === 0) return [{ name, type, class: CLASSES.none, ttl: 0 }];
  return records.map(({ data }) => ({ name, type, class: CLASSES.in, ttl: 0, data }));
}

/** RFC 2136 section 2.2. */
function refusalOf(rcode: number, what: string): Refusal {
  switch (rcode) {
    case 5:
      return new Refusal(
        'not-permitted',
        `The DNS server refuses this for ${what}: the key must be allowed to query and update the zone there.`,
      );
    case 6:
    case 7:
    case 8:
      return new Refusal(
        'conflict',
        `The records of ${what} have changed meanwhile; nothing was written. Plan again.`,
      );
    case 9:
      return new Refusal(
        'not-permitted',
        `The DNS server is not the primary of ${what}, or the key may not update it.`,
      );
    case 10:
      return new Refusal('bad-input', `A name does not lie in the zone ${what}.`);
    case 1:
    case 4:
      return new Refusal('unavailable', `The DNS server takes no updates for ${what}.`);
    default:
      return new Refusal('unavailable', `The DNS server failed for ${what} (response code ${rcode}).`);
  }
}
