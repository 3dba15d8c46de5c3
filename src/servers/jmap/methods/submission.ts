import type { Store } from '../../../data/store.ts';
import {
  flagArg,
  formatUtc,
  idsArg,
  intArg,
  objectsArg,
  parseUtc,
  pick,
  propertiesArg,
  setArgs,
  textArg,
  textsArg,
} from '../args.ts';
import { findBlob } from '../blobs.ts';
import {
  type Answer,
  type Context,
  type Invocation,
  method,
  type Method,
  ownView,
  resolveCreated,
} from '../context.ts';
import { type Envelope, send } from '../email/send.ts';
import { invalidArguments, invalidProperties, MethodError, setErrorFrom, SetError } from '../errors.ts';
import { formatId, parseId } from '../ids.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { CAPABILITY, JMAP_LIMITS } from '../limits.ts';
import { accountText, type View } from '../view.ts';
import { emailBlobId, emailObjects } from './email-get.ts';
import { emailSet } from './email-set.ts';
import { identities } from './identity.ts';
import { SetResult } from './standard.ts';

/** EmailSubmission (RFC 8621 section 7). What is submitted is on its way at once, so it can no longer be undone. */
interface Submission {
  readonly identityId: string;
  readonly emailId: string;
  readonly threadId: string;
  readonly envelope: JsonObject;
  readonly sendAt: number;
  readonly queueId: string;
}

const PROPERTIES: readonly string[] = [
  'id',
  'identityId',
  'emailId',
  'threadId',
  'envelope',
  'sendAt',
  'undoStatus',
  'deliveryStatus',
  'dsnBlobIds',
  'mdnBlobIds',
];

interface Kept {
  readonly seq: number;
  readonly all: ReadonlyMap<number, Submission>;
}

async function submissions(read: Store['read'], accountId: number): Promise<Kept> {
  const { seq, objects } = await read.run('jmap.objects', { accountId, kind: 'submission' });
  return { seq, all: new Map(objects.map(({ id, data }) => [id, JSON.parse(data) as Submission])) };
}

export async function submissionState(read: Store['read'], accountId: number): Promise<string> {
  return String((await read.run('jmap.objects', { accountId, kind: 'submission' })).seq);
}

function toObject(id: number, { queueId: _queueId, sendAt, ...rest }: Submission): JsonObject {
  return {
    id: formatId('submission', id),
    ...rest,
    sendAt: formatUtc(sendAt),
    undoStatus: 'final',
    // Null: not told here (it would change without a change of state).
    deliveryStatus: null,
    dsnBlobIds: [],
    mdnBlobIds: [],
  };
}

async function get(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await ownView(context, args);
  const ids = idsArg(args);
  const properties = propertiesArg(args, (name) => PROPERTIES.includes(name));
  const { seq, all } = await submissions(context.options.store.read, view.accountId);
  if (ids === undefined && all.size > JMAP_LIMITS.objectsInGet) throw new MethodError('requestTooLarge');
  const list: JsonObject[] = [];
  const notFound: string[] = [];
  for (const text of ids ?? [...all.keys()].map((id) => formatId('submission', id))) {
    const id = parseId('submission', text) ?? -1;
    const found = all.get(id);
    if (found === undefined) notFound.push(text);
    else list.push(pick(toObject(id, found), properties));
  }
  return { accountId: accountText(view), state: String(seq), list, notFound };
}

function sinceOf(text: string, seq: number): number {
  const since = /^\d{1,15}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  if (since > seq) throw new MethodError('cannotCalculateChanges');
  return since;
}

async function changes(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await ownView(context, args);
  const { read } = context.options.store;
  const sinceState = textArg(args, 'sinceState');
  const now = Number(await submissionState(read, view.accountId));
  const since = { seq: sinceOf(sinceState, now) };
  const changed = await read.run('jmap.objectChanges', {
    accountId: view.accountId,
    kind: 'submission',
    since,
  });
  const ids = (list: readonly number[]): string[] => list.map((id) => formatId('submission', id));
  return {
    accountId: accountText(view),
    oldState: sinceState,
    newState: String(changed.until.seq),
    hasMoreChanges: false,
    created: ids(changed.created),
    updated: ids(changed.updated),
    destroyed: ids(changed.destroyed),
  };
}

type Test = (id: number, submission: Submission) => boolean;

function compile(filter: Json | undefined, depth = 0): Test {
  if (filter === undefined || filter === null) return () => true;
  if (!isObject(filter) || depth > JMAP_LIMITS.filterDepth) throw invalidArguments('filter is no filter');
  const { operator, conditions } = filter;
  if (operator !== undefined) {
    if (!Array.isArray(conditions)) throw invalidArguments('conditions must be a list');
    const tests = (conditions as readonly Json[]).map((each) => compile(each, depth + 1));
    if (operator === 'AND') return (id, each) => tests.every((test) => test(id, each));
    if (operator === 'OR') return (id, each) => tests.some((test) => test(id, each));
    if (operator === 'NOT') return (id, each) => !tests.some((test) => test(id, each));
    throw invalidArguments('operator must be AND, OR or NOT');
  }
  const tests = Object.entries(filter).map(([name, value]) => condition(name, filter, value));
  return (id, each) => tests.every((test) => test(id, each));
}

