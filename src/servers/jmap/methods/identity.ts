import type { KeptObject } from '../../../data/jmap/objects.ts';
import type { Store } from '../../../data/store.ts';
import { parsePath } from '../../../mail/address/path.ts';
import { idsArg, pick, propertiesArg, setArgs, textArg } from '../args.ts';
import { type Context, method, type Method, ownView, resolveCreated, shortHash } from '../context.ts';
import {
  invalidProperties,
  MethodError,
  requireUntouched,
  SetError,
  setErrorFrom,
  stateMismatch,
} from '../errors.ts';
import { formatId, parseId } from '../ids.ts';
import { isObject, type Json, type JsonObject, sameJson } from '../json.ts';
import { CAPABILITY, JMAP_LIMITS } from '../limits.ts';
import { accountText, type View } from '../view.ts';
import { patched, patchedProperties } from '../patch.ts';
import { maxChanges, SetResult } from './standard.ts';

/** Identities (RFC 8621 section 6): the account's own address is one that is always there, under id 0. */
export interface Identity {
  readonly name: string;
  readonly email: string;
  readonly replyTo: Json;
  readonly bcc: Json;
  readonly textSignature: string;
  readonly htmlSignature: string;
}

const PROPERTIES: readonly string[] = [
  'id',
  'name',
  'email',
  'replyTo',
  'bcc',
  'textSignature',
  'htmlSignature',
  'mayDelete',
];
const SIGNATURE_CHARACTERS = 100_000;

interface Kept {
  readonly identities: ReadonlyMap<number, Identity>;
  readonly seq: number;
  /** Changes when an administrator changes the name or address of the account, or restores the server. */
  readonly mark: string;
}

export async function identities(read: Store['read'], { accountId, mark }: View): Promise<Kept> {
  const { seq, objects } = await read.run('jmap.objects', { accountId, kind: 'identity' });
  const account = await read.run('directory.account', { id: accountId });
  const own: Identity = {
    name: account?.displayName ?? '',
    email: account?.address ?? '',
    replyTo: null,
    bcc: null,
    textSignature: '',
    htmlSignature: '',
  };
  const found = new Map<number, Identity>([[0, own]]);
  for (const { id, data } of objects) found.set(id, parsed(data));
  return { identities: found, seq, mark: shortHash(JSON.stringify([mark, own])) };
}

function parsed(data: KeptObject['data']): Identity {
  return JSON.parse(data) as Identity;
}

function stateText({ seq, mark }: Pick<Kept, 'seq' | 'mark'>): string {
  return `${seq}-${mark}`;
}

export async function identityState(read: Store['read'], view: View): Promise<string> {
  return stateText(await identities(read, view));
}

async function get(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await ownView(context, args);
  const ids = idsArg(args);
  const properties = propertiesArg(args, (name) => PROPERTIES.includes(name));
  const kept = await identities(context.options.store.read, view);
  const list: JsonObject[] = [];
  const notFound: string[] = [];
  for (const text of ids ?? [...kept.identities.keys()].map((id) => formatId('identity', id))) {
    const id = parseId('identity', text) ?? -1;
    const identity = kept.identities.get(id);
    if (identity === undefined) notFound.push(text);
    else list.push(pick(identityObject(id, identity), properties));
  }
  return { accountId: accountText(view), state: stateText(kept), list, notFound };
}

function identityObject(id: number, identity: Identity): JsonObject {
  return { id: formatId('identity', id), ...identity, mayDelete: id !== 0 };
}

async function changes(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await ownView(context, args);
  const sinceState = textArg(args, 'sinceState');
  const { read } = context.options.store;
  const kept = await identities(read, view);
  const [, seq, mark] = /^(\d{1,15})-([0-9a-f]+)$/.exec(sinceState) ?? [];
  if (seq === undefined || mark !== kept.mark || Number(seq) > kept.seq)
    throw new MethodError('cannotCalculateChanges');
  const since = { seq: Number(seq) };
  const changed = await read.run('jmap.objectChanges', {
    accountId: view.accountId,
    kind: 'identity',
    since,
    max: maxChanges(args),
  });
  if (changed === undefined) throw new MethodError('cannotCalculateChanges');
  const ids = (list: readonly number[]): string[] => list.map((id) => formatId('identity', id));
  return {
    accountId: accountText(view),
    oldState: sinceState,
    newState: stateText({ seq: changed.until.seq, mark: kept.mark }),
    hasMoreChanges: changed.more,
    created: ids(changed.created),
    updated: ids(changed.updated),
    destroyed: ids(changed.destroyed),
  };
}

/** What is wrong with the properties of an identity; undefined: nothing. */
const WRONG: Readonly<Record<string, (value: Json | undefined) => string | undefined>> = {
  name: (value) => wrongText(value, 500),
  email: (value) => wrongText(value, 320),
  replyTo: wrongAddresses,
  bcc: wrongAddresses,
  textSignature: (value) => wrongText(value, SIGNATURE_CHARACTERS),
  htmlSignature: (value) => wrongText(value, SIGNATURE_CHARACTERS),
};

function wrongText(value: Json | undefined, most: number): string | undefined {
  return typeof value === 'string' && value.length <= most
    ? undefined
    : `must be a string of at most ${most} characters`;
}

function wrongAddresses(value: Json | undefined): string | undefined {
  const fine =
    value === null ||
    (Array.isArray(value) &&
      value.length <= 50 &&
      (value as readonly Json[]).every(
        (each) =>
          isObject(each) &&
          typeof each['email'] === 'string' &&
          (each['name'] == null || typeof each['name'] === 'string'),
      ));
  return fine ? undefined : 'must be a list of addresses';
}

