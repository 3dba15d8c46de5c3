import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import { AwsError } from './types.ts';

/** As the platform's own; tests bring theirs. */
export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** Milliseconds for an answer of SNS: the request that asks for it has 15 seconds in all. */
const FETCH_MS = 8000;
/** Octets of an answer: a certificate is under 4 KiB, a confirmation under 2. */
const FETCH_BYTES = 64 * 1024;

/**
 * GET from a host that was checked before: no redirects, bounded in size and time. Throws AwsError 'network' (no
 * answer), 'server' (5xx, 429), 'rejected' (anything else but 200).
 */
export async function fetchSns(fetch: Fetch, clock: Clock, url: URL): Promise<string> {
  const controller = new AbortController();
  const timer = clock.setTimer(FETCH_MS, () => controller.abort());
  try {
    const response = await fetch(url, { redirect: 'error', signal: controller.signal });
    if (response.status === 200) return await boundedText(response);
    await response.body?.cancel();
    const again = response.status >= 500 || response.status === 429;
    throw new AwsError(again ? 'server' : 'rejected', `${url.hostname} answered ${response.status}`);
  } catch (error) {
    if (error instanceof AwsError) throw error;
    const why = controller.signal.aborted ? `no answer in ${FETCH_MS / 1000} s` : errorText(error);
    throw new AwsError('network', `${url.hostname} could not be asked: ${why}`, { cause: error });
  } finally {
    timer.cancel();
  }
}

async function boundedText(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let octets = 0;
  for await (const piece of response.body ?? []) {
    octets += piece.length;
    if (octets > FETCH_BYTES)
      throw new AwsError('rejected', `the answer is larger than ${FETCH_BYTES} octets`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