function condition(name: string, filter: JsonObject, value: Json | undefined): Test {
  if (name === 'undoStatus') return () => value === 'final';
  if (name === 'before' || name === 'after') {
    const time = parseUtc(value);
    if (time === undefined) throw invalidArguments(`${name} must be a UTC date`);
    return (_id, { sendAt }) => (name === 'before' ? sendAt < time : sendAt >= time);
  }
  if (name !== 'identityIds' && name !== 'emailIds' && name !== 'threadIds')
    throw new MethodError('unsupportedFilter');
  const wanted = textsArg(filter, name) ?? [];
  const property = name === 'identityIds' ? 'identityId' : name === 'emailIds' ? 'emailId' : 'threadId';
  return (_id, each) => wanted.includes(each[property]);
}

async function query(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await ownView(context, args);
  const { seq, all } = await submissions(context.options.store.read, view.accountId);
  const test = compile(args['filter']);
  const sort = args['sort'] ?? [];
  if (!Array.isArray(sort)) throw invalidArguments('sort must be a list');
  const found = [...all].filter(([id, each]) => test(id, each));
  for (const by of (sort as readonly Json[]).toReversed()) {
    const { property, isAscending = true } = isObject(by) ? by : {};
    if (property !== 'sentAt' && property !== 'emailId' && property !== 'threadId')
      throw new MethodError('unsupportedSort');
    const key = property === 'sentAt' ? 'sendAt' : property;
    const sign = isAscending === false ? -1 : 1;
    found.sort(([, a], [, b]) => (a[key] < b[key] ? -sign : a[key] > b[key] ? sign : 0));
  }
  let position = intArg(args, 'position', Number.MIN_SAFE_INTEGER) ?? 0;
  if (position < 0) position = Math.max(0, found.length + position);
  const limit = intArg(args, 'limit', 0) ?? JMAP_LIMITS.queryLimit;
  return {
    accountId: accountText(view),
    queryState: String(seq),
    canCalculateChanges: false,
    position,
    ids: found.slice(position, position + limit).map(([id]) => formatId('submission', id)),
    ...(flagArg(args, 'calculateTotal') && { total: found.length }),
  };
}

async function queryChanges(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await ownView(context, args);
  const state = await submissionState(context.options.store.read, view.accountId);
  const since = textArg(args, 'sinceQueryState');
  if (since !== state) throw new MethodError('cannotCalculateChanges');
  return { accountId: accountText(view), oldQueryState: since, newQueryState: state, removed: [], added: [] };
}

function envelopeAddress(value: Json | undefined): string {
  if (
    !isObject(value) ||
    typeof value['email'] !== 'string' ||
    value['email'].length > 320 ||
    /[\r\n<>]/.test(value['email'])
  )
    throw invalidProperties(['envelope'], 'An address of the envelope is none.');
  if (isObject(value['parameters']) && Object.keys(value['parameters']).length > 0)
    throw invalidProperties(['envelope'], 'Parameters are not supported.');
  return value['email'];
}

function givenEnvelope(value: JsonObject): Envelope {
  const { mailFrom, rcptTo } = value;
  if (!Array.isArray(rcptTo)) throw invalidProperties(['envelope'], 'rcptTo must be a list.');
  return { mailFrom: envelopeAddress(mailFrom), rcptTo: (rcptTo as readonly Json[]).map(envelopeAddress) };
}

function emailsIn(value: Json | undefined): string[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly Json[]).flatMap((each) =>
    isObject(each) && typeof each['email'] === 'string' && each['email'] !== '' ? [each['email']] : [],
  );
}

/** RFC 8621 section 7.5: without an envelope it is made of the header. */
function envelopeOf(email: JsonObject): Envelope {
  const from = emailsIn(email['sender'])[0] ?? emailsIn(email['from'])[0] ?? '';
  const to = new Map<string, string>();
  for (const name of ['to', 'cc', 'bcc']) {
    for (const address of emailsIn(email[name])) to.set(address.toLowerCase(), address);
  }
  return { mailFrom: from, rcptTo: [...to.values()] };
}

/** Recipients of one submission. */
const MAX_RECIPIENTS = 1000;

