import type { AccountScript } from '../../../data/sieve/types.ts';
import type { Store } from '../../../data/store.ts';
import { idsArg, flagArg, intArg, optionalText, pick, propertiesArg, textArg } from '../args.ts';
import { findBlob } from '../blobs.ts';
import { type Context, method, type Method, ownView, shortHash } from '../context.ts';
import { invalidArguments, MethodError, setErrorFrom } from '../errors.ts';
import { formatId, parseId } from '../ids.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { CAPABILITY, JMAP_LIMITS } from '../limits.ts';
import { accountText, type View } from '../view.ts';
import { requireValid, scriptText } from './sieve-content.ts';
import { sieveSet } from './sieve-set.ts';

/** SieveScript (RFC 9661): the scripts of the account that ManageSieve shows too. */
const PROPERTIES: readonly string[] = ['id', 'name', 'blobId', 'isActive'];

export interface Scripts {
  readonly all: ReadonlyMap<number, AccountScript>;
  readonly state: string;
}

export async function scriptsOf(read: Store['read'], { accountId, mark }: View): Promise<Scripts> {
  const found = await read.run('sieve.ofAccount', { accountId });
  const facts = found.map(({ id, name, active, digest }) => [id, name, active, digest]);
  return {
    all: new Map(found.map((each) => [each.id, each])),
    state: shortHash(JSON.stringify([mark, facts])),
  };
}

export async function scriptState(read: Store['read'], view: View): Promise<string> {
  return (await scriptsOf(read, view)).state;
}

/** What a script says is a blob of its own: another text, another blob. */
export function scriptBlobId({ id, digest }: Pick<AccountScript, 'id' | 'digest'>): string {
  return `${formatId('script', id)}-${digest.slice(0, 16)}`;
}

export function scriptObject(script: AccountScript): JsonObject {
  return {
    id: formatId('script', script.id),
    name: script.name,
    blobId: scriptBlobId(script),
    isActive: script.active,
  };
}

async function get(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await ownView(context, args);
  const ids = idsArg(args);
  const properties = propertiesArg(args, (name) => PROPERTIES.includes(name));
  const { all, state } = await scriptsOf(context.options.store.read, view);
  const list: JsonObject[] = [];
  const notFound: string[] = [];
  for (const text of ids ?? [...all.keys()].map((id) => formatId('script', id))) {
    const script = all.get(parseId('script', text) ?? -1);
    if (script === undefined) notFound.push(text);
    else list.push(pick(scriptObject(script), properties));
  }
  return { accountId: accountText(view), state, list, notFound };
}

type Test = (script: AccountScript) => boolean;

function compile(filter: Json | undefined, depth = 0): Test {
  if (filter === undefined || filter === null) return () => true;
  if (!isObject(filter) || depth > JMAP_LIMITS.filterDepth) throw invalidArguments('filter is no filter');
  const { operator, conditions } = filter;
  if (operator !== undefined) {
    if (!Array.isArray(conditions)) throw invalidArguments('conditions must be a list');
    const tests = (conditions as readonly Json[]).map((each) => compile(each, depth + 1));
    if (operator === 'AND') return (script) => tests.every((test) => test(script));
    if (operator === 'OR') return (script) => tests.some((test) => test(script));
    if (operator === 'NOT') return (script) => !tests.some((test) => test(script));
    throw invalidArguments('operator must be AND, OR or NOT');
  }
  const tests = Object.entries(filter).map(([name, value]): Test => {
    if (name === 'isActive' && typeof value === 'boolean') return ({ active }) => active === value;
    if (name !== 'name' || typeof value !== 'string') throw new MethodError('unsupportedFilter');
    const wanted = value.toLowerCase();
    return (script) => script.name.toLowerCase().includes(wanted);
  });
  return (script) => tests.every((test) => test(script));
}

function sorted(found: AccountScript[], sort: Json): AccountScript[] {
  if (!Array.isArray(sort)) throw invalidArguments('sort must be a list');
  for (const by of (sort as readonly Json[]).toReversed()) {
    const { property, isAscending = true } = isObject(by) ? by : {};
    if (property !== 'name' && property !== 'isActive') throw new MethodError('unsupportedSort');
    const sign = isAscending === false ? -1 : 1;
    found.sort((a, b) =>
      property === 'name'
        ? sign * a.name.localeCompare(b.name, 'en', { sensitivity: 'base' })
        : sign * (Number(a.active) - Number(b.active)),
    );
  }
  return found;
}

/** RFC 9661 section 2.3; there is no /queryChanges for it. */
async function query(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await ownView(context, args);
  const { all, state } = await scriptsOf(context.options.store.read, view);
  const test = compile(args['filter']);
  const ids = sorted([...all.values()].filter(test), args['sort'] ?? []).map(({ id }) =>
    formatId('script', id),
  );
  let position = intArg(args, 'position', Number.MIN_SAFE_INTEGER) ?? 0;
  if (position < 0) position = Math.max(0, ids.length + position);
  const anchor = optionalText(args, 'anchor');
  if (anchor !== undefined) {
    const at = ids.indexOf(anchor);
    if (at < 0) throw new MethodError('anchorNotFound');
    position = Math.max(0, at + (intArg(args, 'anchorOffset', Number.MIN_SAFE_INTEGER) ?? 0));
  }
  const limit = intArg(args, 'limit', 0) ?? ids.length;
  return {
    accountId: accountText(view),
    queryState: state,
    canCalculateChanges: false,
    position,
    ids: ids.slice(position, position + limit),
    ...(flagArg(args, 'calculateTotal') && { total: ids.length }),
  };
}

/** RFC 9661 section 2.5: what CHECKSCRIPT does. */
async function validate(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await ownView(context, args);
  const blobId = textArg(args, 'blobId');
  let error: JsonObject | null = null;
  try {
    const blob = await findBlob(
      context.options.store,
      view,
      context.createdIds.get(blobId.slice(1)) ?? blobId,
    );
    await requireValid(context, view, await scriptText(blob, blobId));
  } catch (failure) {
    error = setErrorFrom(failure);
  }
  return { accountId: accountText(view), error };
}

export const sieveMethods: readonly Method[] = [
  method('SieveScript/get', CAPABILITY.sieve, get),
  method('SieveScript/query', CAPABILITY.sieve, query),
  method('SieveScript/set', CAPABILITY.sieve, sieveSet, 'settings'),
  method('SieveScript/validate', CAPABILITY.sieve, validate),
];
