import type { Clock } from '../../../base/clock.ts';
import { limits } from '../../../base/limits.ts';
import type { Dns } from '../../../mail/dns.ts';

/**
 * Questions about senders. Each has `limits.senderQuestionMs` from when it is asked: what has no answer by then counts
 * as not answered, and mail goes on.
 */
export interface Asker {
  /** Run what asks; its questions end, unanswered, when their time is over. */
  <T>(ask: (dns: Dns, signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** Undefined where no DNS may be asked. */
export function createAsker(dns: Dns | undefined, clock: Clock): Asker | undefined {
  if (dns === undefined) return undefined;
  return async (ask) => {
    const late = new AbortController();
    const timer = clock.setTimer(limits.senderQuestionMs, () => late.abort());
    try {
      return await ask(dns, late.signal);
    } finally {
      timer.cancel();
    }
  };
}

/** Why there was no answer, in plain words. */
export function temporaryReason(reason: string): string {
  return reason === 'aborted' ? `no answer within ${limits.senderQuestionMs / 1000} s` : reason;
}
