import { signal } from '@preact/signals';
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { texts } from './i18n.ts';
import { Icon } from './icon.tsx';

interface Toast {
  readonly id: number;
  readonly sentence: string;
  readonly bad: boolean;
  readonly action?: { readonly label: string; readonly run: () => void };
  /** It stays until somebody closes it. */
  readonly stays: boolean;
}

export interface ToastOptions {
  readonly bad?: boolean;
  readonly action?: Toast['action'];
  /** Milliseconds it stays. */
  readonly ms?: number;
}

const MOST = 3;
const USUAL_MS = 6000;
/** With something to do, which takes finding. */
const ACTION_MS = 10_000;
/** Whatever stays longer can be closed. */
const LONG_MS = 120_000;
const shown = signal<readonly Toast[]>([]);
let lastId = 0;

/** Say a sentence for a while; returns how to take it away sooner. */
export function toast(
  sentence: string,
  { bad = false, action, ms = bad || action !== undefined ? ACTION_MS : USUAL_MS }: ToastOptions = {},
): () => void {
  const id = ++lastId;
  shown.value = [
    ...shown.value.slice(1 - MOST),
    { id, sentence, bad, stays: ms > LONG_MS, ...(action !== undefined && { action }) },
  ];
  const end = (): void => {
    // While somebody points at it, or is in it with the keyboard, it stays (WCAG 2.2.1).
    if (held.has(id)) setTimeout(end, HELD_MS);
    else hide(id);
  };
  setTimeout(end, ms);
  return () => hide(id);
}

function hide(id: number): void {
  held.delete(id);
  shown.value = shown.value.filter((each) => each.id !== id);
}

/** Milliseconds after which it is looked again whether somebody still holds it. */
const HELD_MS = 1000;
const held = new Set<number>();

/** Say what went wrong. */
export function toastError(error: unknown): void {
  toast(error instanceof Error ? error.message : String(error), { bad: true });
}

/** Where toasts are; beside the app's own tree, so that it can be moved. */
let place: HTMLElement | undefined;

/** Toasts stand in the dialog that is on top: the browser draws it above all else, and lets nothing outside be clicked. */
export function raiseToasts(): void {
  if (place === undefined) return;
  const top = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body;
  if (place.parentElement !== top) top.append(place);
}

/** The place for toasts, once in the app. */
export function Toasts() {
  useEffect(() => {
    place = document.createElement('div');
    render(<ToastList />, place);
    raiseToasts();
    return () => {
      if (place === undefined) return;
      render(null, place);
      place.remove();
      place = undefined;
    };
  }, []);
  return null;
}

function ToastList() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.value.map(({ id, sentence, bad, action, stays }) => (
        <div
          key={id}
          class={bad ? 'toast bad' : 'toast'}
          onPointerEnter={({ pointerType }) => pointerType === 'mouse' && held.add(id)}
          onPointerLeave={() => held.delete(id)}
          onFocusIn={() => held.add(id)}
          onFocusOut={() => held.delete(id)}
        >
          <span>{sentence}</span>
          {action && (
            <button
              type="button"
              onClick={() => {
                hide(id);
                action.run();
              }}
            >
              {action.label}
            </button>
          )}
          {stays && (
            <button
              type="button"
              class="toast-close"
              aria-label={texts('base')('close')}
              onClick={() => hide(id)}
            >
              <Icon name="close" />
            </button>
          )}
        </div>
      ))}
    </div>
  );
}
