import type { ReadTx } from '../db/sql.ts';
import { columnOf, type References, referencesOf, type Where } from './sort-columns.ts';
import { ranksFor, sortPositions } from './sorting.ts';

/** What a thread is made of: numbers of messages, and the dummies that stand for messages that are not there. */
interface Forest {
  /** Number of messages; dummies have higher numbers. */
  readonly count: number;
  /** -1: none. */
  readonly parent: Int32Array;
  readonly children: (number[] | undefined)[];
}

/** What a message is threaded by, all by its position. */
export interface ThreadInput {
  readonly count: number;
  /** Rank of the base subject; equal ranks are equal subjects. */
  readonly subject: Uint32Array;
  /** The subject is empty. */
  readonly noSubject: (position: number) => boolean;
  readonly date: Uint32Array;
  readonly reply: (position: number) => boolean;
}

/** "(" and ")" among UIDs. */
export const OPEN = 0;
export const CLOSE = 0xffff_ffff;

/**
 * Steps up a tree that one THREAD may take to see that a link makes no loop. Mail of people needs hardly any; where
 * somebody has built trees to make us climb, further links are left out.
 */
const MAX_CLIMB = 5_000_000;

function emptyForest(count: number, nodes: number): Forest {
  return { count, parent: new Int32Array(nodes).fill(-1), children: noChildren(nodes) };
}

function noChildren(nodes: number): (number[] | undefined)[] {
  return Array.from({ length: nodes });
}

function childrenOf(forest: Forest, node: number): number[] {
  return (forest.children[node] ??= []);
}

/** Number of each id's node: its message's position, or one behind the messages. */
function nodesOf(found: References, rows: Int32Array): { nodes: Int32Array; own: Int32Array; total: number } {
  const nodes = new Int32Array(found.numbers.size).fill(-1);
  const own = new Int32Array(rows.length).fill(-1);
  for (const [position, row] of rows.entries()) {
    const id = row < 0 ? -1 : (found.own[row] ?? -1);
    // RFC 5256 section 3: of messages with one id the first has it, the others have none.
    if (id >= 0 && nodes[id] === -1) {
      nodes[id] = position;
      own[position] = id;
    }
  }
  return { nodes, own, total: rows.length };
}

/** Steps 1 and 2 of REFERENCES: parents by References. */
function linked(found: References, rows: Int32Array): Forest {
  const { nodes, total } = nodesOf(found, rows);
  const parent = Array.from({ length: total }, () => -1);
  const kids = Array.from({ length: total }, () => 0);
  let climbed = 0;
  const nodeOf = (id: number): number => {
    let node = nodes[id] ?? -1;
    if (node === -1) {
      nodes[id] = node = parent.length;
      parent.push(-1);
      kids.push(0);
    }
    return node;
  };
  /** Whether `child` is `node` or above it. */
  const loops = (child: number, node: number): boolean => {
    if (child === node) return true;
    if (kids[child] === 0) return false;
    for (let at = parent[node] ?? -1; at !== -1; at = parent[at] ?? -1) {
      if (at === child || ++climbed > MAX_CLIMB) return true;
    }
    return false;
  };
  const link = (above: number, child: number): void => {
    if (loops(child, above)) return;
    parent[child] = above;
    kids[above] = (kids[above] ?? 0) + 1;
  };
  for (const [position, row] of rows.entries()) {
    if (row < 0) continue;
    let last = -1;
    for (let at = row === 0 ? 0 : (found.ends[row - 1] ?? 0); at < (found.ends[row] ?? 0); at++) {
      const node = nodeOf(found.ancestors[at] ?? 0);
      // Step 1.A: a link that is there is not changed.
      if (last !== -1 && parent[node] === -1) link(last, node);
      last = node;
    }
    // Step 1.B: the message's own link is, for References above it may have been cut.
    const above = parent[position] ?? -1;
    if (above !== -1) kids[above] = (kids[above] ?? 1) - 1;
    parent[position] = -1;
    if (last !== -1) link(last, position);
  }
  const forest = emptyForest(total, parent.length);
  for (const [node, above] of parent.entries()) {
    forest.parent[node] = above;
    if (above !== -1) childrenOf(forest, above).push(node);
  }
  return forest;
}

