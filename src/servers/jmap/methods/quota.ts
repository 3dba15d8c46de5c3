import { flagArg, idsArg, intArg, pick, propertiesArg, textArg } from '../args.ts';
import { type Context, method, type Method, ownView, shortHash } from '../context.ts';
import { MethodError } from '../errors.ts';
import { isObject, type JsonObject } from '../json.ts';
import { CAPABILITY } from '../limits.ts';
import { accountText, type View } from '../view.ts';

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

async function quotas(context: Context, args: JsonObject): Promise<Quotas> {
  const view = await ownView(context, args);
  const { accountId } = view;
  const { used, emails, limit, messageLimit } = await context.options.store.read.run('mailstore.quota', {
    accountId,
  });
  const quota = (
    id: string,
    resourceType: string,
    now: number,
    hardLimit: number,
    name: string,
  ): JsonObject => ({
    id,
    resourceType,
    used: now,
    hardLimit,
    warnLimit: null,
    softLimit: null,
    scope: 'account',
    name,
    types: ['Email'],
    description: null,
  });
  const all = [
    ...(limit > 0 ? [quota('octets', 'octets', used, limit, 'Storage')] : []),
    ...(messageLimit > 0 ? [quota('count', 'count', emails, messageLimit, 'Messages')] : []),
  ];
  return { view, all, state: shortHash(JSON.stringify(all)) };
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

async function query(context: Context, args: JsonObject): Promise<JsonObject> {
  const { view, all, state } = await quotas(context, args);
  const filter = args['filter'] ?? {};
  if (!isObject(filter)) throw new MethodError('unsupportedFilter');
  const names = Object.keys(filter);
  if (names.some((name) => !['name', 'scope', 'resourceType', 'type'].includes(name)))
    throw new MethodError('unsupportedFilter');
  const found = all.filter((each) =>
    names.every((name) =>
      name === 'type'
        ? (each['types'] as readonly unknown[]).includes(filter[name])
        : name === 'name'
          ? String(each[name]).includes(String(filter[name]))
          : each[name] === filter[name],
    ),
  );
  const position = Math.max(0, intArg(args, 'position', Number.MIN_SAFE_INTEGER) ?? 0);
  const limit = intArg(args, 'limit', 0) ?? found.length;
  return {
    accountId: accountText(view),
    queryState: state,
    canCalculateChanges: false,
    position,
    ids: found.slice(position, position + limit).map(({ id }) => String(id)),
    ...(flagArg(args, 'calculateTotal') && { total: found.length }),
  };
}

async function queryChanges(context: Context, args: JsonObject): Promise<JsonObject> {
  const { view, state } = await quotas(context, args);
  const since = textArg(args, 'sinceQueryState');
  if (since !== state) throw new MethodError('cannotCalculateChanges');
  return { accountId: accountText(view), oldQueryState: since, newQueryState: state, removed: [], added: [] };
}

export const quotaMethods: readonly Method[] = [
  method('Quota/get', CAPABILITY.quota, get),
  method('Quota/changes', CAPABILITY.quota, changes),
  method('Quota/query', CAPABILITY.quota, query),
  method('Quota/queryChanges', CAPABILITY.quota, queryChanges),
];
