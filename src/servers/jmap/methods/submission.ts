import { idsArg, parseUtc, pick, propertiesArg, textArg, textsArg } from '../args.ts';
import { type Context, method, type Method, ownView } from '../context.ts';
import { invalidArguments, MethodError } from '../errors.ts';
import { formatId, parseId } from '../ids.ts';
import type { Json, JsonObject } from '../json.ts';
import { CAPABILITY, JMAP_LIMITS } from '../limits.ts';
import { formatState, parseState } from '../state.ts';
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

function condition(name: string, value: Json | undefined): Test<KeptSubmission> {
  if (name === 'undoStatus') {
    const wanted = textCondition(name, value);
    return ({ undoStatus }) => undoStatus === wanted;
  }
  if (name === 'before' || name === 'after') {
    const time = parseUtc(value);
    if (time === undefined) throw invalidArguments(`${name} must be a UTC date`);
    return ({ submission: { sendAt } }) => (name === 'before' ? sendAt < time : sendAt >= time);
  }
  if (name !== 'identityIds' && name !== 'emailIds' && name !== 'threadIds') throw unsupportedCondition(name);
  const wanted = textsArg({ [name]: value }, name);
  if (wanted === undefined) throw invalidArguments(`${name} must be a list of ids`);
  const property = name === 'identityIds' ? 'identityId' : name === 'emailIds' ? 'emailId' : 'threadId';
  return ({ submission }) => wanted.includes(submission[property]);
}

/** RFC 8621 section 7.3 has sentAt, which is the property sendAt. */
const SORTS = ['sentAt', 'sendAt', 'emailId', 'threadId'] as const;

function sortKey({ submission }: KeptSubmission, property: (typeof SORTS)[number]): string | number {
  return submission[property === 'sentAt' ? 'sendAt' : property];
}

interface Results {
  readonly seq: number;
  readonly ids: readonly number[];
}

async function results(context: Context, view: View, args: JsonObject): Promise<Results> {
  const test = compileFilter(args['filter'], condition);
  const sort = readComparators(args['sort'], SORTS);
  const { seq, all } = await submissions(context.options.store.read, view.accountId, null);
  const found = [...all.values()].filter(test).toSorted(comparison(sort, sortKey));
  return { seq, ids: found.map(({ id }) => id) };
}

async function query(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await ownView(context, args);
  const { seq, ids } = await results(context, view, args);
  return {
    accountId: accountText(view),
    queryState: formatState(view, { seq }),
    canCalculateChanges: true,
    ...windowed(
      args,
      ids.map((id) => formatId('submission', id)),
    ),
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
