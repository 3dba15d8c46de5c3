import { signal } from '@preact/signals';
import type { Id } from './types.ts';

/** Word from the server that something changed (RFC 8620 section 7.3), or our own looking now and then. */

export type StateChange = Readonly<Record<Id, Readonly<Record<string, string>>>>;
/** Told what changed by account and type; undefined: perhaps something, look. */
export const onStateChange = new Set<(changed: StateChange | undefined) => void>();
/** The server's word reaches us. */
export const connected = signal(false);

/** Milliseconds before the first and the longest wait for a new connection. */
const FIRST_MS = 1000;
const LONGEST_MS = 60_000;
/** Milliseconds between looks while there is no connection. */
const POLL_MS = 60_000;
/** Milliseconds without a sign of life after which a connection is taken for dead; the server sends one every 30 s. */
const SILENCE_MS = 75_000;
const PING_S = 30;
/** Milliseconds in which a connection is made, or given up. */
const OPEN_MS = 20_000;
const TYPES = 'Email,Mailbox,Thread,EmailSubmission,Identity';

function tell(changed: StateChange | undefined): void {
  for (const fn of onStateChange) fn(changed);
}

/** Listen until the function that is returned is called. */
export function startPush(): () => void {
  let source: EventSource | undefined;
  let wait = FIRST_MS;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let opening: ReturnType<typeof setTimeout> | undefined;
  let heard = Date.now();
  let ended = false;

  const connect = (): void => {
    clearTimeout(retry);
    clearTimeout(opening);
    source?.close();
    if (ended) return;
    source = new EventSource(`/jmap/eventsource?types=${TYPES}&closeafter=no&ping=${PING_S}`);
    source.onopen = () => {
      clearTimeout(opening);
      wait = FIRST_MS;
      heard = Date.now();
      connected.value = true;
      // What happened while nobody listened.
      tell(undefined);
    };
    source.addEventListener('ping', () => {
      heard = Date.now();
    });
    source.addEventListener('state', (event) => {
      heard = Date.now();
      const { changed } = JSON.parse(event.data as string) as { changed: StateChange };
      tell(changed);
    });
    const lost = (): void => {
      connected.value = false;
      source?.close();
      clearTimeout(retry);
      clearTimeout(opening);
      retry = setTimeout(connect, wait * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, LONGEST_MS);
    };
    source.onerror = lost;
    opening = setTimeout(lost, OPEN_MS);
  };
  const poll = setInterval(() => {
    if (connected.value && Date.now() - heard > SILENCE_MS) {
      connected.value = false;
      connect();
    } else if (!connected.value && document.visibilityState === 'visible') tell(undefined);
  }, POLL_MS);
  const again = (): void => {
    if (document.visibilityState !== 'visible') return;
    if (!connected.value || Date.now() - heard > SILENCE_MS) connect();
  };
  addEventListener('online', connect);
  document.addEventListener('visibilitychange', again);
  connect();
  return () => {
    ended = true;
    clearTimeout(retry);
    clearTimeout(opening);
    clearInterval(poll);
    source?.close();
    removeEventListener('online', connect);
    document.removeEventListener('visibilitychange', again);
    connected.value = false;
  };
}
