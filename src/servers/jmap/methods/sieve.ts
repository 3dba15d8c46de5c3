import type { AccountScript } from '../../../data/sieve/types.ts';
import type { Store } from '../../../data/store.ts';
import { idsArg, pick, propertiesArg, textArg } from '../args.ts';
import { findBlob } from '../blobs.ts';
import { type Context, method, type Method, ownView, shortHash } from '../context.ts';
import { setErrorFrom } from '../errors.ts';
import { formatId, parseId } from '../ids.ts';
import type { Json, JsonObject } from '../json.ts';
import { CAPABILITY } from '../limits.ts';
import { accountText, type View } from '../view.ts';
import {
  compileFilter,
  comparison,
  flagCondition,
  readComparators,
  type Test,
  textCondition,
  unsupportedCondition,
  windowed,
} from './lists.ts';
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

function condition(name: string, value: Json | undefined): Test<AccountScript> {
  if (name === 'isActive') {
    const wanted = flagCondition(name, value);
    return ({ active }) => active === wanted;
  }
  if (name !== 'name') throw unsupportedCondition(name);
  const wanted = textCondition(name, value).toLowerCase();
  return (script) => script.name.toLowerCase().includes(wanted);
}

/** RFC 9661 section 2.5; there is no /queryChanges for it. */
async function query(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await ownView(context, args);
  const { all, state } = await scriptsOf(context.options.store.read, view);
  const sort = readComparators(args['sort'], ['name', 'isActive']);
  const found = [...all.values()]
    .filter(compileFilter(args['filter'], condition))
    .toSorted(
      comparison(sort, ({ name, active }, property) => (property === 'name' ? name : Number(active))),
    );
  return {
    accountId: accountText(view),
    queryState: state,
    canCalculateChanges: false,
    ...windowed(
      args,
      found.map(({ id }) => formatId('script', id)),
    ),
  };
}

/** RFC 9661 section 2.6: what CHECKSCRIPT does. */
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