/** Nodes that have children, with those below each before it. */
function bottomUp(forest: Forest, roots: readonly number[]): number[] {
  const { children } = forest;
  const order: number[] = [];
  const stack = roots.filter((node) => children[node] !== undefined);
  for (;;) {
    const node = stack.pop();
    if (node === undefined) return order.toReversed();
    order.push(node);
    for (const child of children[node] ?? []) if (children[child] !== undefined) stack.push(child);
  }
}

/** Step 3: dummies go, their children take their place; at the top only where it is one child. The new roots. */
function pruned(forest: Forest): number[] {
  const { count, children } = forest;
  const roots: number[] = [];
  for (const [node, above] of forest.parent.entries()) if (above === -1) roots.push(node);
  const replaced = (node: number, atTop: boolean): readonly number[] => {
    const below = children[node] ?? [];
    if (node < count) return [node];
    return atTop && below.length > 1 ? [node] : below;
  };
  for (const node of bottomUp(forest, roots)) {
    const below = children[node];
    if (below?.some((child) => child >= count))
      children[node] = below.flatMap((child) => replaced(child, false));
  }
  return roots.flatMap((node) => replaced(node, true));
}

/** By date, then by position; a dummy goes by the first of its children, which are sorted already. */
function dateOrder(forest: Forest, input: ThreadInput): (a: number, b: number) => number {
  const first = (node: number): number => {
    let at = node;
    while (at >= forest.count) at = forest.children[at]?.[0] ?? -1;
    return at;
  };
  return (a, b) => {
    const [x, y] = [first(a), first(b)];
    return (input.date[x] ?? 0) - (input.date[y] ?? 0) || x - y;
  };
}

function sortSiblings(forest: Forest, roots: number[], input: ThreadInput): void {
  const order = dateOrder(forest, input);
  for (const node of bottomUp(forest, roots)) {
    const below = forest.children[node];
    if (below !== undefined && below.length > 1) below.sort(order);
  }
  roots.sort(order);
}

/** Step 5: threads with one base subject become one. */
function mergedBySubject(forest: Forest, roots: readonly number[], input: ThreadInput): number[] {
  const { count, children } = forest;
  // The first child's subject stands for a dummy.
  const speaker = (node: number): number => {
    let at = node;
    while (at >= count) at = children[at]?.[0] ?? -1;
    return at;
  };
  const reply = (node: number): boolean => node < count && input.reply(node);
  const table = new Map<number, number>();
  for (const node of roots) {
    const at = speaker(node);
    if (input.noSubject(at)) continue;
    const subject = input.subject[at] ?? 0;
    const old = table.get(subject);
    if (old === undefined || (old < count && (node >= count || (reply(old) && !reply(node)))))
      table.set(subject, node);
  }
  const gone = new Set<number>();
  const made: number[] = [];
  for (const node of roots) {
    const at = speaker(node);
    if (input.noSubject(at)) continue;
    const subject = input.subject[at] ?? 0;
    const other = table.get(subject);
    if (other === undefined || other === node) continue;
    gone.add(node);
    if (other >= count) {
      const moved = node >= count ? (children[node] ?? []) : [node];
      for (const child of moved) childrenOf(forest, other).push(child);
    } else if (reply(node) && !reply(other)) childrenOf(forest, other).push(node);
    else {
      const dummy = children.length;
      children.push([other, node]);
      gone.add(other);
      made.push(dummy);
      table.set(subject, dummy);
    }
  }
  return [...roots, ...made].filter((node) => !gone.has(node));
}

