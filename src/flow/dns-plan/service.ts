import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { errorText, Refusal } from '../../base/errors.ts';
import { randomToken, timeId } from '../../base/ids.ts';
import type { Actor } from '../../data/directory/types.ts';
import type { Store } from '../../data/store.ts';
import type { DnsRecord } from '../../mail/dns-records.ts';
import { openProvider } from '../../net/dns-providers/create.ts';
import { type DnsProvider, isRecordType } from '../../net/dns-providers/types.ts';
import { bareName } from '../../net/dns-providers/values.ts';
import { diffZone, valuesOf } from './diff.ts';
import { markOf } from './mark.ts';
import { type DnsSettings, dnsSettingsSchema, providerFor } from './settings.ts';
import {
  type DnsPlan,
  type OwnedValue,
  type PlanLine,
  planSize,
  valueKey,
  type ZonePlan,
  type ZoneValue,
} from './types.ts';
import { type UndoFile, undoFileOf, undoZone } from './undo.ts';

/** Plans for zones that others serve for us: made from what is there, done as they were shown, taken back. */

const ID_SETTING = 'dns-owner-id';
const ID_LENGTH = 16;
/** Where undo files go, in the data directory. */
const UNDO_DIRECTORY = 'dns-undo';

export interface DnsPlanDeps {
  readonly store: Pick<Store, 'read' | 'write'>;
  readonly clock: Clock;
}

export interface Wanted {
  readonly domain: string;
  readonly records: readonly DnsRecord[];
  /** Write MX, addresses and SRV beside those of others. */
  readonly beside: boolean;
}

export async function dnsSettings({ store }: Pick<DnsPlanDeps, 'store'>): Promise<DnsSettings> {
  return dnsSettingsSchema.parse(JSON.parse((await store.read.run('dns.settings', null)) ?? '{}'));
}

/** Accounts are opened once for a plan. */
export function openAccounts(settings: DnsSettings, clock: Clock) {
  const opened = new Map<string, Promise<DnsProvider>>();
  /** Who serves the zone of a name; undefined: nobody that is set up. Refusals of providers name the entry. */
  return async (name: string): Promise<Account | undefined> => {
    const found = providerFor(settings, name);
    if (found === undefined) return undefined;
    const { key, provider: place } = found;
    let opening = opened.get(key);
    if (opening === undefined) opened.set(key, (opening = openProvider(place, clock)));
    const provider = await opening;
    const zone = await provider.zoneOf(name);
    return zone === undefined ? undefined : { by: key, provider, zone };
  };
}

export interface Account {
  /** Entry of the settings. */
  readonly by: string;
  readonly provider: DnsProvider;
  readonly zone: string;
}

/** What would be done so that a domain's records are published. Changes nothing. */
export async function planDns(deps: DnsPlanDeps, wanted: Wanted): Promise<DnsPlan> {
  return (await prepare(deps, wanted)).plan;
}

interface Prepared {
  readonly plan: DnsPlan;
  readonly accounts: ReadonlyMap<string, Account>;
}

