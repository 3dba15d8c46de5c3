import type { Id } from '../jmap/types.ts';
import { allSelected, cursor, list, selected } from './state.ts';

let anchor: Id | undefined;

/** Select a row or take it out; with `range` all between the last one and this. */
export function selectRow(id: Id, range: boolean): void {
  const window = list.value;
  if (window === undefined) return;
  const next = new Set(selected.value);
  const [from, to] = [anchor === undefined ? -1 : window.indexOf(anchor), window.indexOf(id)];
  if (range && from >= 0 && to >= 0) {
    for (let i = Math.min(from, to); i <= Math.max(from, to); i++) {
      const each = window.at(i);
      if (each !== undefined) next.add(each);
    }
  } else if (next.has(id)) next.delete(id);
  else next.add(id);
  anchor = id;
  cursor.value = id;
  selected.value = next;
  if (next.size === 0) allSelected.value = false;
}

/** All rows that have been fetched; or none, when they are. */
export function selectShown(): void {
  const window = list.value;
  if (window === undefined) return;
  const ids: Id[] = [];
  for (let i = 0; i < (window.total() ?? 0); i++) {
    const id = window.at(i);
    if (id !== undefined) ids.push(id);
  }
  const all = ids.every((id) => selected.value.has(id)) && selected.value.size > 0;
  allSelected.value = false;
  selected.value = new Set(all ? [] : ids);
}