async function create(context: Context, view: View, given: JsonObject): Promise<JsonObject> {
  const { store } = context.options;
  const unknown = Object.keys(given).find(
    (name) => !['identityId', 'emailId', 'envelope', 'sendAt', 'undoStatus'].includes(name),
  );
  if (unknown !== undefined) throw invalidProperties([unknown], `${unknown.slice(0, 100)} cannot be set.`);
  const identityId = resolveCreated(context, given['identityId']);
  const { identities: known } = await identities(store.read, view.accountId);
  if (identityId === undefined || !known.has(parseId('identity', identityId) ?? -1))
    throw invalidProperties(['identityId'], 'There is no such identity.');
  const emailId = parseId('email', resolveCreated(context, given['emailId'])) ?? -1;
  const wish = {
    properties: ['threadId', 'sender', 'from', 'to', 'cc', 'bcc'],
    bodyProperties: [],
    values: { text: false, html: false, all: false, max: 0 },
    left: 0,
  };
  const [email] = await emailObjects(context, view, [emailId], wish);
  const message = email && (await findBlob(store, view, emailBlobId(emailId)));
  if (email === undefined || message === undefined)
    throw invalidProperties(['emailId'], 'There is no such email.');
  if (emailsIn(email['from']).length === 0)
    throw new SetError('invalidEmail', 'It has no From.', { properties: ['from'] });
  const { envelope: asked } = given;
  const envelope = isObject(asked) ? givenEnvelope(asked) : envelopeOf(email);
  if (envelope.rcptTo.length === 0) throw new SetError('noRecipients');
  if (envelope.rcptTo.length > MAX_RECIPIENTS)
    throw new SetError('tooManyRecipients', undefined, { maxRecipients: MAX_RECIPIENTS });
  const queueId = await send(context, envelope, message);
  const submission: Submission = {
    identityId,
    emailId: formatId('email', emailId),
    threadId: String(email['threadId']),
    envelope: {
      mailFrom: { email: envelope.mailFrom, parameters: null },
      rcptTo: envelope.rcptTo.map((each) => ({ email: each, parameters: null })),
    },
    sendAt: context.options.clock.now(),
    queueId,
  };
  const data = JSON.stringify(submission);
  const { id } = await store.write.run('jmap.putObject', {
    accountId: view.accountId,
    kind: 'submission',
    data,
  });
  return toObject(id, submission);
}

async function set(context: Context, args: JsonObject): Promise<Answer> {
  const view = await ownView(context, args);
  const { read, write } = context.options.store;
  const given = setArgs(args);
  const onUpdate = objectsArg(args, 'onSuccessUpdateEmail');
  const onDestroy = textsArg(args, 'onSuccessDestroyEmail') ?? [];
  const oldState = await submissionState(read, view.accountId);
  if (given.ifInState !== undefined && given.ifInState !== oldState) throw new MethodError('stateMismatch');
  const result = new SetResult();
  const { all } = await submissions(read, view.accountId);
  const emailOf = new Map([...all].map(([id, { emailId }]) => [formatId('submission', id), emailId]));
  const done = new Map<string, string>();
  for (const [key, fields] of given.create) {
    try {
      const { emailId, identityId: _identityId, ...made } = await create(context, view, fields);
      context.createdIds.set(key, String(made['id']));
      result.created[key] = made;
      done.set(`#${key}`, String(emailId));
    } catch (error) {
      result.notCreated[key] = setErrorFrom(error);
    }
  }
  for (const [id, patch] of given.update) {
    const known = emailOf.get(id);
    const failure = updateFailure(known, patch);
    if (failure !== undefined) result.notUpdated[id] = failure;
    else {
      result.updated[id] = null;
      done.set(id, known ?? '');
    }
  }
  for (const id of given.destroy) {
    const known = emailOf.get(id);
    if (known === undefined) {
      result.notDestroyed[id] = { type: 'notFound' };
      continue;
    }
    const args = {
      accountId: view.accountId,
      kind: 'submission' as const,
      id: parseId('submission', id) ?? 0,
      data: null,
    };
    await write.run('jmap.putObject', args);
    result.destroyed.push(id);
    done.set(id, known);
  }
  const own = result.answer(view, oldState, await submissionState(read, view.accountId));
  const onSuccess = await afterwards(context, view, done, onUpdate, onDestroy);
  return [['EmailSubmission/set', own], ...onSuccess];
}

/** What has been submitted stays as it is. */
function updateFailure(emailId: string | undefined, patch: JsonObject): JsonObject | undefined {
  if (emailId === undefined) return { type: 'notFound' };
  if (patch['undoStatus'] === 'canceled') return { type: 'cannotUnsend' };
  const properties = Object.keys(patch);
  return properties.length > 0 ? { type: 'invalidProperties', properties } : undefined;
}

/** RFC 8621 section 7.5: what is to become of the emails, as one implicit Email/set, answered after the submissions. */
async function afterwards(
  context: Context,
  view: View,
  done: ReadonlyMap<string, string>,
  onUpdate: readonly (readonly [string, JsonObject])[],
  onDestroy: readonly string[],
): Promise<Invocation[]> {
  const update: Record<string, JsonObject> = {};
  for (const [id, patch] of onUpdate) {
    const email = done.get(id);
    if (email !== undefined) update[email] = patch;
  }
  const destroy = onDestroy.flatMap((id) => done.get(id) ?? []);
  if (Object.keys(update).length + destroy.length === 0) return [];
  const accountId = accountText(view);
  return [['Email/set', await emailSet(context, { accountId, update, destroy })]];
}

export const submissionMethods: readonly Method[] = [
  method('EmailSubmission/get', CAPABILITY.submission, get),
  method('EmailSubmission/changes', CAPABILITY.submission, changes),
  method('EmailSubmission/query', CAPABILITY.submission, query),
  method('EmailSubmission/queryChanges', CAPABILITY.submission, queryChanges),
  method('EmailSubmission/set', CAPABILITY.submission, set),
];
