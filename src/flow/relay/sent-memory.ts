import type { Clock } from '../../base/clock.ts';

/** Milliseconds for which a message that was sent in part is remembered: as long as clients retry (RFC 5321 4.5.4.1). */
const PARTLY_MS = 5 * 86_400_000;
/** Milliseconds for which a message that was sent is remembered: its client may not have read our answer (RFC 1047). */
const WHOLLY_MS = 15 * 60_000;
/** Messages remembered of either sort; the oldest are forgotten. */
const PARTLY_MAX = 10_000;
const WHOLLY_MAX = 20_000;

/** One message in the hands of one caller. */
export interface SentSoFar {
  /** Whether the message went, or may have gone, to this recipient before. */
  has(recipient: string): boolean;
  /** It went there now, or may have. */
  add(recipients: readonly string[]): void;
}

/**
 * What was sent of a message whose client was told to try again, or may not have heard that it need not: a second try
 * sends only the rest. In memory: a restart forgets it.
 */
export interface SentMemory {
  /**
   * Work on a message while nobody else does: a client that lost patience may be back while its first try still waits.
   * `key` names the message and its sender. `complete`: every recipient is served, and the message is unlike any other
   * (it has a Message-ID), so that the same octets again can only be the same message.
   */
  handle<T>(
    key: string,
    work: (
      sent: SentSoFar,
    ) => Promise<{ readonly result: T; readonly complete: boolean; readonly unique: boolean }>,
  ): Promise<T>;
}

interface Entry {
  readonly sent: Set<string>;
  readonly until: number;
}

export function createSentMemory(clock: Clock): SentMemory {
  const partly = new Map<string, Entry>();
  const wholly = new Map<string, Entry>();
  const busy = new Map<string, Promise<unknown>>();

  function recall(key: string): Set<string> {
    for (const map of [partly, wholly]) {
      const entry = map.get(key);
      if (entry === undefined) continue;
      if (entry.until > clock.monotonic()) return entry.sent;
      map.delete(key);
    }
    return new Set();
  }

  function keep(map: Map<string, Entry>, key: string, sent: Set<string>, ms: number, max: number): void {
    map.delete(key);
    map.set(key, { sent, until: clock.monotonic() + ms });
    for (const [oldest, { until }] of map) {
      if (map.size <= max && until > clock.monotonic()) break;
      map.delete(oldest);
    }
  }

  return {
    async handle(key, work) {
      const before = busy.get(key);
      const turn = (async () => {
        await before?.catch(() => undefined);
        const sent = recall(key);
        const about: SentSoFar = {
          has: (recipient) => sent.has(recipient),
          add: (recipients) => recipients.forEach((recipient) => sent.add(recipient)),
        };
        const { result, complete, unique } = await work(about);
        partly.delete(key);
        wholly.delete(key);
        if (sent.size > 0 && !complete) keep(partly, key, sent, PARTLY_MS, PARTLY_MAX);
        else if (complete && unique) keep(wholly, key, sent, WHOLLY_MS, WHOLLY_MAX);
        return result;
      })();
      busy.set(key, turn);
      try {
        return await turn;
      } finally {
        if (busy.get(key) === turn) busy.delete(key);
      }
    },
  };
}
