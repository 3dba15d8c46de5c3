import type { ReadTx } from '../db/sql.ts';
import { mailboxById } from './mailboxes.sql.ts';
import { ID_OCTETS } from '../../mail/message/sort-keys.ts';
import { keyPages, referencePage } from './sort-keys.sql.ts';

/** What messages can be sorted by (RFC 5256 section 3, RFC 5957). */
export type SortField = keyof typeof keyPages;

/**
 * One key of all messages of a mailbox. A message never changes its keys nor its UID, so a column only grows; what is
 * expunged stays in it and is never asked for again.
 */
export interface Column {
  /** Ascending. */
  uids: Uint32Array;
  length: number;
  /** Dense ranks from 0, equal for equal keys; as long as `uids`. */
  ranks: Uint32Array;
  /** Rank 0 is that of the empty text. */
  emptyFirst: boolean;
}

interface SortedColumn extends Column {
  readonly values: (string | number)[];
  /** Positions in the order of their values. */
  order: Uint32Array;
}

/** Message ids of a mailbox as small numbers, for threads. */
export interface References {
  readonly uids: number[];
  readonly reply: boolean[];
  /** Number of a message's own id, -1 when it has none. */
  readonly own: number[];
  /** Numbers of its ancestors, the oldest first; those of message i end at ends[i]. */
  readonly ancestors: number[];
  readonly ends: number[];
  readonly numbers: Map<string, number>;
}

/** Rows of the database taken at once. */
const PAGE = 10_000;
/** Messages times columns that are kept, of all mailboxes together: some 60 octets each. */
const MAX_CELLS = 1_500_000;
const CELLS_PER_ID = 2;
/** How many more messages may be kept than there are, of those that have gone. */
const GONE_FACTOR = 2;
const GONE_ROOM = 1000;

interface Kept {
  cells: number;
  readonly value: SortedColumn | References;
}

/** What was used last stands last. */
const cache = new Map<string, Kept>();

function recall(key: string): Kept['value'] | undefined {
  const kept = cache.get(key);
  if (kept === undefined) return undefined;
  cache.delete(key);
  cache.set(key, kept);
  return kept.value;
}

function keep(key: string, value: Kept['value'], cells: number): void {
  cache.delete(key);
  cache.set(key, { cells, value });
  let total = 0;
  for (const kept of cache.values()) total += kept.cells;
  for (const [oldest, kept] of cache) {
    if (total <= MAX_CELLS) break;
    cache.delete(oldest);
    total -= kept.cells;
  }
}

/** What is being read now: two that want the same column must not both add to it. */
const busy = new Map<string, Promise<unknown>>();

async function alone<T>(key: string, fn: () => Promise<T>): Promise<T> {
  while (busy.has(key)) await busy.get(key)?.catch(() => undefined);
  const mine = fn();
  busy.set(key, mine);
  try {
    return await mine;
  } catch (error) {
    // Half of a page may have been added.
    cache.delete(key);
    throw error;
  } finally {
    busy.delete(key);
  }
}

/** Where to look for columns of a mailbox. `cache` names the store: several may be open in one process. */
export interface Where {
  readonly cache: string;
  readonly mailboxId: number;
}

/** The key of what is kept of a mailbox; what is kept of more messages than `most` has mostly gone, and is read anew. */
async function kept(tx: ReadTx, where: Where, what: string): Promise<{ key: string; most: number }> {
  const mailbox = await tx.get(mailboxById, where.mailboxId);
  return {
    key: `${where.cache} ${where.mailboxId} ${mailbox?.uidvalidity ?? 0} ${what}`,
    most: GONE_FACTOR * (mailbox?.messages ?? 0) + GONE_ROOM,
  };
}

/** The ranks by one key, complete up to the newest message. */
export async function columnOf(tx: ReadTx, where: Where, field: SortField): Promise<Column> {
  const { key, most } = await kept(tx, where, field);
  return alone(key, () => {
    const old = recall(key);
    return readColumn(
      tx,
      where,
      field,
      key,
      old !== undefined && 'ranks' in old && old.length <= most ? old : undefined,
    );
  });
}

async function readColumn(
  tx: ReadTx,
  where: Where,
  field: SortField,
  key: string,
  old: SortedColumn | undefined,
): Promise<Column> {
  const column: SortedColumn = old ?? {
    uids: new Uint32Array(0),
    length: 0,
    ranks: new Uint32Array(0),
    emptyFirst: false,
    values: [],
    order: new Uint32Array(0),
  };
  const uids: number[] = [];
  let known = true;
  let after = column.uids[column.length - 1] ?? 0;
  for (;;) {
    const rows = await tx.all(keyPages[field], where.mailboxId, after, PAGE);
    for (const row of rows) {
      uids.push(row.uid);
      column.values.push(typeof row.value === 'number' ? row.value : octetOrder(row.value ?? ''));
      if (row.known === 0) known = false;
    }
    if (rows.length < PAGE) break;
    after = rows.at(-1)?.uid ?? after;
    await othersFirst(tx);
  }
  if (uids.length > 0) extend(column, uids);
  if (known) keep(key, column, column.length);
  else cache.delete(key);
  return column;
}

