import { flagArg, idsArg, pick, propertiesArg, textArg } from '../args.ts';
import { type Context, mailView, method, type Method, scopeOf } from '../context.ts';
import { MethodError } from '../errors.ts';
import { formatId, parseId } from '../ids.ts';
import type { Json, JsonObject } from '../json.ts';
import { CAPABILITY, JMAP_LIMITS } from '../limits.ts';
import { formatState, parseState } from '../state.ts';
import { accountText, type View } from '../view.ts';
import {
  compileFilter,
  comparison,
  flagCondition,
  readComparators,
  type Test,
  textCondition,
  textOrNullCondition,
  unsupportedCondition,
  windowed,
} from './lists.ts';
import { MAILBOX_PROPERTIES, type MailboxNode, mailboxNodes, mailboxObject } from './mailbox-object.ts';
import { mailboxSet } from './mailbox-set.ts';
import { changesAnswer, maxChanges, resultsChanged } from './standard.ts';

async function get(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await mailView(context, args);
  const ids = idsArg(args);
  const properties = propertiesArg(args, (name) => MAILBOX_PROPERTIES.includes(name));
  const { read } = context.options.store;
  // The state first: what is read after it may be newer, which does no harm; older it must not be.
  const { seq } = await read.run('jmap.state', { accountId: view.accountId });
  const { counts, sortOrders } = await read.run('jmap.counts', scopeOf(context, view));
  const nodes = mailboxNodes(await mailView(context, args));
  if (ids === undefined && nodes.size > JMAP_LIMITS.objectsInGet * 10)
    throw new MethodError('requestTooLarge');
  const list: JsonObject[] = [];
  const notFound: string[] = [];
  for (const text of ids ?? [...nodes.keys()].map((id) => formatId('mailbox', id))) {
    const node = nodes.get(parseId('mailbox', text) ?? -1);
    if (node === undefined) notFound.push(text);
    else list.push(pick(mailboxObject(node, counts.get(node.id), sortOrders.get(node.id)), properties));
  }
  return { accountId: accountText(view), state: formatState(view, { seq }), list, notFound };
}

async function changes(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await mailView(context, args);
  const since = parseState(view, textArg(args, 'sinceState'));
  const { read } = context.options.store;
  const changed = await read.run('jmap.mailboxChanges', {
    ...scopeOf(context, view),
    since,
    max: maxChanges(args),
  });
  // Which of the properties changed is not kept apart (RFC 8621 section 2.2).
  return { ...changesAnswer(view, args, 'mailbox', changed), updatedProperties: null };
}

function condition(name: string, value: Json | undefined): Test<MailboxNode> {
  switch (name) {
    case 'parentId': {
      const text = textOrNullCondition(name, value);
      const id = text === null ? undefined : (parseId('mailbox', text) ?? -1);
      return (node) => node.parentId === id;
    }
    case 'name': {
      const wanted = textCondition(name, value).toLowerCase();
      return (node) => node.name.toLowerCase().includes(wanted);
    }
    case 'role': {
      const role = textOrNullCondition(name, value);
      return (node) => (node.role ?? null) === role;
    }
    case 'hasAnyRole': {
      const wanted = flagCondition(name, value);
      return (node) => (node.role !== undefined) === wanted;
    }
    case 'isSubscribed': {
      const wanted = flagCondition(name, value);
      return (node) => node.known.mailbox.subscribed === wanted;
    }
    default:
      throw unsupportedCondition(name);
  }
}

interface Results {
  readonly seq: number;
  readonly ids: readonly number[];
}

async function results(context: Context, before: View, args: JsonObject): Promise<Results> {
  const { read } = context.options.store;
  // As for /get: what is read after the state may be newer than it, not older.
  const { seq } = await read.run('jmap.state', { accountId: before.accountId });
  const view = await mailView(context, args);
  const nodes = mailboxNodes(view);
  const test = compileFilter(args['filter'], condition);
  const sort = readComparators(args['sort'], ['sortOrder', 'name']);
  const asTree = flagArg(args, 'sortAsTree');
  const asFilter = flagArg(args, 'filterAsTree');
  const needed = sort.some(({ property }) => property === 'sortOrder');
  const { sortOrders } = needed
    ? await read.run('jmap.counts', scopeOf(context, view))
    : { sortOrders: new Map<number, number>() };
  const inOrder = comparison(sort, (node: MailboxNode, property) =>
    property === 'name' ? node.name : (sortOrders.get(node.id) ?? 0),
  );
  const compare = (a: MailboxNode, b: MailboxNode): number => inOrder(a, b) || a.id - b.id;
  const parentOf = (node: MailboxNode): MailboxNode | undefined =>
    node.parentId === undefined ? undefined : nodes.get(node.parentId);
  const passes = (node: MailboxNode | undefined): boolean =>
    node === undefined || (test(node) && (!asFilter || passes(parentOf(node))));
  const order = asTree ? inTree([...nodes.values()], compare) : [...nodes.values()].toSorted(compare);
  const ids = order.filter((node) => passes(node)).map(({ id }) => id);
  return { seq, ids };
}

/** Each mailbox before those below it. */
function inTree(
  nodes: readonly MailboxNode[],
  compare: (a: MailboxNode, b: MailboxNode) => number,
): MailboxNode[] {
  const below = Map.groupBy(nodes, ({ parentId }) => parentId);
  const out: MailboxNode[] = [];
  const add = (parentId: number | undefined): void => {
    for (const node of (below.get(parentId) ?? []).toSorted(compare)) {
      out.push(node);
      add(node.id);
    }
  };
  add(undefined);
  return out;
}

async function query(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await mailView(context, args);
  const { ids, seq } = await results(context, view, args);
  return {
    accountId: accountText(view),
    queryState: formatState(view, { seq }),
    canCalculateChanges: true,
    ...windowed(
      args,
      ids.map((id) => formatId('mailbox', id)),
    ),
  };
}

/** In a tree a mailbox moves, or is hidden, with those above it: then all of them are put in anew. */
async function queryChanges(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await mailView(context, args);
  const { ids, seq } = await results(context, view, args);
  const changed = await context.options.store.read.run('jmap.mailboxChanges', {
    ...scopeOf(context, view),
    since: parseState(view, textArg(args, 'sinceQueryState')),
  });
  if (changed === undefined) throw new MethodError('cannotCalculateChanges');
  const { created, updated, destroyed } = changed;
  const any = created.length + updated.length + destroyed.length > 0;
  const tree = flagArg(args, 'sortAsTree') || flagArg(args, 'filterAsTree');
  const others = any && tree ? view.mailboxes.map(({ mailbox }) => mailbox.id) : [];
  const touched = new Set([...created, ...updated, ...destroyed, ...others]);
  const newState = formatState(view, { seq });
  // Also what came since is named as taken out: the results before may have been newer than their state, and had it.
  return resultsChanged(view, args, 'mailbox', { newState, ids, touched, fresh: [] });
}

export const mailboxMethods: readonly Method[] = [
  method('Mailbox/get', CAPABILITY.mail, get),
  method('Mailbox/changes', CAPABILITY.mail, changes),
  method('Mailbox/query', CAPABILITY.mail, query),
  method('Mailbox/queryChanges', CAPABILITY.mail, queryChanges),
  method('Mailbox/set', CAPABILITY.mail, mailboxSet),
];