/** All that is wrong is told (RFC 8620 section 5.3). `fixed`: what nobody may change, or set. */
function checked(wanted: JsonObject, fixed: readonly string[]): Identity {
  const wrong = Object.keys(WRONG).flatMap((name) => {
    const what = WRONG[name]?.(wanted[name]);
    return what === undefined ? [] : [[name, `${name} ${what}`] as const];
  });
  for (const name of fixed) wrong.push([name, `${name.slice(0, 100)} cannot be set`]);
  if (wrong.length > 0)
    throw invalidProperties(
      wrong.slice(0, MOST_NAMED).map(([name]) => name),
      wrong
        .slice(0, 3)
        .map(([, sentence]) => sentence)
        .join('; '),
    );
  const { name, email, replyTo, bcc, textSignature, htmlSignature } = wanted as unknown as Identity;
  return { name, email, replyTo, bcc, textSignature, htmlSignature };
}

const NEW: JsonObject = { name: '', replyTo: null, bcc: null, textSignature: '', htmlSignature: '' };
/** Properties that one error names. */
const MOST_NAMED = 50;

function newIdentity(given: JsonObject): Identity {
  const fixed = Object.keys(given).filter((name) => WRONG[name] === undefined);
  return checked(patched(NEW, Object.fromEntries(Object.entries(given)), NEW), fixed);
}

function changed(id: number, before: Identity, patch: JsonObject): Identity {
  const now = identityObject(id, before);
  const wanted = patched(now, patch, NEW);
  const fixed = patchedProperties(patch).filter(
    (name) =>
      (WRONG[name] === undefined || name === 'email') &&
      (!Object.hasOwn(now, name) || !sameJson(now[name], wanted[name])),
  );
  return checked({ ...wanted, email: before.email }, fixed);
}

/** RFC 8621 section 6.3: an address that the account may not send as is no identity of it. */
async function requireOwned(context: Context, email: string): Promise<void> {
  const { store, settings } = context.options;
  // "*@domain" stands for any address of it; what is sent is checked then.
  const path = parsePath(email.replace(/^\*@/, 'any@'), { smtputf8: true });
  if (path.kind !== 'mailbox') throw invalidProperties(['email'], 'email must be an address.');
  const { localPart, domain } = path;
  const { accountId } = context.login;
  const { delimiter } = settings();
  if (!(await store.read.run('directory.maySendAs', { accountId, localPart, domain, delimiter })))
    throw new SetError('forbiddenFrom', 'The account may not send as this address.');
}

async function set(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await ownView(context, args);
  const { read, write } = context.options.store;
  const { create, update, destroy, ifInState } = setArgs(args);
  const { accountId } = view;
  const before = await identities(read, view);
  const oldState = stateText(before);
  if (ifInState !== undefined && ifInState !== oldState) throw new MethodError('stateMismatch');
  const result = new SetResult();
  let writes = 0;
  async function put(id: number | undefined, identity: Identity | null): Promise<number> {
    // With the first change, so that nobody else's comes in between (RFC 8620 section 5.3).
    const ifSeq = ifInState !== undefined && writes === 0 ? before.seq : undefined;
    const data = identity && JSON.stringify(identity);
    const request = { accountId, kind: 'identity', ...(id !== undefined && { id }), data, ifSeq } as const;
    const kept = await write.run('jmap.putObject', request).catch(stateMismatch);
    writes++;
    return kept.id;
  }
  for (const [key, given] of create) {
    try {
      if (before.identities.size + create.length > JMAP_LIMITS.identities) throw new SetError('overQuota');
      const identity = newIdentity(given);
      await requireOwned(context, identity.email);
      const made = await put(undefined, identity);
      context.createdIds.set(key, formatId('identity', made));
      const whole = Object.entries(identityObject(made, identity));
      result.created[key] = Object.fromEntries(
        whole.filter(([name, value]) => !sameJson(given[name], value)),
      );
    } catch (error) {
      result.notCreated[key] = setErrorFrom(error, result.isBegun);
    }
  }
  for (const [key, patch] of update) {
    try {
      const id = parseId('identity', resolveCreated(context, key)) ?? -1;
      const old = (await identities(read, view)).identities.get(id);
      if (old === undefined) throw new SetError('notFound');
      await put(id, changed(id, old, patch));
      result.updated[key] = null;
    } catch (error) {
      result.notUpdated[key] = setErrorFrom(error, result.isBegun);
    }
  }
  for (const key of destroy) {
    const id = parseId('identity', resolveCreated(context, key)) ?? -1;
    if (!(await identities(read, view)).identities.has(id)) result.notDestroyed[key] = { type: 'notFound' };
    else if (id === 0) result.notDestroyed[key] = { type: 'forbidden' };
    else {
      await put(id, null);
      result.destroyed.push(key);
    }
  }
  const after = await identities(read, view);
  requireUntouched(ifInState, writes, stateText(after) !== oldState);
  // A state that has more in it than this answer is not told.
  const alone = after.seq === before.seq + writes && after.mark === before.mark;
  return result.answer(view, oldState, alone ? stateText(after) : oldState);
}

export const identityMethods: readonly Method[] = [
  method('Identity/get', CAPABILITY.submission, get),
  method('Identity/changes', CAPABILITY.submission, changes),
  method('Identity/set', CAPABILITY.submission, set, 'settings'),
];
