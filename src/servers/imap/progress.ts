import { SESSION_LIMITS } from './limits.ts';
import type { Session } from './session.ts';
import { untagged } from './session.ts';
import { string } from './wire/encoder.ts';

/** How far something has come, as far as it can tell. */
export interface Progress {
  done: number | undefined;
  total: number | undefined;
}

/**
 * Do something that may take long, and tell the client from time to time that it goes on (RFC 9585). Nothing may be
 * written by `work` that is not a whole response when it waits.
 */
export async function withProgress<T>(
  session: Session,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  const progress: Progress = { done: undefined, total: undefined };
  const { clock } = session.options;
  const arm = () => clock.setTimer(SESSION_LIMITS.progressMs, tell);
  const tell = (): void => {
    if (session.connection.closed) return;
    const { done = 'NIL', total = 'NIL' } = progress;
    untagged(session, `OK [INPROGRESS (${string(session.tag)} ${done} ${total})] Still at it`);
    // Whoever writes next waits for the client; here nobody can.
    void session.out.flush();
    timer = arm();
  };
  let timer = arm();
  try {
    return await work(progress);
  } finally {
    timer.cancel();
  }
}
