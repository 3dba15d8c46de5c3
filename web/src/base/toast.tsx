import { signal } from '@preact/signals';

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

export function Toasts() {
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
