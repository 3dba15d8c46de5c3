import { timingSafeEqual } from 'node:crypto';
import { randomToken } from '../../../base/ids.ts';
import { Refusal } from '../../../base/errors.ts';
import type { PushLogin, PushSubscription } from '../../../data/push/push.ts';
import { areDeviceKeys } from '../../../net/web-push/encrypt.ts';
import type { Principal } from '../../request-login.ts';
import { formatUtc, idsArg, orNull, parseUtc, pick, setArgs, textsArg } from '../args.ts';
import { type Context, method, type Method, resolveCreated } from '../context.ts';
import { invalidArguments, invalidProperties, MethodError, setErrorFrom, SetError } from '../errors.ts';
import { formatId, parseId } from '../ids.ts';
import { isObject, type Json, type JsonObject, member, sameJson } from '../json.ts';
import { CAPABILITY, JMAP_LIMITS } from '../limits.ts';
import { patched, patchedProperties } from '../patch.ts';
import type { WebPush } from '../push-types.ts';
import { SetResult } from './standard.ts';

/** PushSubscription (RFC 8620 section 7.2): of who logged in, without an account and without states. */

/** Those that are told; what a push is sent to, and how, is never shown again. */
const SHOWN: readonly string[] = ['id', 'deviceClientId', 'verificationCode', 'expires', 'types'];
const HIDDEN: readonly string[] = ['url', 'keys'];
/** Milliseconds for which one holds; a client prolongs it in time. */
const LIFE_MS = 14 * 86_400_000;
/** Random characters that a device has to say back. */
const CODE_LENGTH = 32;
const DEVICE_LENGTH = 255;
const URL_LENGTH = 2000;
const TYPES = 100;

/** @throws MethodError 'serverUnavailable' where nobody sends pushes */
function webPushOf({ options }: Context): WebPush {
  if (options.webPush === undefined)
    throw new MethodError('serverUnavailable', 'This server sends no pushes.');
  return options.webPush;
}

/** RFC 8620 section 7.2: those that were made with the very credentials that ask. */
async function subscriptions({ options, login }: Context): Promise<PushSubscription[]> {
  const { accountId } = login;
  const all = await options.store.read.run('push.of', { accountId, now: options.clock.now() });
  const mine = loginOf(login);
  return all.filter(({ login: made }) => made.kind === mine.kind && made.id === mine.id);
}

function toObject({ id, device, verified, code, expiresAt, types }: PushSubscription): JsonObject {
  return {
    id: formatId('push', id),
    deviceClientId: device,
    // What the device has not said itself is not told: it proves that pushes arrive.
    verificationCode: verified ? code : null,
    expires: formatUtc(expiresAt),
    types: types ?? null,
  };
}

/** RFC 8620 section 7.2.1. */
async function get(context: Context, args: JsonObject): Promise<JsonObject> {
  const ids = idsArg(args);
  const properties = textsArg(args, 'properties');
  if (properties?.some((name) => HIDDEN.includes(name)) === true)
    throw new MethodError('forbidden', 'url and keys are not told again.');
  const unknown = properties?.find((name) => !SHOWN.includes(name));
  if (unknown !== undefined)
    throw invalidArguments(`properties: there is no property "${unknown.slice(0, 100)}"`);
  const all = (await subscriptions(context)).map(toObject);
  const found = ids === undefined ? all : all.filter((each) => ids.includes(String(each['id'])));
  return {
    list: found.map((each) => pick(each, properties)),
    notFound: (ids ?? []).filter((id) => !found.some((each) => each['id'] === id)),
  };
}

/** RFC 8620 section 7.2.2. */
async function set(context: Context, args: JsonObject): Promise<JsonObject> {
  const webPush = webPushOf(context);
  const { create, update, destroy } = setArgs(args);
  const result = new SetResult();
  for (const [key, object] of create)
    await attempt(result.notCreated, key, async () => {
      result.created[key] = await createOne(context, webPush, object, key);
    });
  for (const [id, patch] of update)
    await attempt(result.notUpdated, id, async () => {
      result.updated[id] = await updateOne(context, id, patch);
    });
  for (const id of destroy)
    await attempt(result.notDestroyed, id, async () => {
      const number = parseId('push', resolveCreated(context, id));
      const { accountId } = context.login;
      const gone =
        (await subscriptions(context)).some((each) => each.id === number) &&
        number !== undefined &&
        (await context.options.store.write.run('push.remove', { id: number, accountId }));
      if (!gone) throw new SetError('notFound');
      result.destroyed.push(id);
    });
  webPush.changed(context.login.accountId);
  return {
    created: orNull(result.created),
    updated: orNull(result.updated),
    destroyed: result.destroyed.length === 0 ? null : result.destroyed,
    notCreated: orNull(result.notCreated),
    notUpdated: orNull(result.notUpdated),
    notDestroyed: orNull(result.notDestroyed),
  };
}

async function attempt(failed: Record<string, Json>, key: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    failed[key] = setErrorFrom(error);
  }
}

