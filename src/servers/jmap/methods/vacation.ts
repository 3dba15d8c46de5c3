import type { Actor } from '../../../data/directory/types.ts';
import type { Store } from '../../../data/store.ts';
import { generate } from '../../../flow/sieve/generate.ts';
import { type SieveSettings, sieveSettingsSchema, storedSettings } from '../../../flow/sieve/settings.ts';
import { isTime } from '../../../flow/sieve/vacation.ts';
import { compile, SIEVE_LIMITS } from '../../../mail/sieve/index.ts';
import { formatUtc, idsArg, orNull, parseUtc, pick, propertiesArg, setArgs } from '../args.ts';
import { type Context, method, type Method, ownView, shortHash } from '../context.ts';
import { invalidProperties, MethodError, setErrorFrom, SetError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { CAPABILITY } from '../limits.ts';
import { patched, patchedProperties } from '../patch.ts';
import { accountText, type View } from '../view.ts';
import { SetResult } from './standard.ts';

/** VacationResponse (RFC 8621 section 8): the one of the settings that `postern vacation` shows too. */
const PROPERTIES: readonly string[] = [
  'id',
  'isEnabled',
  'fromDate',
  'toDate',
  'subject',
  'textBody',
  'htmlBody',
];

interface Kept {
  readonly settings: SieveSettings;
  readonly state: string;
}

async function kept(read: Store['read'], { accountId, mark }: View): Promise<Kept> {
  const row = await read.run('sieve.settings', { accountId });
  const settings = storedSettings(row?.settings);
  return { settings, state: shortHash(JSON.stringify([mark, toObject(settings)])) };
}

export async function vacationState(read: Store['read'], view: View): Promise<string> {
  return (await kept(read, view)).state;
}

function toObject({ vacation }: SieveSettings): JsonObject {
  return {
    id: 'singleton',
    isEnabled: vacation?.enabled ?? false,
    fromDate: timeOf(vacation?.from, 0),
    toDate: timeOf(vacation?.until, 1),
    subject: vacation?.subject ?? null,
    textBody: vacation?.text ?? null,
    htmlBody: vacation?.html ?? null,
  };
}

/** A day begins at midnight of the server's time zone; the last one ends `days` later. */
function timeOf(moment: string | undefined, days: number): string | null {
  if (moment === undefined) return null;
  if (isTime(moment)) return moment;
  const [year = 0, month = 1, day = 1] = moment.split('-').map(Number);
  return formatUtc(new Date(year, month - 1, day + days).getTime());
}

async function get(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await ownView(context, args);
  const ids = idsArg(args);
  const properties = propertiesArg(args, (name) => PROPERTIES.includes(name));
  const { settings, state } = await kept(context.options.store.read, view);
  const wanted = ids === undefined || ids.includes('singleton');
  return {
    accountId: accountText(view),
    state,
    list: wanted ? [pick(toObject(settings), properties)] : [],
    notFound: (ids ?? []).filter((id) => id !== 'singleton'),
  };
}

/** To the second, for so do scripts tell the time. */
function time(object: JsonObject, name: 'fromDate' | 'toDate'): string | undefined {
  const value = object[name] ?? null;
  if (value === null) return undefined;
  const ms = parseUtc(value);
  if (ms === undefined) throw invalidProperties([name], `${name} must be a UTC date.`);
  return formatUtc(Math.floor(ms / 1000) * 1000);
}

function text(object: JsonObject, name: string): string | undefined {
  const value = object[name] ?? null;
  if (value === null) return undefined;
  if (typeof value !== 'string') throw invalidProperties([name], `${name} must be a string.`);
  return value.trim() === '' ? undefined : value;
}

/** Which property a setting is. */
const PROPERTY_OF: Readonly<Record<string, string>> = {
  from: 'fromDate',
  until: 'toDate',
  subject: 'subject',
  text: 'textBody',
  html: 'htmlBody',
};

/** `object`: all properties, as they shall be. What has no property here stays, and so do days that nobody changed. */
function fromObject(object: JsonObject, before: SieveSettings): SieveSettings {
  const { isEnabled } = object;
  if (typeof isEnabled !== 'boolean')
    throw invalidProperties(['isEnabled'], 'isEnabled must be true or false.');
  const { vacation } = before;
  const shown = toObject(before);
  const settings = {
    from: object['fromDate'] === shown['fromDate'] ? vacation?.from : time(object, 'fromDate'),
    until: object['toDate'] === shown['toDate'] ? vacation?.until : time(object, 'toDate'),
    subject: text(object, 'subject'),
    text: text(object, 'textBody'),
    html: text(object, 'htmlBody'),
  };
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  const { days, addresses } = vacation ?? {};
  const parsed = sieveSettingsSchema.safeParse({
    ...before,
    vacation: { days, addresses, enabled: isEnabled, ...Object.fromEntries(given) },
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const property = PROPERTY_OF[String(issue?.path[1])];
  throw invalidProperties(property === undefined ? [] : [property], issue?.message ?? 'not valid');
}

/** What is not as it was asked for (RFC 8620 section 5.3); null where all is. */
function changedBeyond(wanted: JsonObject, after: JsonObject): JsonObject | null {
  return orNull(Object.fromEntries(Object.entries(after).filter(([name, value]) => value !== wanted[name])));
}

async function set(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await ownView(context, args);
  const { store } = context.options;
  const { create, update, destroy, ifInState } = setArgs(args);
  const before = await kept(store.read, view);
  if (ifInState !== undefined && ifInState !== before.state) throw new MethodError('stateMismatch');
  const result = new SetResult();
  for (const [key] of create) result.notCreated[key] = { type: 'singleton' };
  for (const id of destroy) result.notDestroyed[id] = { type: 'singleton' };
  for (const [id, patch] of update) {
    try {
      if (id !== 'singleton') throw new SetError('notFound');
      const wanted = patched(toObject(before.settings), patch);
      const unknown = patchedProperties(patch).filter(
        (name) => !PROPERTIES.includes(name) || (name === 'id' && wanted[name] !== id),
      );
      if (unknown.length > 0) throw invalidProperties(unknown.slice(0, 20), 'These cannot be set.');
      const settings = fromObject(wanted, before.settings);
      const script = generate(settings);
      if (!compile(script ?? '', { limits: SIEVE_LIMITS }).ok)
        throw new SetError('invalidProperties', 'These make no script.');
      const actor: Actor = { name: context.login.address, role: 'user', domainId: undefined };
      await store.write.run('sieve.saveSettings', {
        actor,
        accountId: view.accountId,
        settings: JSON.stringify(settings),
        script,
      });
      result.updated[id] = changedBeyond(wanted, toObject(settings));
    } catch (error) {
      result.notUpdated[id] = setErrorFrom(error);
    }
  }
  const after = await kept(store.read, view);
  return result.answer(view, before.state, after.state);
}

export const vacationMethods: readonly Method[] = [
  method('VacationResponse/get', CAPABILITY.vacation, get),
  method('VacationResponse/set', CAPABILITY.vacation, set, 'settings'),
];
