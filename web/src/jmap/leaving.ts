import { me } from '../base/session.ts';

/**
 * Changes of mail that are under way when the page is left or loaded anew: broken off with it, or not begun because they
 * waited for the one before. They are written down at that moment, which only the local storage does in time, and the next
 * page puts them into the outbox. What the server did all the same is so already, and changes nothing.
 */

const PREFIX = 'postern-left-';

interface Left {
  readonly owner: string;
  readonly values: readonly unknown[];
}

const underWay = new Set<unknown>();
let written: string | undefined;

/** Remember a change until what does it has ended. */
export async function whileUnderWay<T>(value: unknown, work: Promise<T>): Promise<T> {
  underWay.add(value);
  try {
    return await work;
  } finally {
    underWay.delete(value);
  }
}

function write(): void {
  const owner = me.value?.address;
  if (owner === undefined || underWay.size === 0) return;
  written = `${PREFIX}${Date.now()}-${Math.random()}`;
  try {
    localStorage.setItem(written, JSON.stringify({ owner, values: [...underWay] } satisfies Left));
  } catch {
    // No room: then it is as if the page had been left a moment earlier.
  }
}

addEventListener('pagehide', write);
addEventListener('pageshow', () => {
  // The browser kept the page as it was, and all that was under way with it.
  if (written !== undefined) localStorage.removeItem(written);
  written = undefined;
});

const keys = (): string[] => Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));

/** Hand what was left behind by who is signed in to `keep`, in the order in which it was left; that of others goes. */
export async function takeLeft(keep: (value: unknown) => Promise<unknown>): Promise<void> {
  const owner = me.value?.address;
  if (owner === undefined) return;
  for (const key of keys().toSorted()) {
    let left: Left | undefined;
    try {
      left = JSON.parse(localStorage.getItem(key) ?? '') as Left;
    } catch {
      // Another page has taken it.
    }
    if (left?.owner === owner) for (const value of left.values) await keep(value);
    localStorage.removeItem(key);
  }
}

export function forgetLeft(): void {
  underWay.clear();
  for (const key of keys()) localStorage.removeItem(key);
}
