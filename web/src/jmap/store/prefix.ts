import type { Id } from '../types.ts';

/**
 * The beginning of a list after changes (RFC 8620 section 5.6): `removed` may name ids that were never in it, `added` those
 * that stand further on than is known. What is returned is right as far as it goes; it may be shorter than it was.
 */
export function changedPrefix(
  known: readonly Id[],
  removed: ReadonlySet<Id>,
  added: readonly { readonly id: Id; readonly index: number }[],
): Id[] {
  const next = known.filter((id) => !removed.has(id));
  for (const { id, index } of added.toSorted((a, b) => a.index - b.index)) {
    // Between what is known and this one there are others.
    if (index > next.length) break;
    next.splice(index, 0, id);
  }
  return next;
}
