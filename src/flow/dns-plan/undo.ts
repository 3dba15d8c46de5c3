import { z } from 'zod';
import { RECORD_TYPES, type RecordChange, type RecordSet } from '../../net/dns-providers/types.ts';
import { hasMark, markOf } from './mark.ts';
import {
  type DnsPlan,
  type OwnedValue,
  type PlanLine,
  valueKey,
  type ZonePlan,
  type ZoneValue,
} from './types.ts';

/** What a plan did, written before it is done, and how it is taken back. */

const name = z.string().min(1).max(255);
const value = z.string().max(65_535);
const change = z.strictObject({
  name,
  type: z.enum(RECORD_TYPES),
  ttl: z.int().min(0),
  add: z.array(value).max(1000),
  remove: z.array(value).max(1000),
  before: z.array(value).max(1000),
});

export const undoSchema = z.strictObject({
  format: z.literal('postern-dns-undo'),
  version: z.literal(1),
  domain: name,
  /** Milliseconds since the epoch. */
  at: z.number(),
  zones: z.array(z.strictObject({ zone: name, by: name, changes: z.array(change).max(10_000) })).max(100),
});
export type UndoFile = z.output<typeof undoSchema>;

export function undoFileOf(plan: DnsPlan, at: number): UndoFile {
  const zones = plan.zones
    .filter(({ changes }) => changes.length > 0)
    .map(({ zone, by, changes }) => ({
      zone,
      by,
      changes: changes.map(({ name: owner, type, ttl, add, remove, before = [] }) => ({
        name: owner,
        type,
        ttl,
        add: [...add],
        remove: [...remove],
        before: [...before],
      })),
    }));
  return { format: 'postern-dns-undo', version: 1, domain: plan.domain, at, zones };
}

export interface UndoFacts {
  readonly zone: string;
  readonly domain: string;
  readonly done: readonly RecordChange[];
  readonly present: readonly RecordSet[];
  readonly owned: readonly OwnedValue[];
  readonly id: string;
}

/** The way back for one zone: what was added goes where it is still ours, what was removed comes back. */
export function undoZone(
  facts: UndoFacts,
): Pick<ZonePlan, 'lines' | 'changes' | 'own' | 'disown' | 'forget'> {
  const { domain, owned, present, id, zone } = facts;
  const marked = hasMark(zone, id, present);
  const ours = new Map((marked ? owned : []).map((each) => [valueKey(each), each]));
  const mark = markOf(zone, id);
  const [lines, own, disown]: [PlanLine[], OwnedValue[], ZoneValue[]] = [[], [], []];
  const changes: RecordChange[] = [];
  // The mark goes last: only when nothing that it vouches for is left.
  const isMark = (each: RecordChange): boolean => each.name === mark.name;
  for (const each of facts.done.toSorted((a, b) => Number(isMark(a)) - Number(isMark(b)))) {
    const now = present.find((set) => set.name === each.name && set.type === each.type);
    const values = now?.values ?? [];
    const { name: owner, type } = each;
    const remove = each.add.filter((text) => {
      const found = { name: owner, type, value: text };
      if (!values.includes(text)) return false;
      if (isMark(each)) return [...ours.keys()].every((key) => disown.some((gone) => valueKey(gone) === key));
      const mine = ours.get(valueKey(found));
      const free = mine?.domains.every((wanting) => wanting === domain) === true;
      if (free) disown.push(found);
      else lines.push({ ...found, state: 'left', note: leftNote(mine) });
      return free;
    });
    const add = each.remove.filter((text) => !values.includes(text));
    own.push(...add.map((text) => ({ name: owner, type, value: text, domains: [domain] })));
    lines.push(...remove.map((text): PlanLine => ({ name: owner, type, value: text, state: 'remove' })));
    lines.push(...add.map((text): PlanLine => ({ name: owner, type, value: text, state: 'add' })));
    if (add.length + remove.length > 0)
      changes.push({ name: owner, type, ttl: now?.ttl ?? each.ttl, add, remove, before: values });
  }
  return { lines, changes, own, disown, forget: false };
}

function leftNote(mine: OwnedValue | undefined): string {
  return mine === undefined ? 'It is not ours any more.' : `${mine.domains.join(', ')} want it too.`;
}
