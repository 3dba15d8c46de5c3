import { randomToken } from '../../../base/ids.ts';
import type { MailboxFields, SetMailbox, SetMailboxOutcome } from '../../../data/jmap/set-mailboxes.ts';
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
import { type Parking, runTasks, type Task } from './mailbox-order.ts';

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
  /** Mailboxes that stand aside, and what they were. */
  readonly parked: Map<number, MailboxFields>;
}

async function run({ context, view, steps }: Work, change: SetMailbox['change']): Promise<SetMailboxOutcome> {
  const { accountId, viewer } = view;
  const outcome = await context.options.store.write.run('jmap.setMailbox', { accountId, viewer, change });
  if (outcome === 'state-mismatch') throw new Error('no state was asked for');
  steps.took(outcome.oldSeq, outcome.newSeq);
  return outcome;
}

/** Each of these answers with the error, if there is one. */
async function create(work: Work, key: string, given: JsonObject): Promise<Json | undefined> {
  const { context, result } = work;
  try {
    // A default may be named as null.
    const filled = Object.fromEntries(
      Object.entries(given).map(([property, value]) => [property, value ?? USUAL[property] ?? null]),
    );
    const { name, specialUse, ...fields } = fieldsOf(context, filled, undefined);
    if (name === undefined) throw invalidProperties(['name'], 'A mailbox needs a name.');
    const made = await run(work, {
      create: { ...fields, name, ...(specialUse != null && { specialUse }) },
    });
    if (made.failure !== undefined) return setErrorOf(made.failure);
    const id = formatId('mailbox', made.id);
    context.createdIds.set(key, id);
    const node = mailboxNodes(
      await mailView(context, { accountId: formatId('account', work.view.accountId) }),
    ).get(made.id);
    const whole: JsonObject = node === undefined ? { id } : mailboxObject(node);
    // What the client did not say, or not so.
    result.created[key] = Object.fromEntries(
      Object.entries({ ...whole, id, sortOrder: fields.sortOrder ?? 0 }).filter(
        ([property, value]) => given[property] !== value,
      ),
    );
    return undefined;
  } catch (error) {
    return setErrorFrom(error);
  }
}

/** The mailbox as Mailbox/get tells it, counts included where they are named. */
async function objectNow({ context, view }: Work, node: MailboxNode, patch: JsonObject): Promise<JsonObject> {
  if (patchedProperties(patch).every((name) => SETTABLE.has(name))) return mailboxObject(node);
  const { counts } = await context.options.store.read.run('jmap.counts', scopeOf(context, view));
  return mailboxObject(node, counts.get(node.id));
}

async function update(work: Work, text: string, patch: JsonObject): Promise<Json | undefined> {
  const { context, view, result } = work;
  try {
    const id = parseId('mailbox', resolveCreated(context, text));
    const node = id === undefined ? undefined : mailboxNodes(view).get(id);
    if (id === undefined) throw new SetError('notFound');
    const now = node && (await objectNow(work, node, patch));
    const given = now === undefined ? patch : touchedBy(now, patch);
    const fields = { ...work.parked.get(id), ...fieldsOf(context, given, now) };
    const done = await run(work, { update: id, fields });
    if (done.failure !== undefined) return setErrorOf(done.failure);
    result.updated[text] = null;
    return undefined;
  } catch (error) {
    return setErrorFrom(error);
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

/** Moves mailboxes out of the way of others, and back. */
function parking(work: Work, leaving: ReadonlySet<string>, removeEmails: boolean): Parking {
  const { context, view, parked: before } = work;
  return {
    async park(id, what) {
      const node = mailboxNodes(
        await mailView(context, { accountId: formatId('account', view.accountId) }),
      ).get(id);
      if (node === undefined || before.has(id)) return false;
      // One that is to go and cannot, for the emails in it, stays where it is.
      const { counts } = await context.options.store.read.run('jmap.counts', scopeOf(context, view));
      if (leaving.has(formatId('mailbox', id)) && !removeEmails && (counts.get(id)?.totalEmails ?? 0) > 0)
        return false;
      const use = node.role === undefined ? null : (ROLES.get(node.role) ?? null);
      before.set(id, what === 'name' ? { name: node.name } : { specialUse: use });
      const fields = what === 'name' ? { name: `~${randomToken(12)}` } : { specialUse: null };
      return (await run(work, { update: id, fields })).failure === undefined;
    },
    async unpark(id) {
      const fields = before.get(id);
      if (fields !== undefined) await run(work, { update: id, fields });
    },
  };
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
  const work: Work = { context, view, steps: new Steps(seq), result: new SetResult(), parked: new Map() };
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
  const out = parking(work, new Set(given.destroy), removeEmails);
  const into = { create: result.notCreated, update: result.notUpdated, destroy: result.notDestroyed };
  for (const { task, error } of await runTasks(context, formatId('account', view.accountId), tasks, out))
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
