/** What the list of the queue says of a message with several recipients. */

export interface Recipient {
  readonly address: string;
  readonly state: 'queued' | 'leased' | 'held' | 'delivered' | 'failed' | 'dropped';
  readonly attempts: number;
  readonly nextAt: number;
  readonly lastReply?: string;
  readonly lastHost?: string;
}

const WAITING: ReadonlySet<string> = new Set(['queued', 'leased', 'held']);

/** Those for whom it is still here: who has it, or never gets it, says nothing of why it waits. */
export function waitingOf(recipients: readonly Recipient[]): readonly Recipient[] {
  const waiting = recipients.filter(({ state }) => WAITING.has(state));
  return waiting.length === 0 ? recipients : waiting;
}

/** What the other side said last to those who wait. */
export function lastReplyOf(recipients: readonly Recipient[]): string | undefined {
  return waitingOf(recipients).find(({ lastReply }) => lastReply)?.lastReply;
}

/** When it is tried next; undefined: not by itself. */
export function nextAttemptOf(recipients: readonly Recipient[]): number | undefined {
  const times = recipients.filter(({ state }) => state === 'queued').map(({ nextAt }) => nextAt);
  return times.length === 0 ? undefined : Math.min(...times);
}
