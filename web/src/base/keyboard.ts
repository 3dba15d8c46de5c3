import { signal } from '@preact/signals';

/** A key that does something: "c", "Shift+r", "g i" (one after the other), "Mod+Enter" (Ctrl, on a Mac Command). */
export interface Shortcut {
  readonly keys: string;
  /** What it does, for the list of shortcuts. */
  readonly label: string;
  readonly run: () => void;
  /** Works while a text is being written too. */
  readonly whileTyping?: boolean;
}

/** Milliseconds between the two keys of a sequence. */
const SEQUENCE_MS = 1200;
const mac = /Mac|iP(?:hone|ad)/.test(navigator.platform);

/** Those that work now, for the list. */
export const shortcuts = signal<readonly Shortcut[]>([]);
/** The list of shortcuts is shown. */
export const helpShown = signal(false);

/** Have keys work until the function that is returned is called; those added last come first. */
export function addShortcuts(added: readonly Shortcut[]): () => void {
  shortcuts.value = [...added, ...shortcuts.value];
  return () => {
    shortcuts.value = shortcuts.value.filter((each) => !added.includes(each));
  };
}

function nameOf(event: KeyboardEvent): string {
  const mod = mac ? event.metaKey : event.ctrlKey;
  // Shift is told for keys without a character of their own for it.
  const shift = event.shiftKey && (event.key.length > 1 || /^[a-z]$/i.test(event.key));
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return `${mod ? 'Mod+' : ''}${event.altKey ? 'Alt+' : ''}${shift ? 'Shift+' : ''}${key}`;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    target.matches('input:not([type=checkbox]):not([type=radio]), textarea, select')
  );
}

let before = '';
let beforeAt = 0;

/** Also for keys pressed inside a message's frame. */
export function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || document.querySelector('dialog[open]') !== null) return;
  const name = nameOf(event);
  const sequence = event.timeStamp - beforeAt < SEQUENCE_MS ? `${before} ${name}` : name;
  const typing = isTyping(event.target);
  const found =
    shortcuts.value.find(({ keys }) => keys === sequence) ??
    shortcuts.value.find(({ keys }) => keys === name);
  before = name;
  beforeAt = event.timeStamp;
  if (found === undefined || (typing && found.whileTyping !== true)) return;
  event.preventDefault();
  before = '';
  found.run();
}

addEventListener('keydown', onKey);
