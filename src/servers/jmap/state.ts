import type { Since } from '../../data/jmap/changes.ts';
import { MethodError } from './errors.ts';
import type { View } from './view.ts';

/**
 * State strings: the modseq of the account, the id up to which changes of it were told where an answer ended among them,
 * and a mark of what may be seen where that is not everything: "17", "17.403", "17-9f3c".
 */
export function formatState(view: View, { seq, id }: Since): string {
  const place = id === undefined ? '' : `.${id}`;
  const mark = view.mark === '' ? '' : `-${view.mark}`;
  return `${seq}${place}${mark}`;
}

/**
 * @throws MethodError 'cannotCalculateChanges' for what is none of ours, or of a time when other mailboxes could be seen
 */
export function parseState(view: View, text: string): Since {
  const [, seq = '', id, mark = ''] = /^(\d{1,15})(?:\.(\d{1,15}))?(?:-([0-9a-f]{1,40}))?$/.exec(text) ?? [];
  if (seq === '' || mark !== view.mark) throw new MethodError('cannotCalculateChanges');
  return { seq: Number(seq), ...(id !== undefined && { id: Number(id) }) };
}