async function prepare(deps: DnsPlanDeps, { domain, records, beside }: Wanted): Promise<Prepared> {
  const settings = await needSettings(deps);
  const accountOf = openAccounts(settings, deps.clock);
  const id = await ownerId(deps);
  const accounts = new Map<string, Account>();
  const byZone = new Map<string, DnsRecord[]>();
  const elsewhere: PlanLine[] = [];
  for (const record of records) {
    const usable = record.elsewhere !== true && isRecordType(record.type);
    const account = usable ? await accountOf(bareName(record.name)) : undefined;
    if (account === undefined) elsewhere.push(elsewhereLine(record));
    else {
      accounts.set(account.zone, account);
      byZone.set(account.zone, [...(byZone.get(account.zone) ?? []), record]);
    }
  }
  // What we wrote in zones where the domain wants nothing any more.
  for (const zone of await deps.store.read.run('dns.zones', null)) {
    if (accounts.has(zone)) continue;
    const rows = await ownedIn(deps, zone);
    const account = rows.some(({ domains }) => domains.includes(domain)) ? await accountOf(zone) : undefined;
    if (account?.zone === zone) accounts.set(zone, account);
  }
  const zones: ZonePlan[] = [];
  for (const [zone, { by, provider }] of accounts) {
    const mine = byZone.get(zone) ?? [];
    const owned = await ownedIn(deps, zone);
    const names = new Set([markOf(zone, id).name, ...mine.map(({ name }) => bareName(name))]);
    for (const { name } of owned) names.add(name);
    const present = await provider.read(zone, [...names]);
    const signed = settings.signed.includes(zone);
    const diff = diffZone({
      zone,
      domain,
      wanted: mine,
      present,
      owned,
      id,
      ttl: settings.ttl,
      signed,
      beside,
    });
    zones.push({ zone, by, kind: provider.kind, ...diff });
  }
  return { plan: { domain, zones, elsewhere, digest: digestOf(zones) }, accounts };
}

async function needSettings(deps: DnsPlanDeps): Promise<DnsSettings> {
  const settings = await dnsSettings(deps);
  if (Object.keys(settings.zones).length === 0)
    throw new Refusal(
      'unavailable',
      'No DNS provider is set up: "postern dns use ZONE KIND --credentials FILE" names one.',
    );
  return settings;
}

function elsewhereLine({ name, type, value, why, elsewhere }: DnsRecord): PlanLine {
  const note =
    elsewhere === true
      ? 'It is set where the address is rented.'
      : 'No provider is set up that has this zone: set it by hand.';
  return { state: 'by-hand', name, type, value, why, note };
}

function digestOf(zones: readonly ZonePlan[]): string {
  const facts = zones.map(({ zone, by, changes }) => ({ zone, by, changes }));
  return createHash('sha256').update(JSON.stringify(facts)).digest('base64url').slice(0, 22);
}

async function ownedIn({ store }: DnsPlanDeps, zone: string): Promise<OwnedValue[]> {
  const rows = await store.read.run('dns.owned', { zone });
  return rows.flatMap(({ type, ...row }) => (isRecordType(type) ? [{ ...row, type }] : []));
}

async function ownerId({ store }: DnsPlanDeps): Promise<string> {
  return store.write.run('directory.ensureSetting', { name: ID_SETTING, value: randomToken(ID_LENGTH) });
}

export interface Doing {
  readonly actor: Actor;
  /** Of the plan that was shown. */
  readonly digest: string;
  readonly dataDirectory: string;
}

export interface Done {
  readonly added: number;
  readonly removed: number;
  /** File that takes it back; undefined: there was nothing to do. */
  readonly undoFile: string | undefined;
}

/** Do what a plan showed. Refusal 'conflict' when the same would not be done any more; nothing is changed then. */
export async function applyDns(deps: DnsPlanDeps, wanted: Wanted, doing: Doing): Promise<Done> {
  return carryOut(deps, await prepare(deps, wanted), doing);
}

/** What would be done to take back what a file says was done. Changes nothing. */
export async function planUndo(deps: DnsPlanDeps, file: UndoFile): Promise<DnsPlan> {
  return (await prepareUndo(deps, file)).plan;
}

export async function applyUndo(deps: DnsPlanDeps, file: UndoFile, doing: Doing): Promise<Done> {
  return carryOut(deps, await prepareUndo(deps, file), doing);
}

