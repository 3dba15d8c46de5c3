import {
  flagArg,
  idsArg,
  intArg,
  optionalText,
  parseUtc,
  pick,
  propertiesArg,
  textArg,
  textsArg,
} from '../args.ts';
import { type Context, method, type Method, ownView } from '../context.ts';
import { invalidArguments, MethodError } from '../errors.ts';
import { formatId, parseId } from '../ids.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { CAPABILITY, JMAP_LIMITS } from '../limits.ts';
import { formatState, parseState } from '../state.ts';
import { accountText, type View } from '../view.ts';
import { changesAnswer, maxChanges, resultsChanged } from './standard.ts';
import {
  type KeptSubmission,
  SUBMISSION_PROPERTIES,
  submissionObject,
  submissions,
} from './submission-object.ts';
import { submissionSet } from './submission-set.ts';

/** EmailSubmission (RFC 8621 section 7), but for /set. */

async function get(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await ownView(context, args);
  const ids = idsArg(args);
  const properties = propertiesArg(args, (name) => SUBMISSION_PROPERTIES.includes(name));
  const wanted = ids?.map((text) => parseId('submission', text) ?? -1) ?? null;
  const { seq, all } = await submissions(context.options.store.read, view.accountId, wanted);
  if (ids === undefined && all.size > JMAP_LIMITS.objectsInGet) throw new MethodError('requestTooLarge');
  const list: JsonObject[] = [];
  const notFound: string[] = [];
  for (const text of ids ?? [...all.keys()].map((id) => formatId('submission', id))) {
    const found = all.get(parseId('submission', text) ?? -1);
    if (found === undefined) notFound.push(text);
    else list.push(pick(submissionObject(found), properties));
  }
  return { accountId: accountText(view), state: formatState(view, { seq }), list, notFound };
}

async function changes(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await ownView(context, args);
  const changed = await context.options.store.read.run('jmap.objectChanges', {
    accountId: view.accountId,
    kind: 'submission',
    since: parseState(view, textArg(args, 'sinceState')),
    max: maxChanges(args),
  });
  return changesAnswer(view, args, 'submission', changed);
}

type Test = (kept: KeptSubmission) => boolean;

function compile(filter: Json | undefined, depth = 0): Test {
  if (filter === undefined || filter === null) return () => true;
  if (!isObject(filter) || depth > JMAP_LIMITS.filterDepth) throw invalidArguments('filter is no filter');
  const { operator, conditions } = filter;
  if (operator !== undefined) {
    if (!Array.isArray(conditions)) throw invalidArguments('conditions must be a list');
    const tests = (conditions as readonly Json[]).map((each) => compile(each, depth + 1));
    if (operator === 'AND') return (each) => tests.every((test) => test(each));
    if (operator === 'OR') return (each) => tests.some((test) => test(each));
    if (operator === 'NOT') return (each) => !tests.some((test) => test(each));
    throw invalidArguments('operator must be AND, OR or NOT');
  }
  const tests = Object.entries(filter).map(([name, value]) => condition(name, filter, value));
  return (each) => tests.every((test) => test(each));
}

function condition(name: string, filter: JsonObject, value: Json | undefined): Test {
  if (name === 'undoStatus') return ({ undoStatus }) => undoStatus === value;
  if (name === 'before' || name === 'after') {
    const time = parseUtc(value);
    if (time === undefined) throw invalidArguments(`${name} must be a UTC date`);
    return ({ submission: { sendAt } }) => (name === 'before' ? sendAt < time : sendAt >= time);
  }
  if (name !== 'identityIds' && name !== 'emailIds' && name !== 'threadIds')
    throw new MethodError('unsupportedFilter');
  const wanted = textsArg(filter, name) ?? [];
  const property = name === 'identityIds' ? 'identityId' : name === 'emailIds' ? 'emailId' : 'threadId';
  return ({ submission }) => wanted.includes(submission[property]);
}

interface Results {
  readonly seq: number;
  readonly ids: readonly number[];
}

async function results(context: Context, view: View, args: JsonObject): Promise<Results> {
  const test = compile(args['filter']);
  const sort = args['sort'] ?? [];
  if (!Array.isArray(sort)) throw invalidArguments('sort must be a list');
  const { seq, all } = await submissions(context.options.store.read, view.accountId, null);
  const found = [...all.values()].filter((each) => test(each));
  for (const by of (sort as readonly Json[]).toReversed()) {
    const { property, isAscending = true } = isObject(by) ? by : {};
    if (property !== 'sentAt' && property !== 'sendAt' && property !== 'emailId' && property !== 'threadId')
      throw new MethodError('unsupportedSort');
    const key = property === 'sentAt' ? 'sendAt' : property;
    const sign = isAscending === false ? -1 : 1;
    found.sort(({ submission: a }, { submission: b }) =>
      a[key] < b[key] ? -sign : a[key] > b[key] ? sign : 0,
    );
  }
  return { seq, ids: found.map(({ id }) => id) };
}

async function query(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await ownView(context, args);
  const { seq, ids } = await results(context, view, args);
  const anchor = optionalText(args, 'anchor');
  let position = intArg(args, 'position', Number.MIN_SAFE_INTEGER) ?? 0;
  if (position < 0) position = Math.max(0, ids.length + position);
  if (anchor !== undefined) {
    const at = ids.indexOf(parseId('submission', anchor) ?? -1);
    if (at < 0) throw new MethodError('anchorNotFound');
    position = Math.max(0, at + (intArg(args, 'anchorOffset', Number.MIN_SAFE_INTEGER) ?? 0));
  }
  const limit = intArg(args, 'limit', 0) ?? JMAP_LIMITS.queryLimit;
  return {
    accountId: accountText(view),
    queryState: formatState(view, { seq }),
    canCalculateChanges: true,
    position,
    ids: ids.slice(position, position + limit).map((id) => formatId('submission', id)),
    ...(flagArg(args, 'calculateTotal') && { total: ids.length }),
  };
}

async function queryChanges(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await ownView(context, args);
  const { seq, ids } = await results(context, view, args);
  const changed = await context.options.store.read.run('jmap.objectChanges', {
    accountId: view.accountId,
    kind: 'submission',
    since: parseState(view, textArg(args, 'sinceQueryState')),
  });
  if (changed === undefined) throw new MethodError('cannotCalculateChanges');
  const touched = new Set([...changed.created, ...changed.updated, ...changed.destroyed]);
  const [newState, fresh] = [formatState(view, { seq }), changed.created];
  return resultsChanged(view, args, 'submission', { newState, ids, touched, fresh });
}

export const submissionMethods: readonly Method[] = [
  method('EmailSubmission/get', CAPABILITY.submission, get),
  method('EmailSubmission/changes', CAPABILITY.submission, changes),
  method('EmailSubmission/query', CAPABILITY.submission, query),
  method('EmailSubmission/queryChanges', CAPABILITY.submission, queryChanges),
  method('EmailSubmission/set', CAPABILITY.submission, submissionSet, 'send'),
];
