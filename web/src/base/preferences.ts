import { signal } from '@preact/signals';
import { api } from './http.ts';

/** What a person chose for the web pages; kept by the server (GET and PUT /account/v1/preferences), so every device has it. */
export interface Preferences {
  /** Where an opened message is shown on wide screens. */
  readonly readingPane: 'right' | 'bottom' | 'none';
  readonly density: 'comfortable' | 'compact';
  /** Remote images: shown when asked for, always, or never. */
  readonly remoteImages: 'ask' | 'always' | 'never';
  /** Senders (addresses) whose remote images are always shown. */
  readonly imagesFrom: readonly string[];
  /** Seconds in which sending can be undone, 0 to 60. */
  readonly undoSendSeconds: number;
  /** Whether new messages are written with formatting. */
  readonly composeFormat: 'rich' | 'plain';
  /** Signature (HTML of the composer, or text) by identity id. */
  readonly signatures: Readonly<Record<string, string>>;
  /** What notices say of a new message. */
  readonly notices: 'sender-and-subject' | 'count';
  readonly swipeRight: 'archive' | 'delete' | 'read' | 'none';
  readonly swipeLeft: 'archive' | 'delete' | 'read' | 'none';
  readonly savedSearches: readonly string[];
}

const USUAL: Preferences = {
  readingPane: 'right',
  density: 'comfortable',
  remoteImages: 'ask',
  imagesFrom: [],
  undoSendSeconds: 10,
  composeFormat: 'rich',
  signatures: {},
  notices: 'sender-and-subject',
  swipeRight: 'read',
  swipeLeft: 'archive',
  savedSearches: [],
};

const KEPT = 'postern.preferences';

export const preferences = signal<Preferences>(kept());

function kept(): Preferences {
  try {
    return { ...USUAL, ...(JSON.parse(localStorage.getItem(KEPT) ?? '{}') as Partial<Preferences>) };
  } catch {
    return USUAL;
  }
}

function show(found: Partial<Preferences>): void {
  preferences.value = { ...USUAL, ...found };
  localStorage.setItem(KEPT, JSON.stringify(preferences.value));
}

let loading: Promise<void> | undefined;

/** Have the server's preferences; what this device kept holds until they come. */
export function loadPreferences(): Promise<void> {
  loading ??= api<Partial<Preferences>>('GET', '/account/v1/preferences').then(show, () => {
    loading = undefined;
  });
  return loading;
}

/** Change some; shown at once, taken back when the server does not keep them (the error is thrown). */
export async function setPreferences(change: Partial<Preferences>): Promise<void> {
  const before = preferences.value;
  show({ ...before, ...change });
  try {
    await api('PUT', '/account/v1/preferences', preferences.value);
  } catch (error) {
    show(before);
    throw error;
  }
}

/** At sign-out: the next person on this device begins with the usual ones. */
export function forgetPreferences(): void {
  localStorage.removeItem(KEPT);
  loading = undefined;
  preferences.value = USUAL;
}
