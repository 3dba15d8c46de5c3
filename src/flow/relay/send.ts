import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import { AwsError, type SesApi, type SesMessage } from '../../net/aws/types.ts';

/** Recipients SES takes in one call. */
export const RECIPIENTS_PER_CALL = 50;
/** Milliseconds that a client waits at most, in all calls of its message, for SES to have room again. */
const WAIT_MAX_MS = 20_000;
/** Milliseconds of the first wait; each one after it is twice as long, up to the longest. */
const WAIT_FIRST_MS = 250;
const WAIT_LONGEST_MS = 5000;
/** Part of a wait by which it varies, so that those who wait do not come back together. */
const JITTER = 0.5;
/** Attempts when SES is away: its client has tried several times already. */
const AWAY_ATTEMPTS = 2;

export interface SendParts {
  readonly ses: SesApi;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Aborted: wait no more. */
  readonly stopping: AbortSignal;
}

/** How a message went: all of it (no error), or up to a call that failed. */
export interface Sent {
  readonly sent: readonly string[];
  /** Of the call that failed, then those that were not tried after it. */
  readonly failed: readonly string[];
  readonly untried: readonly string[];
  readonly error: AwsError | undefined;
}

/** Send in calls of 50 recipients, one after the other, up to the first that fails for good or for now. */
export async function sendInCalls(parts: SendParts, message: SesMessage): Promise<Sent> {
  const { recipients } = message;
  const patience = { leftMs: WAIT_MAX_MS };
  for (let at = 0; at < recipients.length; at += RECIPIENTS_PER_CALL) {
    const end = at + RECIPIENTS_PER_CALL;
    const error = await sendCall(parts, { ...message, recipients: recipients.slice(at, end) }, patience);
    if (error === undefined) continue;
    const sent = recipients.slice(0, at);
    return { sent, failed: recipients.slice(at, end), untried: recipients.slice(end), error };
  }
  return { sent: recipients, failed: [], untried: [], error: undefined };
}

/** One call, again after a while where SES asks for it; the error that stays. */
async function sendCall(
  { ses, clock, random, stopping }: SendParts,
  message: SesMessage,
  patience: { leftMs: number },
): Promise<AwsError | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      await ses.send(message);
      return undefined;
    } catch (cause) {
      const error = asAwsError(cause);
      const wait = Math.min(WAIT_FIRST_MS * 2 ** (attempt - 1), WAIT_LONGEST_MS) * (1 - JITTER * random());
      const again = error.kind === 'throttled' || (isAway(error) && attempt < AWAY_ATTEMPTS);
      if (!again || wait > patience.leftMs || stopping.aborted) return error;
      patience.leftMs -= wait;
      await clock.sleep(wait, stopping);
    }
  }
}

/** Nothing was done, and the next moment may be better. */
function isAway({ kind }: AwsError): boolean {
  return kind === 'network' || kind === 'server';
}

/** A bug on the way may have struck behind the call: like an answer that never came. */
function asAwsError(error: unknown): AwsError {
  return error instanceof AwsError ? error : new AwsError('unsure', errorText(error), { cause: error });
}
