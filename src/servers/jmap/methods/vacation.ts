import type { Actor } from '../../../data/directory/types.ts';
import type { Store } from '../../../data/store.ts';
import { generate } from '../../../flow/sieve/generate.ts';
import { type SieveSettings, sieveSettingsSchema, storedSettings } from '../../../flow/sieve/settings.ts';
import { htmlText } from '../../../mail/sieve/html-text.ts';
import { compile, SIEVE_LIMITS } from '../../../mail/sieve/index.ts';
import { idsArg, pick, parseUtc, propertiesArg, setArgs } from '../args.ts';
import { type Context, method, type Method, ownView, shortHash } from '../context.ts';
import { invalidProperties, MethodError, setErrorFrom, SetError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { CAPABILITY } from '../limits.ts';
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
const DAY_MS = 24 * 3600 * 1000;

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

/** Settings have whole days: it begins with one and ends when another is over. */
function toObject({ vacation }: SieveSettings): JsonObject {
  return {
    id: 'singleton',
    isEnabled: vacation?.enabled ?? false,
    fromDate: vacation?.from === undefined ? null : `${vacation.from}T00:00:00Z`,
    toDate:
      vacation?.until === undefined
        ? null
        : new Date(Date.parse(`${vacation.until}T00:00:00Z`) + DAY_MS).toISOString().replace('.000Z', 'Z'),
    subject: vacation?.subject ?? null,
    textBody: vacation?.text === NO_TEXT ? null : (vacation?.text ?? null),
    htmlBody: null,
  };
}

/** What is said where nothing is set. */
const NO_TEXT = 'I am away and will answer when I am back.';

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

function day(object: JsonObject, name: 'fromDate' | 'toDate'): string | undefined {
  const value = object[name] ?? null;
  if (value === null) return undefined;
  const ms = parseUtc(value);
  if (ms === undefined) throw invalidProperties([name], `${name} must be a UTC date.`);
  // What ends at midnight ends with the day before.
  return new Date(name === 'toDate' ? ms - 1 : ms).toISOString().slice(0, 10);
}

function text(object: JsonObject, name: string): string | undefined {
  const value = object[name] ?? null;
  if (value === null) return undefined;
  if (typeof value !== 'string') throw invalidProperties([name], `${name} must be a string.`);
  return value.trim() === '' ? undefined : value;
}

function fromObject(object: JsonObject, before: SieveSettings): SieveSettings {
  const { isEnabled } = object;
  if (typeof isEnabled !== 'boolean')
    throw invalidProperties(['isEnabled'], 'isEnabled must be true or false.');
  const html = text(object, 'htmlBody');
  const from = day(object, 'fromDate');
  const until = day(object, 'toDate');
  const subject = text(object, 'subject');
  const parsed = sieveSettingsSchema.safeParse({
    ...before,
    vacation: {
      days: before.vacation?.days,
      addresses: before.vacation?.addresses,
      enabled: isEnabled,
      text: text(object, 'textBody') ?? (html === undefined ? NO_TEXT : htmlText(html)),
      ...(from !== undefined && { from }),
      ...(until !== undefined && { until }),
      ...(subject !== undefined && { subject }),
    },
  });
  if (!parsed.success)
    throw new SetError('invalidProperties', parsed.error.issues[0]?.message ?? 'not valid');
  return parsed.data;
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
      const unknown = Object.keys(patch).find(
        (name) => !PROPERTIES.includes(name) || (name === 'id' && patch[name] !== id),
      );
      if (unknown !== undefined)
        throw invalidProperties([unknown], `There is no property ${unknown.slice(0, 100)}.`);
      const settings = fromObject({ ...toObject(before.settings), ...patch }, before.settings);
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
      result.updated[id] = null;
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
