import type { DnsRecord } from '../../mail/dns-records.ts';
import {
  isRecordType,
  type RecordChange,
  type RecordSet,
  type RecordType,
} from '../../net/dns-providers/types.ts';
import { bareName, canonicalValue } from '../../net/dns-providers/values.ts';
import { obstacle } from './foreign.ts';
import { hasMark, markOf } from './mark.ts';
import { type OwnedValue, type PlanLine, valueKey, type ZonePlan, type ZoneValue } from './types.ts';

/** What has to be done so that a zone holds what a domain wants: pure, from what is there and what is ours. */

export interface ZoneFacts {
  readonly zone: string;
  readonly domain: string;
  /** Records that the domain wants in this zone. */
  readonly wanted: readonly DnsRecord[];
  /** What stands at their names, at those of `owned`, and at the mark's. */
  readonly present: readonly RecordSet[];
  /** What the store remembers of this zone, for all domains. */
  readonly owned: readonly OwnedValue[];
  /** Of this installation. */
  readonly id: string;
  /** Seconds. */
  readonly ttl: number;
  /** The zone is signed with DNSSEC. */
  readonly signed: boolean;
  /** Write MX, addresses and SRV beside those of others. */
  readonly beside: boolean;
}

export type ZoneDiff = Pick<ZonePlan, 'lines' | 'changes' | 'own' | 'disown' | 'forget'>;

export function diffZone(facts: ZoneFacts): ZoneDiff {
  const { zone, domain, id } = facts;
  const marked = hasMark(zone, id, facts.present);
  const owned = marked ? facts.owned : [];
  const ours = new Map(owned.map((value) => [valueKey(value), value]));
  const there = new Set(facts.present.flatMap(valuesOf).map(valueKey));
  const wanted = new Map(facts.wanted.map((record) => [valueKey(wantedValue(record)), record]));
  const stale = owned.filter((value) => value.domains.includes(domain) && !wanted.has(valueKey(value)));
  const goes = stale.filter((value) => value.domains.length === 1);

  const lines: PlanLine[] = [];
  const add: ZoneValue[] = [];
  const own: OwnedValue[] = [];
  for (const [key, record] of wanted) {
    const value = wantedValue(record);
    const mine = ours.get(key);
    const line = lineOf(facts, record, {
      there: there.has(key),
      mine: mine !== undefined,
      ours,
      goes,
      wanted,
    });
    lines.push(line);
    if (line.state === 'add') add.push(value);
    // One that stands there already and that we did not write stays somebody else's.
    if (line.state === 'add' || (mine !== undefined && line.state === 'there'))
      own.push({ ...value, domains: [...new Set([...(mine?.domains ?? []), domain])] });
  }
  const remove = goes.filter((value) => there.has(valueKey(value)));
  lines.push(...remove.map(removal));
  own.push(...stale.filter((value) => value.domains.length > 1).map((value) => without(value, domain)));
  if (!marked && add.length > 0) {
    const mark = markOf(zone, id);
    // First: a change that fails in its middle leaves nothing that the mark does not vouch for.
    add.unshift(mark);
    lines.push({ ...mark, state: 'add', why: 'Marks the zone as one that this server writes in.' });
  }
  return {
    lines,
    changes: changesOf(facts, add, remove),
    own,
    disown: goes,
    forget: !marked && facts.owned.length > 0,
  };
}

function removal(value: ZoneValue): PlanLine {
  const { name, type } = value;
  return { state: 'remove', name, type, value: value.value, why: 'We wrote it, and it is wanted no longer.' };
}

function without(value: OwnedValue, domain: string): OwnedValue {
  return { ...value, domains: value.domains.filter((each) => each !== domain) };
}

function wantedValue({ name, type, value }: DnsRecord): ZoneValue {
  // The types of the table are those of providers but PTR, which is never in a zone of ours (`elsewhere`).
  const kind: RecordType = isRecordType(type) ? type : 'TXT';
  return { name: bareName(name), type: kind, value: canonicalValue(kind, value) };
}

export function valuesOf({ name, type, values }: RecordSet): ZoneValue[] {
  return values.map((value) => ({ name, type, value }));
}

interface Standing {
  readonly there: boolean;
  readonly mine: boolean;
  readonly ours: ReadonlyMap<string, OwnedValue>;
  /** Values of ours that are taken out by the same plan. */
  readonly goes: readonly ZoneValue[];
  readonly wanted: ReadonlyMap<string, DnsRecord>;
}

function lineOf(facts: ZoneFacts, record: DnsRecord, standing: Standing): PlanLine {
  const { there, mine, ours, goes, wanted } = standing;
  const value = wantedValue(record);
  const base = { ...value, why: record.why };
  if (there)
    return {
      ...base,
      state: 'there',
      ...(!mine && { note: 'It was there already: it is not ours, and stays.' }),
    };
  if (record.onlyIf !== undefined && !facts.signed)
    return { ...base, state: 'left', note: `Only if ${record.onlyIf}: say so by postern dns set signed.` };
  const leaving = new Set(goes.map(valueKey));
  const at = facts.present.filter(({ name }) => name === value.name);
  const theirs = at.flatMap(valuesOf).filter((each) => !leaving.has(valueKey(each)));
  const foreign = theirs.filter((each) => !ours.has(valueKey(each)) && !wanted.has(valueKey(each)));
  const note = obstacle({
    ...value,
    sameType: foreign.filter(({ type }) => type === value.type).map((each) => each.value),
    // Even one of ours, which another domain wants, is no neighbour of an alias.
    otherTypes: [...new Set(theirs.filter(({ type }) => type !== value.type).map(({ type }) => type))],
    beside: facts.beside,
  });
  if (note !== undefined) return { ...base, state: 'by-hand', note };
  const warning = value.type === 'CAA' ? caaWarning(at) : undefined;
  return { ...base, state: 'add', ...(warning !== undefined && { note: warning }) };
}

/** RFC 8659 section 3: without any CAA record every authority may issue. */
function caaWarning(at: readonly RecordSet[]): string | undefined {
  if (at.some(({ type }) => type === 'CAA')) return undefined;
  return 'It is the first CAA record here: authorities that it does not name may no longer issue for this domain.';
}

function changesOf(
  facts: ZoneFacts,
  add: readonly ZoneValue[],
  remove: readonly ZoneValue[],
): RecordChange[] {
  const place = ({ name, type }: ZoneValue): string => `${name} ${type}`;
  const [adding, removing] = [Map.groupBy(add, place), Map.groupBy(remove, place)];
  const places = new Map([...remove, ...add].map((value) => [place(value), value]));
  return [...places].map(([key, { name, type }]) => {
    const set = facts.present.find((each) => each.name === name && each.type === type);
    return {
      name,
      type,
      ttl: set?.ttl ?? facts.ttl,
      add: (adding.get(key) ?? []).map(({ value }) => value),
      remove: (removing.get(key) ?? []).map(({ value }) => value),
      before: set?.values ?? [],
    };
  });
}
