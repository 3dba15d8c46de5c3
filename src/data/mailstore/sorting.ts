import type { ReadTx } from '../db/sql.ts';
import { type Column, columnOf, othersFirst, type SortField, type Where } from './sort-columns.ts';

/** One criterion of SORT. */
export interface SortKey {
  readonly field: SortField;
  readonly reverse: boolean;
}

/** Ranks of some messages: `uids` ascending; 0 for one that is not in the column. */
export function ranksFor(uids: Uint32Array, column: Column): Uint32Array {
  const ranks = new Uint32Array(uids.length);
  let at = 0;
  for (let i = 0; i < uids.length; i++) {
    const uid = uids[i] ?? 0;
    while (at < column.length && (column.uids[at] ?? 0) < uid) at++;
    if (at < column.length && column.uids[at] === uid) ranks[i] = column.ranks[at] ?? 0;
  }
  return ranks;
}

/** A stable sort of positions by dense ranks: linear, whatever the ranks are. */
function byRank(positions: Uint32Array, ranks: Uint32Array, reverse: boolean): Uint32Array {
  let most = 0;
  for (const rank of ranks) if (rank > most) most = rank;
  const starts = new Uint32Array(most + 2);
  const slot = (position: number): number => {
    const rank = ranks[position] ?? 0;
    return reverse ? most - rank : rank;
  };
  for (const position of positions) {
    const at = slot(position) + 1;
    starts[at] = (starts[at] ?? 0) + 1;
  }
  for (let i = 1; i < starts.length; i++) starts[i] = (starts[i] ?? 0) + (starts[i - 1] ?? 0);
  const out = new Uint32Array(positions.length);
  for (const position of positions) {
    const at = slot(position);
    const place = starts[at] ?? 0;
    out[place] = position;
    starts[at] = place + 1;
  }
  return out;
}

/** The positions 0 to count - 1 sorted by criteria, the first of which says the most; ties keep their order. */
export function sortPositions(
  count: number,
  criteria: readonly { readonly ranks: Uint32Array; readonly reverse: boolean }[],
): Uint32Array {
  let positions: Uint32Array = new Uint32Array(count);
  for (let i = 0; i < count; i++) positions[i] = i;
  for (const { ranks, reverse } of criteria.toReversed()) positions = byRank(positions, ranks, reverse);
  return positions;
}

/**
 * SORT (RFC 5256): the UIDs in the order of the keys; those of equal keys ascending, also with `reverse`. `uids` must be
 * ascending.
 */
export async function sort(
  tx: ReadTx,
  args: Where & { readonly uids: Uint32Array; readonly keys: readonly SortKey[] },
): Promise<Uint32Array> {
  const { uids } = args;
  const criteria: { ranks: Uint32Array; reverse: boolean }[] = [];
  for (const { field, reverse } of args.keys) {
    criteria.push({ ranks: ranksFor(uids, await columnOf(tx, args, field)), reverse });
    await othersFirst(tx);
  }
  return sortPositions(uids.length, criteria).map((position) => uids[position] ?? 0);
}
