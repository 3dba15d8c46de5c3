import type { KeptObject } from '../../../data/jmap/objects.ts';
import type { Store } from '../../../data/store.ts';
import { parsePath } from '../../../mail/address/path.ts';
import { idsArg, pick, propertiesArg, setArgs, textArg } from '../args.ts';
import { type Context, method, type Method, ownView, shortHash } from '../context.ts';
import { invalidProperties, MethodError, setErrorFrom, SetError } from '../errors.ts';
import { formatId, parseId } from '../ids.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { CAPABILITY, JMAP_LIMITS } from '../limits.ts';
import { accountText, type View } from '../view.ts';
import { SetResult } from './standard.ts';

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

function stateText({ seq, mark }: Kept): string {
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
    else list.push(pick({ id: text, ...identity, mayDelete: id !== 0 }, properties));
  }
  return { accountId: accountText(view), state: stateText(kept), list, notFound };
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
  });
  if (changed === undefined) throw new MethodError('cannotCalculateChanges');
  const ids = (list: readonly number[]): string[] => list.map((id) => formatId('identity', id));
  return {
    accountId: accountText(view),
    oldState: sinceState,
    newState: stateText(kept),
    hasMoreChanges: false,
    created: ids(changed.created),
    updated: ids(changed.updated),
    destroyed: ids(changed.destroyed),
  };
}

function text(given: JsonObject, name: string, usual: string, most: number): string {
  const value = given[name] ?? usual;
  if (typeof value !== 'string' || value.length > most)
    throw invalidProperties([name], `${name} must be a string of at most ${most} characters.`);
  return value;
}

function addresses(given: JsonObject, name: string, usual: Json): Json {
  const value = given[name] === undefined ? usual : given[name];
  if (value === null) return null;
  const fine =
    Array.isArray(value) &&
    value.length <= 50 &&
    (value as readonly Json[]).every(
      (each) =>
        isObject(each) &&
        typeof each['email'] === 'string' &&
        (each['name'] == null || typeof each['name'] === 'string'),
    );
  if (!fine) throw invalidProperties([name], `${name} must be a list of addresses.`);
  return value as Json;
}

function merged(given: JsonObject, before: Identity): Identity {
  const unknown = Object.keys(given).find(
    (name) => !PROPERTIES.includes(name) || name === 'id' || name === 'mayDelete',
  );
  if (unknown !== undefined) throw invalidProperties([unknown], `${unknown.slice(0, 100)} cannot be set.`);
  return {
    name: text(given, 'name', before.name, 500),
    email: text(given, 'email', before.email, 320),
    replyTo: addresses(given, 'replyTo', before.replyTo),
    bcc: addresses(given, 'bcc', before.bcc),
    textSignature: text(given, 'textSignature', before.textSignature, SIGNATURE_CHARACTERS),
    htmlSignature: text(given, 'htmlSignature', before.htmlSignature, SIGNATURE_CHARACTERS),
  };
}

const NEW: Identity = { name: '', email: '', replyTo: null, bcc: null, textSignature: '', htmlSignature: '' };

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
  for (const [key, given] of create) {
    try {
      if (before.identities.size + create.length > JMAP_LIMITS.identities) throw new SetError('overQuota');
      const identity = merged(given, NEW);
      await requireOwned(context, identity.email);
      const made = await write.run('jmap.putObject', {
        accountId,
        kind: 'identity',
        data: JSON.stringify(identity),
      });
      const id = formatId('identity', made.id);
      context.createdIds.set(key, id);
      result.created[key] = { id, mayDelete: true, ...identity };
    } catch (error) {
      result.notCreated[key] = setErrorFrom(error);
    }
  }
  for (const [key, patch] of update) {
    try {
      const id = parseId('identity', key.startsWith('#') ? context.createdIds.get(key.slice(1)) : key) ?? -1;
      const old = (await identities(read, view)).identities.get(id);
      if (old === undefined) throw new SetError('notFound');
      const identity = merged(patch, old);
      if (identity.email !== old.email)
        throw invalidProperties(['email'], 'The address of an identity stays.');
      await write.run('jmap.putObject', { accountId, kind: 'identity', id, data: JSON.stringify(identity) });
      result.updated[key] = null;
    } catch (error) {
      result.notUpdated[key] = setErrorFrom(error);
    }
  }
  for (const key of destroy) {
    const id = parseId('identity', key) ?? -1;
    if (!before.identities.has(id)) result.notDestroyed[key] = { type: 'notFound' };
    else if (id === 0) result.notDestroyed[key] = { type: 'forbidden' };
    else {
      await write.run('jmap.putObject', { accountId, kind: 'identity', id, data: null });
      result.destroyed.push(key);
    }
  }
  return result.answer(view, oldState, await identityState(read, view));
}

export const identityMethods: readonly Method[] = [
  method('Identity/get', CAPABILITY.submission, get),
  method('Identity/changes', CAPABILITY.submission, changes),
  method('Identity/set', CAPABILITY.submission, set, 'settings'),
];