async function createOne(
  { options, login, createdIds }: Context,
  webPush: WebPush,
  object: JsonObject,
  key: string,
): Promise<JsonObject> {
  const known = ['deviceClientId', 'url', 'keys', 'verificationCode', 'expires', 'types'];
  const unknown = Object.keys(object).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw invalidProperties(unknown, 'There are no such properties.');
  if ((member(object, 'verificationCode') ?? null) !== null)
    throw invalidProperties(['verificationCode'], 'The code comes by the first push.');
  const subscription = {
    accountId: login.accountId,
    device: textOf(object, 'deviceClientId', DEVICE_LENGTH),
    url: urlOf(object, webPush),
    keys: keysOf(object),
    types: typesOf(object),
    code: randomToken(CODE_LENGTH),
    login: loginOf(login),
    expiresAt: expiryOf(object, options.clock.now()),
  };
  const { id } = await options.store.write.run('push.add', {
    subscription,
    most: JMAP_LIMITS.pushSubscriptions,
  });
  try {
    const createdAt = options.clock.now();
    webPush.begin({ ...subscription, id, verified: false, createdAt, toldAt: undefined, failures: 0 });
  } catch (error) {
    await options.store.write.run('push.remove', { id, accountId: login.accountId });
    throw error;
  }
  createdIds.set(key, formatId('push', id));
  // What the client did not say itself (section 5.3).
  return {
    id: formatId('push', id),
    expires: formatUtc(subscription.expiresAt),
    ...(!Object.hasOwn(object, 'keys') && { keys: null }),
    ...(!Object.hasOwn(object, 'types') && { types: null }),
    verificationCode: null,
  };
}

async function updateOne(context: Context, id: string, patch: JsonObject): Promise<Json> {
  const { options, login } = context;
  const number = parseId('push', resolveCreated(context, id));
  const found = (await subscriptions(context)).find((each) => each.id === number);
  if (found === undefined) throw new SetError('notFound');
  const now: JsonObject = { ...toObject(found), url: found.url, keys: found.keys ?? null };
  const wanted = patched(now, patch);
  const touched = patchedProperties(patch).filter((name) => !sameJson(now[name], wanted[name]));
  const fixed = touched.filter((name) => !['verificationCode', 'expires', 'types'].includes(name));
  if (fixed.length > 0) throw invalidProperties(fixed, 'These cannot be changed; make another subscription.');
  const code = wanted['verificationCode'] ?? null;
  const said = touched.includes('verificationCode');
  if (said && !sameCode(code, found.code))
    throw invalidProperties(['verificationCode'], 'That is not the code that was sent.');
  const prolonged = touched.includes('expires');
  const expiresAt = prolonged ? expiryOf(wanted, options.clock.now()) : found.expiresAt;
  const kept = await options.store.write.run('push.update', {
    id: found.id,
    accountId: login.accountId,
    types: typesOf(wanted),
    expiresAt,
    verified: found.verified || said,
  });
  if (!kept) throw new SetError('notFound');
  return prolonged && parseUtc(wanted['expires']) !== expiresAt ? { expires: formatUtc(expiresAt) } : null;
}

function sameCode(given: Json, code: string): boolean {
  if (typeof given !== 'string') return false;
  const [a, b] = [Buffer.from(given), Buffer.from(code)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function textOf(object: JsonObject, name: string, most: number): string {
  const value = member(object, name);
  if (typeof value !== 'string' || value === '' || value.length > most)
    throw invalidProperties([name], `${name} must be a string of at most ${most} characters.`);
  return value;
}

function urlOf(object: JsonObject, webPush: WebPush): string {
  const url = textOf(object, 'url', URL_LENGTH);
  try {
    webPush.check(url);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw invalidProperties(['url'], error.message);
  }
  return url;
}

function keysOf(object: JsonObject): PushSubscription['keys'] {
  const keys = member(object, 'keys') ?? null;
  if (keys === null) return undefined;
  const wrong = invalidProperties(['keys'], 'keys must have p256dh and auth as a browser gives them.');
  if (!isObject(keys)) throw wrong;
  const [p256dh, auth] = [member(keys, 'p256dh'), member(keys, 'auth')];
  if (typeof p256dh !== 'string' || typeof auth !== 'string' || !areDeviceKeys({ p256dh, auth })) throw wrong;
  return { p256dh, auth };
}

function typesOf(object: JsonObject): readonly string[] | undefined {
  const types = member(object, 'types') ?? null;
  if (types === null) return undefined;
  const known = Array.isArray(types) && types.every((each): each is string => typeof each === 'string');
  if (!known || types.length > TYPES || types.some((each) => each.length > 100))
    throw invalidProperties(['types'], 'types must be null or a list of names of types.');
  return [...new Set(types as readonly string[])];
}

/** What is asked for, within what is given. */
function expiryOf(object: JsonObject, now: number): number {
  const value = member(object, 'expires') ?? null;
  if (value === null) return now + LIFE_MS;
  const ms = parseUtc(value);
  if (ms === undefined || ms <= now)
    throw invalidProperties(['expires'], 'expires must be a UTC date to come.');
  return Math.min(ms, now + LIFE_MS);
}

/** By what somebody is logged in: with that the subscription ends. */
function loginOf({ how, sessionId }: Principal): PushLogin {
  if (sessionId === undefined) return { kind: 'password', id: 0 };
  if (how === 'session') return { kind: 'session', id: sessionId };
  if (how === 'token') return { kind: 'grant', id: sessionId };
  return how === 'app-password' ? { kind: 'app', id: sessionId } : { kind: 'password', id: 0 };
}

export const pushMethods: readonly Method[] = [
  method('PushSubscription/get', CAPABILITY.core, get),
  method('PushSubscription/set', CAPABILITY.core, set),
];
