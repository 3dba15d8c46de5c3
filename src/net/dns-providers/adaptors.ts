import { Refusal } from '../../base/errors.ts';
import type { DnsProvider, RecordChange, RecordSet, RecordType } from './types.ts';
import { longestZone, sameValues } from './values.ts';

/** Two kinds of API exist: some have records with ids, others whole record sets. Each becomes a `DnsProvider` here. */

/** Pages that are read of a list at most. */
export const PAGES_MAX = 1000;

export interface ApiZone {
  /** Bare name, lower case. */
  readonly name: string;
  /** How the provider calls it. */
  readonly id: string;
}

/** One record as the provider keeps it, with its value in canonical form. */
export interface ApiRecord {
  readonly id: string;
  readonly name: string;
  readonly type: RecordType;
  readonly ttl: number;
  readonly value: string;
}

export type NewRecord = Omit<ApiRecord, 'id'>;

/** An API of records with ids. */
export interface RecordApi {
  readonly kind: string;
  zones(): Promise<readonly ApiZone[]>;
  list(zone: ApiZone): Promise<readonly ApiRecord[]>;
  /** Remove first, then add. */
  change(zone: ApiZone, remove: readonly ApiRecord[], add: readonly NewRecord[]): Promise<void>;
}

/** One record set as the provider keeps it: its values as they are written there, and in canonical form. */
export interface ApiSet {
  readonly name: string;
  readonly type: RecordType;
  readonly ttl: number;
  readonly values: readonly { readonly raw: string; readonly value: string }[];
}

/** What a record set is to hold from now on; none: it goes. */
export interface NewSet {
  readonly name: string;
  readonly type: RecordType;
  readonly ttl: number;
  readonly raw: readonly string[];
  /** The set as it was; undefined: it is new. */
  readonly old: ApiSet | undefined;
}

/** An API of whole record sets. */
export interface SetApi {
  readonly kind: string;
  zones(): Promise<readonly ApiZone[]>;
  list(zone: ApiZone): Promise<readonly ApiSet[]>;
  /** A canonical value as it is written there. */
  write(type: RecordType, value: string): string;
  change(zone: ApiZone, sets: readonly NewSet[]): Promise<void>;
}

/** Refusal 'conflict' unless the set holds what the plan was made from. */
export function checkBefore(change: RecordChange, now: readonly string[]): void {
  if (change.before === undefined || sameValues(change.before, now)) return;
  throw new Refusal(
    'conflict',
    `The ${change.type} records of ${change.name} have changed meanwhile; nothing was written. Plan again.`,
  );
}

const keyOf = ({ name, type }: { name: string; type: string }): string => `${type} ${name}`;

/** Zones of the account, asked for once. */
function zoneList(kind: string, ask: () => Promise<readonly ApiZone[]>) {
  let known: Promise<readonly ApiZone[]> | undefined;
  const all = (): Promise<readonly ApiZone[]> => (known ??= ask());
  return {
    async zoneOf(name: string): Promise<string | undefined> {
      return longestZone(
        name,
        (await all()).map((zone) => zone.name),
      );
    },
    async zone(name: string): Promise<ApiZone> {
      const found = (await all()).find((zone) => zone.name === name);
      if (found === undefined) throw new Refusal('not-found', `The account at ${kind} has no zone ${name}.`);
      return found;
    },
  };
}

export function providerOfRecords(api: RecordApi): DnsProvider {
  const zones = zoneList(api.kind, () => api.zones());
  return {
    kind: api.kind,
    zoneOf: (name) => zones.zoneOf(name),
    async read(zone, names) {
      const wanted = new Set(names);
      const records = await api.list(await zones.zone(zone));
      return setsOf(records.filter(({ name }) => wanted.has(name)));
    },
    async change(zone, changes) {
      const place = await zones.zone(zone);
      const records = Map.groupBy(await api.list(place), keyOf);
      const [remove, add]: [ApiRecord[], NewRecord[]] = [[], []];
      for (const change of changes) {
        const there = records.get(keyOf(change)) ?? [];
        const values = there.map(({ value }) => value);
        checkBefore(change, values);
        const ttl = there[0]?.ttl ?? change.ttl;
        remove.push(...there.filter(({ value }) => change.remove.includes(value)));
        for (const value of change.add.filter((each) => !values.includes(each)))
          add.push({ name: change.name, type: change.type, ttl, value });
      }
      if (remove.length + add.length > 0) await api.change(place, remove, add);
    },
  };
}

function setsOf(records: readonly ApiRecord[]): RecordSet[] {
  return [...Map.groupBy(records, keyOf).values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { name, type, ttl } = first;
    return [{ name, type, ttl, values: group.map(({ value }) => value) }];
  });
}

export function providerOfSets(api: SetApi): DnsProvider {
  const zones = zoneList(api.kind, () => api.zones());
  return {
    kind: api.kind,
    zoneOf: (name) => zones.zoneOf(name),
    async read(zone, names) {
      const wanted = new Set(names);
      const sets = await api.list(await zones.zone(zone));
      return sets
        .filter(({ name }) => wanted.has(name))
        .map(({ name, type, ttl, values }) => ({
          name,
          type,
          ttl,
          values: values.map((each) => each.value),
        }));
    },
    async change(zone, changes) {
      const place = await zones.zone(zone);
      const there = new Map((await api.list(place)).map((set) => [keyOf(set), set]));
      const sets: NewSet[] = [];
      for (const change of changes) {
        const old = there.get(keyOf(change));
        const values = old?.values ?? [];
        checkBefore(
          change,
          values.map(({ value }) => value),
        );
        const kept = values.filter(({ value }) => !change.remove.includes(value));
        const missing = change.add.filter((value) => !values.some((each) => each.value === value));
        if (kept.length === values.length && missing.length === 0) continue;
        // What others wrote is handed back octet by octet.
        const raw = [
          ...kept.map((each) => each.raw),
          ...missing.map((value) => api.write(change.type, value)),
        ];
        sets.push({ name: change.name, type: change.type, ttl: old?.ttl ?? change.ttl, raw, old });
      }
      if (sets.length > 0) await api.change(place, sets);
    },
  };
}
