import type { Store } from '../../../data/store.ts';
import { flagArg, idsArg, intArg, pick, propertiesArg, textArg } from '../args.ts';
import { type Context, method, type Method, ownView, shortHash } from '../context.ts';
import { MethodError } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';
import { CAPABILITY } from '../limits.ts';
import { accountText, type View } from '../view.ts';
import {
  compileFilter,
  comparison,
  readComparators,
  type Test,
  textCondition,
  unsupportedCondition,
  windowed,
} from './lists.ts';
import { maxChanges } from './standard.ts';

/** Quotas (RFC 9425): octets and emails, each where there is a limit. */
const PROPERTIES: readonly string[] = [
  'id',
  'resourceType',
  'used',
  'hardLimit',
  'warnLimit',
  'softLimit',
  'scope',
  'name',
  'types',
  'description',
];

interface Quotas {
  readonly view: View;
  readonly all: readonly JsonObject[];
  readonly state: string;
}

async function quotasOf(read: Store['read'], accountId: number): Promise<readonly JsonObject[]> {
  const { used, emails, limit, messageLimit } = await read.run('mailstore.quota', { accountId });
  const quota = (id: string, now: number, hardLimit: number, name: string): JsonObject => ({
    id,
    resourceType: id,
    used: now,
    hardLimit,
    warnLimit: null,
    softLimit: null,
    scope: 'account',
    name,
    types: ['Email'],
    description: null,
  });
  return [
    ...(limit > 0 ? [quota('octets', used, limit, 'Storage')] : []),
    ...(messageLimit > 0 ? [quota('count', emails, messageLimit, 'Messages')] : []),
  ];
}

/** Where they stand, for pushes (section 6). */
export async function quotaState(read: Store['read'], { accountId }: View): Promise<string> {
  return shortHash(JSON.stringify(await quotasOf(read, accountId)));
}

async function quotas(context: Context, args: JsonObject): Promise<Quotas> {
  const view = await ownView(context, args);
  const all = await quotasOf(context.options.store.read, view.accountId);
  // Section 4.1: types whose capability the client has not named are left out, and what limits no others.
  const known = context.using.has(CAPABILITY.mail) ? all : [];
  return { view, all: known, state: shortHash(JSON.stringify(all)) };
}

async function get(context: Context, args: JsonObject): Promise<JsonObject> {
  const ids = idsArg(args);
  const properties = propertiesArg(args, (name) => PROPERTIES.includes(name));
  const { view, all, state } = await quotas(context, args);
  const list = all.filter(({ id }) => ids === undefined || ids.includes(String(id)));
  const notFound = (ids ?? []).filter((id) => !all.some((each) => each['id'] === id));
  return { accountId: accountText(view), state, list: list.map((each) => pick(each, properties)), notFound };
}

/** What was before is not kept: either nothing has changed, or both are to be read again. */
async function changes(context: Context, args: JsonObject): Promise<JsonObject> {
  const { view, state } = await quotas(context, args);
  maxChanges(args);
  const sinceState = textArg(args, 'sinceState');
  if (sinceState !== state) throw new MethodError('cannotCalculateChanges');
  return {
    accountId: accountText(view),
    oldState: sinceState,
    newState: state,
    hasMoreChanges: false,
    updatedProperties: null,
    created: [],
    updated: [],
    destroyed: [],
  };
}

function condition(name: string, value: Json | undefined): Test<JsonObject> {
  const wanted = name === 'type' || name === 'name' || name === 'scope' || name === 'resourceType';
  if (!wanted) throw unsupportedCondition(name);
  const text = textCondition(name, value);
  if (name === 'type') return ({ types }) => Array.isArray(types) && types.includes(text);
  return name === 'name' ? (each) => String(each[name]).includes(text) : (each) => each[name] === text;
}

/** RFC 9425 section 4.4. */
async function query(context: Context, args: JsonObject): Promise<JsonObject> {
  const { view, all, state } = await quotas(context, args);
  const sort = readComparators(args['sort'], ['name', 'used']);
  const found = all
    .filter(compileFilter(args['filter'], condition))
    .toSorted(
      comparison(sort, ({ name, used }, property) => (property === 'name' ? String(name) : Number(used))),
    );
  return {
    accountId: accountText(view),
    queryState: state,
    canCalculateChanges: false,
    ...windowed(
      args,
      found.map(({ id }) => String(id)),
    ),
  };
}

async function queryChanges(context: Context, args: JsonObject): Promise<JsonObject> {
  const { view, all, state } = await quotas(context, args);
  intArg(args, 'maxChanges', 0);
  const found = all.filter(compileFilter(args['filter'], condition));
  const since = textArg(args, 'sinceQueryState');
  if (since !== state) throw new MethodError('cannotCalculateChanges');
  return {
    accountId: accountText(view),
    oldQueryState: since,
    newQueryState: state,
    ...(flagArg(args, 'calculateTotal') && { total: found.length }),
    removed: [],
    added: [],
  };
}

export const quotaMethods: readonly Method[] = [
  method('Quota/get', CAPABILITY.quota, get),
  method('Quota/changes', CAPABILITY.quota, changes),
  method('Quota/query', CAPABILITY.quota, query),
  method('Quota/queryChanges', CAPABILITY.quota, queryChanges),
];
