import { Refusal } from '../../../base/errors.ts';
import { randomToken } from '../../../base/ids.ts';
import type {
  MailboxFields,
  SetMailbox,
  SetMailboxOutcome,
  TogetherChange,
} from '../../../data/jmap/set-mailboxes.ts';
import { flagArg, setArgs } from '../args.ts';
import { changingView, type Context, mailView, resolveCreated, scopeOf } from '../context.ts';
import { invalidProperties, MethodError, setErrorFrom, SetError, setErrorOf } from '../errors.ts';
import { formatId, parseId } from '../ids.ts';
import { type Json, type JsonObject, sameJson } from '../json.ts';
import { JMAP_LIMITS } from '../limits.ts';
import { formatState, parseState } from '../state.ts';
import { patched, patchedProperties } from '../patch.ts';
import type { View } from '../view.ts';
import { type MailboxNode, mailboxNodes, mailboxObject, ROLES } from './mailbox-object.ts';
import { SetResult, Steps } from './standard.ts';
import { runTasks, type Task } from './mailbox-order.ts';

const SETTABLE: ReadonlySet<string> = new Set(['name', 'parentId', 'role', 'sortOrder', 'isSubscribed']);

/** What null sets a property to. */
const USUAL: JsonObject = { parentId: null, role: null, sortOrder: 0 };

/** Properties that one error names. */
const MOST_NAMED = 50;

