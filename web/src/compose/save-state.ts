/** What is known of a draft's copy on the server, and what happens to it. */

export interface SaveState {
  readonly phase: 'clean' | 'dirty' | 'saving' | 'failed' | 'offline';
  /** It was changed while it was being saved. */
  readonly again: boolean;
  /** When the server had all of it, in ms; undefined: never. */
  readonly savedAt: number | undefined;
  /** Why it could not be saved. */
  readonly reason: string | undefined;
}

export type SaveEvent =
  | { readonly kind: 'changed' }
  | { readonly kind: 'started' }
  | { readonly kind: 'saved'; readonly at: number }
  | { readonly kind: 'failed'; readonly offline: boolean; readonly reason: string };

export const NOT_SAVED: SaveState = { phase: 'clean', again: false, savedAt: undefined, reason: undefined };

export function nextSaveState(state: SaveState, event: SaveEvent): SaveState {
  switch (event.kind) {
    case 'changed':
      return state.phase === 'saving' ? { ...state, again: true } : { ...state, phase: 'dirty' };
    case 'started':
      return { ...state, phase: 'saving', again: false, reason: undefined };
    case 'saved':
      return { phase: state.again ? 'dirty' : 'clean', again: false, savedAt: event.at, reason: undefined };
    case 'failed':
      return { ...state, phase: event.offline ? 'offline' : 'failed', again: false, reason: event.reason };
    default:
      return event satisfies never;
  }
}

/** Milliseconds without a key before the server gets it; more where a save moves large attachments. */
const QUIET_MS = 2000;
const QUIET_LARGE_MS = 15_000;
const LARGE_OCTETS = 3_000_000;
/** Milliseconds before what could not be saved is tried again, doubled each time. */
const RETRY_MS = 5000;
const RETRY_MOST_MS = 120_000;

export function saveDelay(state: SaveState, octets: number, failures: number): number | undefined {
  if (state.phase === 'clean' || state.phase === 'saving') return undefined;
  if (state.phase === 'dirty' && failures === 0) return octets > LARGE_OCTETS ? QUIET_LARGE_MS : QUIET_MS;
  return Math.min(RETRY_MOST_MS, RETRY_MS * 2 ** Math.max(0, failures - 1));
}