async function prepareUndo(deps: DnsPlanDeps, { domain, zones: done }: UndoFile): Promise<Prepared> {
  const accountOf = openAccounts(await needSettings(deps), deps.clock);
  const id = await ownerId(deps);
  const accounts = new Map<string, Account>();
  const zones: ZonePlan[] = [];
  for (const { zone, changes } of done) {
    const account = await accountOf(zone);
    if (account?.zone !== zone)
      throw new Refusal('not-found', `No provider is set up that has the zone ${zone}.`);
    accounts.set(zone, account);
    const names = new Set([markOf(zone, id).name, ...changes.map(({ name }) => name)]);
    const present = await account.provider.read(zone, [...names]);
    const diff = undoZone({ zone, domain, done: changes, present, owned: await ownedIn(deps, zone), id });
    zones.push({ zone, by: account.by, kind: account.provider.kind, ...diff });
  }
  return { plan: { domain, zones, elsewhere: [], digest: digestOf(zones) }, accounts };
}

async function carryOut(deps: DnsPlanDeps, { plan, accounts }: Prepared, doing: Doing): Promise<Done> {
  if (plan.digest !== doing.digest)
    throw new Refusal(
      'conflict',
      'The zones have changed since the plan was shown; nothing was written. Plan again.',
    );
  const { add, remove } = planSize(plan);
  const undoFile = add + remove === 0 ? undefined : await writeUndo(deps, plan, doing.dataDirectory);
  const finished: string[] = [];
  for (const zone of plan.zones) {
    const account = accounts.get(zone.zone);
    if (account === undefined) continue;
    try {
      await changeZone(deps, zone, account, doing.actor);
      if (zone.changes.length > 0) finished.push(zone.zone);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const before =
        finished.length === 0 ? '' : ` ${finished.join(', ')} is done: postern dns undo ${undoFile}`;
      throw new Refusal(error.kind, `${zone.zone}: ${error.message}${before}`);
    }
  }
  return { added: add, removed: remove, undoFile };
}

/** Remembered as ours first: a crash between leaves us with values that are not there, never with ones nobody owns. */
async function changeZone(
  deps: DnsPlanDeps,
  plan: ZonePlan,
  { provider }: Account,
  actor: Actor,
): Promise<void> {
  const { zone, own, disown, forget, changes } = plan;
  const known = new Map((forget ? [] : await ownedIn(deps, zone)).map((row) => [valueKey(row), row]));
  const { write } = deps.store;
  if (own.length > 0 || forget) await write.run('dns.own', { actor, zone, forget, own, disown: [] });
  try {
    if (changes.length > 0) await provider.change(zone, changes);
  } catch (error) {
    const before = own.flatMap((row) => known.get(valueKey(row)) ?? []);
    const fresh = own.filter((row) => !known.has(valueKey(row)));
    const untouched = error instanceof Refusal && error.kind === 'conflict';
    const written = untouched ? new Set<string>() : await writtenOf(provider, zone, fresh);
    const lost = fresh.filter((row) => !written.has(valueKey(row)));
    await write.run('dns.own', { actor, zone, own: before, disown: lost });
    throw error;
  }
  if (disown.length > 0) await write.run('dns.own', { actor, zone, own: [], disown });
}

/** Which of these stand in the zone after a change that failed in its middle; all, when nobody can tell. */
async function writtenOf(
  provider: DnsProvider,
  zone: string,
  values: readonly ZoneValue[],
): Promise<ReadonlySet<string>> {
  try {
    const present = await provider.read(zone, [...new Set(values.map(({ name }) => name))]);
    return new Set(present.flatMap(valuesOf).map(valueKey));
  } catch {
    return new Set(values.map(valueKey));
  }
}

async function writeUndo({ clock }: DnsPlanDeps, plan: DnsPlan, dataDirectory: string): Promise<string> {
  const directory = join(dataDirectory, UNDO_DIRECTORY);
  const path = join(directory, `${plan.domain}-${timeId(clock.now())}.json`);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await using file = await open(path, 'wx', 0o600);
    await file.writeFile(`${JSON.stringify(undoFileOf(plan, clock.now()), undefined, 2)}\n`);
    await file.sync();
  } catch (error) {
    throw new Refusal(
      'unavailable',
      `The undo file ${path} cannot be written, so nothing was done: ${errorText(error)}.`,
    );
  }
  return path;
}