const OTHER = /[^\0-\x7f]/;

/** Text such that comparing it compares its UTF-8 octets: i;unicode-casemap goes by these (RFC 5051 section 2). */
function octetOrder(text: string): string {
  return OTHER.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** SQLite reads run in a thread of their own and never wait; those of PostgreSQL share theirs with the sessions. */
export async function othersFirst(tx: ReadTx): Promise<void> {
  if (tx.dialect === 'postgres') await new Promise((resolve) => setImmediate(resolve));
}

function extend(column: SortedColumn, uids: readonly number[]): void {
  const { values } = column;
  const compare = (a: number, b: number): number => {
    const [x = 0, y = 0] = [values[a], values[b]];
    return x < y ? -1 : x > y ? 1 : a - b;
  };
  const before = column.length;
  const length = before + uids.length;
  const all = new Uint32Array(length);
  all.set(column.uids.subarray(0, before));
  all.set(uids, before);
  const fresh = new Uint32Array(uids.length);
  for (let i = 0; i < fresh.length; i++) fresh[i] = before + i;
  // An array of numbers is sorted faster than a typed one with a comparison.
  const sorted = Uint32Array.from([...fresh].toSorted(compare));
  column.uids = all;
  column.length = length;
  column.order = merge(column.order, sorted, compare);
  column.ranks = ranksOf(column);
  column.emptyFirst = values[column.order[0] ?? 0] === '';
}

function merge(a: Uint32Array, b: Uint32Array, compare: (x: number, y: number) => number): Uint32Array {
  const out = new Uint32Array(a.length + b.length);
  let from = 0;
  let at = 0;
  for (const position of b) {
    // The few that are new find their places by halving.
    let low = from;
    let high = a.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(a[middle] ?? 0, position) < 0) low = middle + 1;
      else high = middle;
    }
    out.set(a.subarray(from, low), at);
    at += low - from;
    out[at++] = position;
    from = low;
  }
  out.set(a.subarray(from), at);
  return out;
}

function ranksOf({ order, values }: SortedColumn): Uint32Array {
  const ranks = new Uint32Array(order.length);
  let rank = 0;
  let last: string | number | undefined;
  for (const position of order) {
    const value = values[position];
    if (last !== undefined && value !== last) rank++;
    last = value;
    ranks[position] = rank;
  }
  return ranks;
}

function cellsOf(found: References): number {
  return found.uids.length + found.ancestors.length / 4 + found.numbers.size * CELLS_PER_ID;
}

/** Ids of messages and of their ancestors, complete up to the newest message. */
export async function referencesOf(tx: ReadTx, where: Where): Promise<References> {
  const { key, most } = await kept(tx, where, 'references');
  return alone(key, () => {
    const old = recall(key);
    return readReferences(
      tx,
      where,
      key,
      old !== undefined && 'own' in old && old.uids.length <= most ? old : undefined,
    );
  });
}

async function readReferences(
  tx: ReadTx,
  where: Where,
  key: string,
  old: References | undefined,
): Promise<References> {
  const found: References = old ?? {
    uids: [],
    reply: [],
    own: [],
    ancestors: [],
    ends: [],
    numbers: new Map(),
  };
  const numberOf = (id: string): number => {
    let number = found.numbers.get(id);
    if (number === undefined) found.numbers.set(id, (number = found.numbers.size));
    return number;
  };
  let known = true;
  let after = found.uids.at(-1) ?? 0;
  for (;;) {
    const rows = await tx.all(referencePage, where.mailboxId, after, PAGE);
    for (const row of rows) {
      if (row.known === 0) known = false;
      const refs =
        row.refs === null ? undefined : Buffer.from(row.refs.buffer, row.refs.byteOffset, row.refs.length);
      const text = refs?.toString('latin1') ?? '';
      found.uids.push(row.uid);
      found.reply.push(row.reply === 1);
      const own = text.slice(0, ID_OCTETS);
      found.own.push(/^\0*$/.test(own) ? -1 : numberOf(own));
      for (let at = ID_OCTETS; at < text.length; at += ID_OCTETS) {
        found.ancestors.push(numberOf(text.slice(at, at + ID_OCTETS)));
      }
      found.ends.push(found.ancestors.length);
    }
    if (rows.length < PAGE) break;
    after = rows.at(-1)?.uid ?? after;
    await othersFirst(tx);
  }
  if (known) keep(key, found, cellsOf(found));
  else cache.delete(key);
  return found;
}
