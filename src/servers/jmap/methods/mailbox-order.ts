import { type Context, mailView, resolveCreated } from '../context.ts';
import { formatId, parseId } from '../ids.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { type MailboxNode, mailboxNodes } from './mailbox-object.ts';

/**
 * The order of the changes of one Mailbox/set. RFC 8620 section 5.3: when all of them together are valid they are to be
 * done, though one may stand in another's way for a while: two mailboxes that swap their names, one that takes the role of
 * another that is destroyed. So what fails is tried again after others, and changes that wait for each other in a circle are
 * done in one commit: nobody ever sees a mailbox that stands aside for a moment.
 */
export interface Task {
  readonly kind: 'create' | 'update' | 'destroy';
  /** Creation id, or id of the mailbox. */
  readonly key: string;
  readonly fields: JsonObject;
  /** Undefined when it succeeded. */
  run(): Promise<Json | undefined>;
}

/** Do tasks that wait for each other in one commit. False: not all of them can be done, and none was. */
export type Together = (tasks: readonly Task[]) => Promise<boolean>;

/** Tries of one request beyond the first of each change. */
const MOST_TRIES = 2000;

/** Circles of one request that may turn out to be impossible. */
const MOST_REFUSED = 20;

interface Failed {
  readonly task: Task;
  error: Json;
}

/** Do all that can be done; what fails, and why. */
export async function runTasks(
  context: Context,
  accountId: string,
  tasks: readonly Task[],
  together: Together,
): Promise<readonly Failed[]> {
  let tries = MOST_TRIES;
  let failed: Failed[] = [];
  for (const task of tasks) {
    const error = await task.run();
    if (error !== undefined) failed.push({ task, error });
  }
  async function again(): Promise<boolean> {
    let progress = false;
    for (let before = -1; before !== failed.length && tries > 0; ) {
      before = failed.length;
      const left: Failed[] = [];
      for (const each of failed) {
        const error = !mayPass(each.error) || tries-- <= 0 ? each.error : await each.task.run();
        if (error === undefined) progress = true;
        else left.push({ task: each.task, error });
      }
      // From the other end: a chain of names is done in one go from one of its ends.
      failed = left.toReversed();
    }
    return progress;
  }
  if (tasks.length > 1) await again();
  const vain = new Set<Failed>();
  for (let refused = 0; failed.length > 1 && tries > 0 && refused < MOST_REFUSED; ) {
    const circle = await circleOf(context, accountId, failed, vain);
    if (circle === undefined) break;
    if (await together([...circle].map(({ task }) => task))) {
      failed = failed.filter((each) => !circle.has(each));
      await again();
    } else {
      refused++;
      for (const each of circle) vain.add(each);
    }
  }
  return failed;
}

function properties(error: Json): readonly string[] {
  if (!isObject(error) || error['type'] !== 'invalidProperties') return [];
  return Array.isArray(error['properties']) ? (error['properties'] as readonly string[]) : [];
}

/** Whether what stands in the way may go away. */
function mayPass(error: Json): boolean {
  if (isObject(error) && error['type'] === 'mailboxHasChild') return true;
  return properties(error).some((name) => name === 'name' || name === 'role' || name === 'parentId');
}

interface Place {
  readonly nodes: ReadonlyMap<number, MailboxNode>;
  readonly failed: readonly Failed[];
  readonly context: Context;
}

/** Changes that wait for each other and for nobody else; `vain`: those of which that is of no use. */
async function circleOf(
  context: Context,
  accountId: string,
  failed: readonly Failed[],
  vain: ReadonlySet<Failed>,
): Promise<ReadonlySet<Failed> | undefined> {
  const place: Place = { context, failed, nodes: mailboxNodes(await mailView(context, { accountId })) };
  const waits = new Map(failed.map((each) => [each, waitsFor(place, each)]));
  // What waits for somebody who will never move is hopeless, and so is what waits for it.
  const hopeful = new Set(failed).difference(vain);
  for (let size = -1; size !== hopeful.size; ) {
    size = hopeful.size;
    for (const each of hopeful) {
      const blockers = waits.get(each);
      if (blockers === undefined || blockers.some((one) => !hopeful.has(one))) hopeful.delete(each);
    }
  }
  const [first] = hopeful;
  if (first === undefined) return undefined;
  const circle = new Set([first]);
  for (const each of circle) for (const one of waits.get(each) ?? []) circle.add(one);
  return circle;
}

/** The changes that must come before this one; undefined: no change will help. */
function waitsFor(place: Place, each: Failed): Failed[] | undefined {
  const { task, error } = each;
  const found: (Failed | undefined)[] = [];
  if (isObject(error) && error['type'] === 'mailboxHasChild') {
    const id = idOf(place, task);
    for (const node of place.nodes.values())
      if (node.parentId === id) found.push(moverOf(place, node.id, ['parentId']));
  } else {
    for (const name of properties(error)) {
      if (name === 'parentId') found.push(creatorOf(place, task.fields['parentId']));
      else if (name === 'name' || name === 'role') {
        const id = holderOf(place, task, name);
        found.push(
          id === undefined
            ? undefined
            : moverOf(place, id, name === 'name' ? ['name', 'parentId'] : ['role']),
        );
      }
    }
  }
  const all = found.filter((one) => one !== undefined);
  return all.length === 0 || all.length < found.length ? undefined : all;
}

function idOf({ context }: Place, { kind, key }: Task): number | undefined {
  return kind === 'create' ? undefined : parseId('mailbox', resolveCreated(context, key));
}

/** What will take a mailbox away, or change one of these properties of it. */
function moverOf(place: Place, id: number, names: readonly string[]): Failed | undefined {
  return place.failed.find(
    ({ task }) =>
      idOf(place, task) === id &&
      (task.kind === 'destroy' || names.some((name) => task.fields[name] !== undefined)),
  );
}

function creatorOf({ failed }: Place, parentId: Json | undefined): Failed | undefined {
  const key = typeof parentId === 'string' && parentId.startsWith('#') ? parentId.slice(1) : undefined;
  return failed.find(({ task }) => task.kind === 'create' && task.key === key);
}

/** The mailbox that has the name or the role that a change wants. */
function holderOf(place: Place, task: Task, what: 'name' | 'role'): number | undefined {
  const { nodes, context } = place;
  const own = idOf(place, task);
  const now = own === undefined ? undefined : nodes.get(own);
  const { role, name = now?.name, parentId = formatParent(now) } = task.fields;
  const parent = parentId === null ? undefined : parseId('mailbox', resolveCreated(context, parentId));
  const normal = typeof name === 'string' ? name.normalize('NFC') : undefined;
  for (const node of nodes.values()) {
    if (node.id === own) continue;
    if (what === 'role' ? node.role === role : node.name === normal && node.parentId === parent)
      return node.id;
  }
  return undefined;
}

function formatParent(node: MailboxNode | undefined): string | null {
  return node?.parentId === undefined ? null : formatId('mailbox', node.parentId);
}
