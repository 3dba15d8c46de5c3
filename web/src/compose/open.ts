import { signal } from '@preact/signals';
import type { EmailAddress, Id } from '../jmap/types.ts';

/** Opening windows to write in. Small, so that everything may import it; the rest is fetched when it is first needed. */

/** What a message is written for. */
export type Purpose =
  | 'new'
  | 'reply'
  | 'reply-all'
  | 'reply-list'
  | 'forward'
  /** The whole message as a file (message/rfc822). */
  | 'forward-attached'
  /** Go on with a draft. */
  | 'draft'
  /** A message like one that was sent already. */
  | 'copy';

export interface ComposeWish {
  readonly kind?: Purpose | 'mailto';
  /** The email answered, forwarded, copied, or the draft. */
  readonly emailId?: Id;
  /** Its account, when it is one that others share with us. */
  readonly accountId?: Id;
  readonly to?: readonly EmailAddress[];
  readonly cc?: readonly EmailAddress[];
  readonly bcc?: readonly EmailAddress[];
  readonly subject?: string;
  /** Plain text to begin with. */
  readonly text?: string;
  readonly files?: readonly File[];
  /** A mailto: URL (RFC 6068); what else is given goes before it. */
  readonly url?: string;
  /** A copy on this device, by its key: a draft that the server may not have. */
  readonly localKey?: string;
}

export interface OpenWindow {
  readonly key: string;
  readonly wish: ComposeWish;
}

/** Windows that are open, in the order they were opened. */
export const openWindows = signal<readonly OpenWindow[]>([]);
/** Of those, the one on top: it has the keyboard. */
export const frontWindow = signal<string | undefined>(undefined);

/** Windows at once: more are of no use, and each keeps an editor. */
const MOST_WINDOWS = 5;

/** Open a window to write in; a draft that is open already comes to the front. Returns its key; undefined: too many are open. */
export function openCompose(wish: ComposeWish = {}): string | undefined {
  const same = openWindows.value.find(
    ({ wish: { kind, emailId, localKey } }) =>
      (wish.kind === 'draft' && kind === 'draft' && emailId === wish.emailId) ||
      (wish.localKey !== undefined && localKey === wish.localKey),
  );
  if (same !== undefined) {
    frontWindow.value = same.key;
    return same.key;
  }
  if (openWindows.value.length >= MOST_WINDOWS) {
    frontWindow.value = openWindows.value.at(-1)?.key;
    return undefined;
  }
  const key = wish.localKey ?? crypto.randomUUID();
  openWindows.value = [...openWindows.value, { key, wish }];
  frontWindow.value = key;
  return key;
}

/** For the window itself: it has nothing left to keep. */
export function closeWindow(key: string): void {
  openWindows.value = openWindows.value.filter((each) => each.key !== key);
  if (frontWindow.value === key) frontWindow.value = openWindows.value.at(-1)?.key;
}
