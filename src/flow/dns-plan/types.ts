import type { RecordChange, RecordType } from '../../net/dns-providers/types.ts';

/** One value in a zone. */
export interface ZoneValue {
  /** Fully qualified, lower case, without the final dot. */
  readonly name: string;
  readonly type: RecordType;
  /** In canonical form (net/dns-providers/values.ts). */
  readonly value: string;
}

/** A value that we wrote, and for whom: several domains may want the same address of their host. */
export interface OwnedValue extends ZoneValue {
  readonly domains: readonly string[];
}

/**
 * What is to be done about one value. `there`: nothing, it stands there. `by-hand`: a person has to, the note says what:
 * values of others are never changed. `left`: not written, the note says why.
 */
export type PlanState = 'there' | 'add' | 'remove' | 'by-hand' | 'left';

export interface PlanLine {
  readonly state: PlanState;
  readonly name: string;
  readonly type: string;
  readonly value: string;
  /** What it is for. */
  readonly why?: string;
  /** What a person should know or do. */
  readonly note?: string;
}

/** What becomes of one zone. */
export interface ZonePlan {
  readonly zone: string;
  /** Entry of the settings it is done by, and its kind. */
  readonly by: string;
  readonly kind: string;
  readonly lines: readonly PlanLine[];
  readonly changes: readonly RecordChange[];
  /** Ours from then on, and no longer. */
  readonly own: readonly OwnedValue[];
  readonly disown: readonly ZoneValue[];
  /** The mark was taken out of the zone: what is remembered of it holds no more. */
  readonly forget: boolean;
}

export interface DnsPlan {
  readonly domain: string;
  readonly zones: readonly ZonePlan[];
  /** Records of zones that nobody is set up for. */
  readonly elsewhere: readonly PlanLine[];
  /** Over all that would be changed: two plans with the same digest do the same. */
  readonly digest: string;
}

/** Values are the same when name, type and canonical form are. */
export function valueKey({ name, type, value }: ZoneValue): string {
  return `${name} ${type} ${value}`;
}

/** How many values would be added and removed. */
export function planSize(plan: Pick<DnsPlan, 'zones'>): { readonly add: number; readonly remove: number } {
  const changes = plan.zones.flatMap((zone) => zone.changes);
  return {
    add: changes.reduce((sum, change) => sum + change.add.length, 0),
    remove: changes.reduce((sum, change) => sum + change.remove.length, 0),
  };
}
