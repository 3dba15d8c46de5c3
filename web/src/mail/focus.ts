import type { Id } from '../jmap/types.ts';
import { cursor } from './state.ts';

/** Where the focus goes when what had it goes away: a screen reader and the next key go on from there. */

/** Focus a row of the list; false: it is not drawn. */
export function focusRow(id: Id): boolean {
  const link = document.querySelector<HTMLElement>(`[data-row="${CSS.escape(id)}"] .mail-row-open`);
  link?.focus({ preventScroll: true });
  return link !== null;
}

/** Nothing that is seen has the focus. */
function isLost(): boolean {
  const { activeElement, body } = document;
  return activeElement === null || activeElement === body || !activeElement.checkVisibility();
}

/** Once what is going to be drawn is: the row of the cursor has the focus, where nothing else has. */
export function refocus(): void {
  requestAnimationFrame(() => {
    if (cursor.value !== undefined && isLost()) focusRow(cursor.value);
  });
}

let wanted = false;

/** The conversation that is opened now is to have the focus: it is opened by the keyboard. */
export function focusNextThread(): void {
  wanted = true;
}

/** A conversation is shown: it has the focus when that was asked for, or when what had it is seen no more (on a phone). */
export function focusThread(body: HTMLElement | null): void {
  const hidden = document.activeElement !== document.body && isLost();
  if (wanted || hidden) body?.focus({ preventScroll: true });
  wanted = false;
}