/** THREAD=REFERENCES (RFC 5256 section 3) of the messages at these rows (-1: one of which nothing is known). */
export function threadByReferences(found: References, rows: Int32Array, input: ThreadInput): ThreadedForest {
  const forest = linked(found, rows);
  const roots = pruned(forest);
  // Step 4, so that the first child of each dummy is known.
  sortSiblings(forest, roots, input);
  const merged = mergedBySubject(forest, roots, input);
  sortSiblings(forest, merged, input);
  return { count: forest.count, roots: merged, children: forest.children };
}

export interface ThreadedForest {
  readonly count: number;
  readonly roots: readonly number[];
  readonly children: readonly (readonly number[] | undefined)[];
}

/** THREAD=ORDEREDSUBJECT (RFC 5256 section 3): the first message of a subject, the others below it. */
export function threadBySubject(input: ThreadInput): ThreadedForest {
  const { count, subject, date } = input;
  const children = noChildren(count);
  const heads = new Map<number, number>();
  const roots: number[] = [];
  // By date, so that each subject's first comes first, and the threads stand by their first messages.
  for (const position of sortPositions(count, [{ ranks: date, reverse: false }])) {
    const head = heads.get(subject[position] ?? 0);
    if (head === undefined) {
      heads.set(subject[position] ?? 0, position);
      roots.push(position);
    } else (children[head] ??= []).push(position);
  }
  return { count, roots, children };
}

/** The threads as UIDs and parentheses, as RFC 5256 section 4 writes them: a single child follows its parent. */
export function threadTokens(forest: ThreadedForest, uids: Uint32Array): Uint32Array {
  const { count, roots, children } = forest;
  // Each message, and a "(" and a ")" at most for it and for each dummy, of which each has children.
  const out = new Uint32Array(6 * count);
  let length = 0;
  // Nodes still to write, on top the next one: twice the node, and one more when it opens a list; -1 for a ")".
  const stack: number[] = [];
  for (let at = roots.length - 1; at >= 0; at--) stack.push(2 * (roots[at] ?? 0) + 1);
  for (;;) {
    const next = stack.pop();
    if (next === undefined) return out.slice(0, length);
    if (next === -1) {
      out[length++] = CLOSE;
      continue;
    }
    const node = next >>> 1;
    if (next % 2 === 1) {
      out[length++] = OPEN;
      stack.push(-1);
    }
    if (node < count) out[length++] = uids[node] ?? 0;
    const below = children[node] ?? [];
    const opens = below.length > 1 ? 1 : 0;
    for (let at = below.length - 1; at >= 0; at--) stack.push(2 * (below[at] ?? 0) + opens);
  }
}

export type ThreadAlgorithm = 'REFERENCES' | 'ORDEREDSUBJECT';

/** Rows of the references for ascending UIDs, -1 where there is none. */
function rowsOf(uids: Uint32Array, found: References): Int32Array {
  const rows = new Int32Array(uids.length).fill(-1);
  let at = 0;
  for (let i = 0; i < uids.length; i++) {
    const uid = uids[i] ?? 0;
    while (at < found.uids.length && (found.uids[at] ?? 0) < uid) at++;
    if (found.uids[at] === uid) rows[i] = at;
  }
  return rows;
}

/** THREAD (RFC 5256): UIDs with OPEN and CLOSE among them. `uids` must be ascending. */
export async function thread(
  tx: ReadTx,
  args: Where & { readonly uids: Uint32Array; readonly algorithm: ThreadAlgorithm },
): Promise<Uint32Array> {
  const { uids } = args;
  const subjects = await columnOf(tx, args, 'subject');
  const subject = ranksFor(uids, subjects);
  const date = ranksFor(uids, await columnOf(tx, args, 'date'));
  const found = await referencesOf(tx, args);
  const rows = rowsOf(uids, found);
  const input: ThreadInput = {
    count: uids.length,
    subject,
    date,
    // The empty one is the lowest.
    noSubject: (position) => subject[position] === 0 && subjects.emptyFirst,
    reply: (position) => found.reply[rows[position] ?? -1] === true,
  };
  const forest =
    args.algorithm === 'REFERENCES' ? threadByReferences(found, rows, input) : threadBySubject(input);
  return threadTokens(forest, uids);
}
