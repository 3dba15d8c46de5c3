import { point, type WriteFunction } from '../catalogue.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { putSetting, settingByName } from '../directory/directory.sql.ts';
import { saveSetting } from '../directory/site-settings.ts';
import { audit, requireAdmin } from '../directory/permission.ts';
import type { Actor } from '../directory/types.ts';

/**
 * Zones that others serve for us: who does (JSON, flow/dns-plan/settings.ts), and which values in them we wrote. These
 * stand under a name for each zone, with a list of the zones beside them.
 */
const SETTINGS = 'dns-providers';
const ZONES = 'dns-owned';
const ofZone = (zone: string): string => `dns-owned.${zone}`;

/** A value that we wrote into a zone, for these domains. */
export interface OwnedRow {
  readonly name: string;
  readonly type: string;
  readonly value: string;
  readonly domains: readonly string[];
}

async function settings(tx: ReadTx): Promise<string | undefined> {
  return (await tx.get(settingByName, SETTINGS))?.value;
}

async function list<T>(tx: ReadTx, name: string): Promise<readonly T[]> {
  const json = (await tx.get(settingByName, name))?.value;
  return json === undefined ? [] : (JSON.parse(json) as T[]);
}

function saveSettings(
  tx: WriteTx,
  { actor, json, what }: { actor: Actor; json: string; what: string },
): Promise<null> {
  return saveSetting(tx, { actor, name: SETTINGS, json, action: 'dns.settings', subject: what });
}

export interface OwnChange {
  readonly actor: Actor;
  readonly zone: string;
  /** Forget all that was ours there first. */
  readonly forget?: boolean | undefined;
  /** Ours from now on, for these domains; replaces what is remembered of the same value. */
  readonly own: readonly OwnedRow[];
  readonly disown: readonly Omit<OwnedRow, 'domains'>[];
}

const keyOf = ({ name, type, value }: Omit<OwnedRow, 'domains'>): string => `${name} ${type} ${value}`;

/** Remember which values in a zone are ours. Refusal 'not-permitted'. */
async function own(tx: WriteTx, args: OwnChange): Promise<null> {
  requireAdmin(args.actor);
  const { zone } = args;
  const before = args.forget === true ? [] : await list<OwnedRow>(tx, ofZone(zone));
  const rows = new Map(before.map((row) => [keyOf(row), row]));
  for (const { name, type, value, domains } of args.own)
    rows.set(keyOf({ name, type, value }), { name, type, value, domains });
  for (const row of args.disown) rows.delete(keyOf(row));
  await tx.run(putSetting, ofZone(zone), JSON.stringify([...rows.values()]));
  const zones = await list<string>(tx, ZONES);
  if (!zones.includes(zone)) await tx.run(putSetting, ZONES, JSON.stringify([...zones, zone]));
  await audit(tx, args.actor, 'dns.own', zone, { own: args.own.length, disown: args.disown.length });
  return null;
}

export const reads = {
  /** Undefined: none were ever set. */
  'dns.settings': point((tx: ReadTx, _args: null) => settings(tx)),
  /** Zones that we wrote in. */
  'dns.zones': point((tx: ReadTx, _args: null) => list<string>(tx, ZONES)),
  'dns.owned': point((tx: ReadTx, args: { zone: string }) => list<OwnedRow>(tx, ofZone(args.zone))),
} as const;

export const writes = {
  'dns.saveSettings': saveSettings as WriteFunction<Parameters<typeof saveSettings>[1], null>,
  'dns.own': own as WriteFunction<OwnChange, null>,
} as const;