/** What is wrong with a property that can be set; undefined: nothing. */
const WRONG: Readonly<Record<string, (value: Json) => string | undefined>> = {
  name: (value) =>
    typeof value === 'string' && Buffer.byteLength(value) <= JMAP_LIMITS.mailboxNameBytes
      ? undefined
      : `must be a string of at most ${JMAP_LIMITS.mailboxNameBytes} octets`,
  isSubscribed: (value) => (typeof value === 'boolean' ? undefined : 'must be true or false'),
  sortOrder: (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 31
      ? undefined
      : 'must be a whole number from 0 on',
  role: (value) => (value === null || typeof value === 'string' ? undefined : 'must be a string or null'),
  parentId: (value) => (value === null || typeof value === 'string' ? undefined : 'must be an id or null'),
};

/** What a client says of a mailbox, checked; all that is wrong is told (RFC 8620 section 5.3). */
function fieldsOf(context: Context, given: JsonObject, now: JsonObject | undefined): MailboxFields {
  const wrong: [name: string, what: string][] = [];
  for (const [name, value = null] of Object.entries(given)) {
    // What the server sets may be sent as it is.
    if (now !== undefined && Object.hasOwn(now, name) && sameJson(now[name], value)) continue;
    const what = SETTABLE.has(name) ? WRONG[name]?.(value) : 'cannot be set';
    if (what !== undefined) wrong.push([name, `${name.slice(0, 100)} ${what}`]);
  }
  if (wrong.length > 0)
    throw invalidProperties(
      wrong.slice(0, MOST_NAMED).map(([name]) => name),
      `${wrong
        .slice(0, 3)
        .map(([, what]) => what)
        .join('; ')}.`,
    );
  const { name, parentId, role, sortOrder, isSubscribed } = given;
  return {
    ...(typeof name === 'string' && name !== now?.['name'] && { name: name.normalize('NFC') }),
    ...(parentId !== undefined &&
      parentId !== now?.['parentId'] && { parentId: parentOf(context, parentId) }),
    ...(role !== undefined && now?.['role'] !== role && { specialUse: useOf(role) }),
    ...(typeof sortOrder === 'number' && { sortOrder }),
    ...(typeof isSubscribed === 'boolean' && { subscribed: isSubscribed }),
  };
}

/** The properties that a patch is about, as it makes them. */
function touchedBy(now: JsonObject, patch: JsonObject): JsonObject {
  const wanted = patched(now, patch, USUAL);
  return Object.fromEntries(patchedProperties(patch).map((name) => [name, wanted[name]]));
}

function parentOf(context: Context, value: Json): number | null {
  if (value === null) return null;
  const id = parseId('mailbox', resolveCreated(context, value));
  if (id === undefined) throw invalidProperties(['parentId'], 'There is no such mailbox.');
  return id;
}

function useOf(role: Json): NonNullable<MailboxFields['specialUse']> | null {
  if (role === null) return null;
  const use = typeof role === 'string' ? ROLES.get(role) : undefined;
  if (use === undefined) throw invalidProperties(['role'], 'There is no such role to be given.');
  return use;
}

interface Work {
  readonly context: Context;
  readonly view: View;
  readonly steps: Steps;
  readonly result: SetResult;
  readonly ifInState: string | undefined;
}

async function run(
  { context, view, steps, ifInState }: Work,
  change: SetMailbox['change'],
): Promise<SetMailboxOutcome> {
  const { accountId, viewer } = view;
  const request = { accountId, viewer, change, ifSeq: steps.ifSeq(ifInState) };
  const outcome = await context.options.store.write.run('jmap.setMailbox', request);
  if (outcome === 'state-mismatch') throw new MethodError('stateMismatch');
  steps.took(outcome.oldSeq, outcome.newSeq);
  return outcome;
}

/** What is to be made. @throws SetError */
function newFields(context: Context, given: JsonObject): MailboxFields & { readonly name: string } {
  // A default may be named as null.
  const filled = Object.fromEntries(
    Object.entries(given).map(([property, value]) => [property, value ?? USUAL[property] ?? null]),
  );
  const { name, specialUse, ...fields } = fieldsOf(context, filled, undefined);
  if (name === undefined) throw invalidProperties(['name'], 'A mailbox needs a name.');
  return { ...fields, name, ...(specialUse != null && { specialUse }) };
}

/** Tell of what was made. */
async function tellMade(work: Work, key: string, given: JsonObject, number: number): Promise<void> {
  const { context, result } = work;
  const id = formatId('mailbox', number);
  context.createdIds.set(key, id);
  const node = mailboxNodes(
    await mailView(context, { accountId: formatId('account', work.view.accountId) }),
  ).get(number);
  const whole: JsonObject = node === undefined ? { id } : mailboxObject(node);
  // What the client did not say, or not so.
  result.created[key] = Object.fromEntries(
    Object.entries({ ...whole, id, sortOrder: given['sortOrder'] ?? 0 }).filter(
      ([property, value]) => given[property] !== value,
    ),
  );
}

/** Each of these answers with the error, if there is one. */
async function create(work: Work, key: string, given: JsonObject): Promise<Json | undefined> {
  try {
    const done = await run(work, { create: newFields(work.context, given) });
    if (done.failure !== undefined) return setErrorOf(done.failure);
    await tellMade(work, key, given, done.id);
    return undefined;
  } catch (error) {
    return setErrorFrom(error, work.result.isBegun);
  }
}

/** The mailbox as Mailbox/get tells it, counts included where they are named. */
async function objectNow({ context, view }: Work, node: MailboxNode, patch: JsonObject): Promise<JsonObject> {
  if (patchedProperties(patch).every((name) => SETTABLE.has(name))) return mailboxObject(node);
  const { counts } = await context.options.store.read.run('jmap.counts', scopeOf(context, view));
  return mailboxObject(node, counts.get(node.id));
}

/** What a patch changes. @throws SetError */
async function changedFields(work: Work, id: number, patch: JsonObject): Promise<MailboxFields> {
  const node = mailboxNodes(work.view).get(id);
  const now = node && (await objectNow(work, node, patch));
  return fieldsOf(work.context, now === undefined ? patch : touchedBy(now, patch), now);
}

async function update(work: Work, text: string, patch: JsonObject): Promise<Json | undefined> {
  const { context, result } = work;
  try {
    const id = parseId('mailbox', resolveCreated(context, text));
    if (id === undefined) throw new SetError('notFound');
    const done = await run(work, { update: id, fields: await changedFields(work, id, patch) });
    if (done.failure !== undefined) return setErrorOf(done.failure);
    result.updated[text] = null;
    return undefined;
  } catch (error) {
    return setErrorFrom(error, work.result.isBegun);
  }
}

async function destroy(work: Work, text: string, removeEmails: boolean): Promise<Json | undefined> {
  const { context, result } = work;
  const id = parseId('mailbox', resolveCreated(context, text));
  const done = id === undefined ? undefined : await run(work, { destroy: id, removeEmails });
  if (done === undefined || done.failure !== undefined)
    return setErrorOf(done?.failure ?? { type: 'notFound' });
  result.destroyed.push(text);
  return undefined;
}

/** Changes that wait for each other, in one commit. */
async function together(work: Work, tasks: readonly Task[], removeEmails: boolean): Promise<boolean> {
  const { context, view, steps, result } = work;
  const { accountId, viewer } = view;
  try {
    const changes = await Promise.all(tasks.map((task) => togetherChange(work, task, tasks, removeEmails)));
    const request = { accountId, viewer, changes, aside: `~${randomToken(12)}` };
    const done = await context.options.store.write.run('jmap.setMailboxesTogether', request);
    steps.took(done.oldSeq, done.newSeq);
    for (const [i, { kind, key, fields }] of tasks.entries()) {
      if (kind === 'create') await tellMade(work, key, fields, done.ids[i] ?? 0);
      else if (kind === 'update') result.updated[key] = null;
      else result.destroyed.push(key);
    }
    return true;
  } catch (error) {
    if (error instanceof SetError || (error instanceof Refusal && error.kind === 'conflict')) return false;
    throw error;
  }
}

async function togetherChange(
  work: Work,
  { kind, key, fields }: Task,
  tasks: readonly Task[],
  removeEmails: boolean,
): Promise<TogetherChange> {
  const { context } = work;
  const { parentId, ...others } = fields;
  const at = tasks.findIndex((each) => each.kind === 'create' && parentId === `#${each.key}`);
  const below = at < 0 ? undefined : at;
  const given = below === undefined ? fields : others;
  if (kind === 'create') return { create: newFields(context, given), below };
  const id = parseId('mailbox', resolveCreated(context, key));
  if (id === undefined) throw new SetError('notFound');
  if (kind === 'destroy') return { destroy: id, removeEmails };
  return { update: id, fields: await changedFields(work, id, given), below };
}

/** What is made hangs from what was made before it, in whatever order they are named. */
function parentsFirst(create: readonly (readonly [string, JsonObject])[]): (readonly [string, JsonObject])[] {
  const byKey = new Map(create);
  const order: (readonly [string, JsonObject])[] = [];
  const placed = new Set<string>();
  for (const [start] of create) {
    const chain: string[] = [];
    for (let key: string | undefined = start; key !== undefined && !placed.has(key); ) {
      placed.add(key);
      chain.push(key);
      const parent: Json | undefined = byKey.get(key)?.['parentId'];
      const name: string | undefined =
        typeof parent === 'string' && parent.startsWith('#') ? parent.slice(1) : undefined;
      key = name !== undefined && byKey.has(name) ? name : undefined;
    }
    for (const key of chain.reverse()) {
      const fields = byKey.get(key);
      if (fields !== undefined) order.push([key, fields]);
    }
  }
  return order;
}

/** Mailbox/set (RFC 8621 section 2.5). */
export async function mailboxSet(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await changingView(context, args);
  const given = setArgs(args);
  const removeEmails = flagArg(args, 'onDestroyRemoveEmails');
  const { seq } = await context.options.store.read.run('jmap.state', { accountId: view.accountId });
  requireState(view, given.ifInState, seq);
  const work: Work = {
    context,
    view,
    steps: new Steps(seq),
    result: new SetResult(),
    ifInState: given.ifInState,
  };
  const { result } = work;
  const tasks: Task[] = parentsFirst(given.create).map(([key, fields]) => {
    return { kind: 'create', key, fields, run: () => create(work, key, fields) };
  });
  for (const [key, fields] of given.update) {
    if (given.destroy.includes(key)) result.notUpdated[key] = { type: 'willDestroy' };
    else tasks.push({ kind: 'update', key, fields, run: () => update(work, key, fields) });
  }
  // Children before their parents: the longest names first.
  const paths = new Map(
    [...mailboxNodes(view).values()].map(({ id, known }) => [formatId('mailbox', id), known.path]),
  );
  const depth = (id: string): number => (paths.get(id) ?? '').split('/').length;
  for (const key of given.destroy.toSorted((a, b) => depth(b) - depth(a)))
    tasks.push({ kind: 'destroy', key, fields: {}, run: () => destroy(work, key, removeEmails) });
  const atOnce = (some: readonly Task[]): Promise<boolean> => together(work, some, removeEmails);
  const into = { create: result.notCreated, update: result.notUpdated, destroy: result.notDestroyed };
  for (const { task, error } of await runTasks(context, formatId('account', view.accountId), tasks, atOnce))
    into[task.kind][task.key] = error;
  const state = (at: number): string => formatState(view, { seq: at });
  return work.result.answer(view, state(seq), state(work.steps.after));
}

/** @throws MethodError 'stateMismatch' */
export function requireState(view: View, wanted: string | undefined, seq: number): void {
  if (wanted === undefined) return;
  let since: { seq: number; id?: number | undefined };
  try {
    since = parseState(view, wanted);
  } catch {
    throw new MethodError('stateMismatch');
  }
  if (since.seq !== seq || since.id !== undefined) throw new MethodError('stateMismatch');
}
