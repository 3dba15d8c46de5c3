import { errorText, Refusal } from '../../base/errors.ts';
import { guardedFetch, type GuardedFetchOptions } from '../guarded-fetch.ts';
import { type DeviceKeys, encryptPush } from './encrypt.ts';

/** One push to a push service (RFC 8030). */

/** Milliseconds for all of it. */
const SEND_MS = 20_000;
/** Octets of an answer, of which only the status counts. */
const ANSWER_BYTES = 64 * 1024;
/** Milliseconds that a service may have us wait. */
const RETRY_MAX_MS = 24 * 3600 * 1000;

export interface PushMessage {
  readonly url: string;
  readonly keys: DeviceKeys | undefined;
  readonly text: string;
  /** Seconds that the service keeps it for a device that is away. */
  readonly ttl: number;
  /** A later one with the same topic takes the place of one that is kept (section 5.4). */
  readonly topic?: string | undefined;
  readonly urgency: 'normal' | 'high';
}

export type PushOutcome =
  | { readonly status: 'taken' }
  /** The device is no longer subscribed there (section 7.3 and 8.2). */
  | { readonly status: 'gone' }
  | { readonly status: 'failed'; readonly reason: string; readonly retryMs: number | undefined };

export type PushFetch = Pick<
  GuardedFetchOptions,
  'resolver' | 'clock' | 'allow' | 'allowPort' | 'ca' | 'signal'
>;

/** Send it to a host on the public Internet. Never throws. */
export async function sendPush(
  message: PushMessage,
  vapid: (origin: string, now: number) => string,
  how: PushFetch,
): Promise<PushOutcome> {
  try {
    const { url, keys, text, ttl, topic, urgency } = message;
    const body = keys === undefined ? Buffer.from(text) : encryptPush(Buffer.from(text), keys);
    const response = await guardedFetch({
      ...how,
      url,
      method: 'POST',
      maxBytes: ANSWER_BYTES,
      timeoutMs: SEND_MS,
      body,
      headers: {
        authorization: vapid(new URL(url).origin, how.clock.now()),
        ttl: String(ttl),
        urgency,
        ...(topic !== undefined && { topic }),
        ...(keys === undefined
          ? { 'content-type': 'application/json' }
          : { 'content-type': 'application/octet-stream', 'content-encoding': 'aes128gcm' }),
      },
    });
    response.close();
    return outcomeOf(response.status, response.headers['retry-after'], how.clock.now());
  } catch (error) {
    // An address that is not public is never going to be; the rest may pass.
    const reason = error instanceof Refusal ? error.message : `it could not be sent: ${errorText(error)}`;
    return { status: 'failed', reason, retryMs: undefined };
  }
}

function outcomeOf(status: number, retryAfter: string | undefined, now: number): PushOutcome {
  if (status >= 200 && status < 300) return { status: 'taken' };
  if (status === 404 || status === 410) return { status: 'gone' };
  return {
    status: 'failed',
    reason: `the push service answered with status ${status}`,
    retryMs: retryMsOf(retryAfter, now),
  };
}

/** RFC 9110 section 10.2.3: seconds, or a date. */
function retryMsOf(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text.slice(0, 100)) - now;
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, RETRY_MAX_MS) : undefined;
}
