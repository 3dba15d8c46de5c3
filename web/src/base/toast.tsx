import { signal } from '@preact/signals';
import { render } from 'preact';
import { useEffect } from 'preact/hooks';

interface Toast {
  readonly id: number;
  readonly sentence: string;
  readonly bad: boolean;
  readonly action?: { readonly label: string; readonly run: () => void };
}

export interface ToastOptions {
  readonly bad?: boolean;
  readonly action?: Toast['action'];
  /** Milliseconds it stays. */
  readonly ms?: number;
}

const MOST = 3;
const USUAL_MS = 6000;
const shown = signal<readonly Toast[]>([]);
let lastId = 0;

/** Say a sentence for a while; returns how to take it away sooner. */
export function toast(
  sentence: string,
  { bad = false, action, ms = bad ? 10_000 : USUAL_MS }: ToastOptions = {},
): () => void {
  const id = ++lastId;
  shown.value = [
    ...shown.value.slice(1 - MOST),
    { id, sentence, bad, ...(action !== undefined && { action }) },
  ];
  const hide = (): void => {
    shown.value = shown.value.filter((each) => each.id !== id);
  };
  setTimeout(hide, ms);
  return hide;
}

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
  const hide = (id: number): void => {
    shown.value = shown.value.filter((each) => each.id !== id);
  };
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.value.map(({ id, sentence, bad, action }) => (
        <div key={id} class={bad ? 'toast bad' : 'toast'}>
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
        </div>
      ))}
    </div>
  );
}
