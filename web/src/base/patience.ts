import { signal } from '@preact/signals';

/**
 * Requests to a server that may be silent: on a line that died without a word, behind a proxy that hangs. The browser itself
 * waits for minutes, and for ever in the middle of an answer.
 */

/** Milliseconds without a sign of life after which a request is given up. */
export const SILENCE_MS = 20_000;
/** Milliseconds after which whoever waits is told so. */
const SLOW_MS = 6000;
/** How often what may be asked twice is asked. */
const TRIES = 2;
/** Octets of a request that a bad line takes in a millisecond. */
const SLOWEST = 8;

export interface Patience {
  /** To ask twice does no more than to ask once: after silence it is asked again. */
  readonly repeatable?: boolean;
  readonly silenceMs?: number;
  /** Nobody is told that it takes long: it is known to. */
  readonly quiet?: boolean;
  /** Told octets done and octets in all (0: unknown). */
  readonly onProgress?: (done: number, total: number) => void;
}

/** The server said nothing for too long, or the connection broke in the middle of its answer. */
export class Silence extends Error {}

/** Whether somebody waits for longer than usual, and whether what they wait for can be asked again. */
export const slowness = signal<'none' | 'slow' | 'askable'>('none');
const slow = new Map<object, (() => void) | undefined>();

function look(): void {
  const askable = [...slow.values()].some((again) => again !== undefined);
  slowness.value = slow.size === 0 ? 'none' : askable ? 'askable' : 'slow';
}

function setSlow(key: object, again: (() => void) | undefined): void {
  slow.set(key, again);
  look();
}

function notSlow(key: object): void {
  if (slow.delete(key)) look();
}

/** Ask anew what is waited for, by other connections; what must not be asked twice waits on. */
export function askAgain(): void {
  // What is asked anew is slow anew only after a while: the map shrinks under our hands.
  for (const again of new Set(slow.values())) again?.();
}

type Ended = 'silent' | 'again' | 'cut';

/**
 * `fetch`, with the whole answer when it resolves. Rejects with `Silence`, with what `fetch` rejects with when no answer
 * began, and with an AbortError when `init.signal` is aborted.
 */
export async function fetchPatiently(
  url: string,
  init: RequestInit,
  patience: Patience = {},
): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const answer = await once(url, init, patience);
    if (answer instanceof Response) return answer;
    if (answer !== 'again' && (patience.repeatable !== true || attempt >= TRIES))
      throw new Silence('The server does not answer.');
  }
}

async function once(
  url: string,
  init: RequestInit,
  { repeatable = false, silenceMs = SILENCE_MS, quiet = false, onProgress }: Patience,
): Promise<Response | Ended> {
  const controller = new AbortController();
  let ended: Ended | undefined;
  const end = (why: Ended) => (): void => {
    ended ??= why;
    controller.abort();
  };
  const outer = init.signal;
  const onAbort = (): void => controller.abort(outer?.reason);
  if (outer?.aborted === true) onAbort();
  outer?.addEventListener('abort', onAbort);
  const sent = typeof init.body === 'string' ? init.body.length / SLOWEST : 0;
  let silence = setTimeout(end('silent'), silenceMs + sent);
  const alive = (): void => {
    clearTimeout(silence);
    silence = setTimeout(end('silent'), silenceMs);
  };
  const key = {};
  const late = quiet
    ? undefined
    : setTimeout(() => setSlow(key, repeatable ? end('again') : undefined), SLOW_MS + sent);
  let began = false;
  try {
    const response = await fetch(url, { ...init, signal: controller.signal });
    began = true;
    const body = await bodyOf(response, (done, total) => {
      alive();
      onProgress?.(done, total);
    });
    const { status, statusText, headers } = response;
    return new Response(body, { status, statusText, headers });
  } catch (error) {
    if (ended !== undefined) return ended;
    // Broken off in the middle, by neither of us.
    if (began && outer?.aborted !== true) return 'cut';
    throw error;
  } finally {
    clearTimeout(silence);
    clearTimeout(late);
    notSlow(key);
    outer?.removeEventListener('abort', onAbort);
  }
}

/** All octets of an answer; null where there are none. */
async function bodyOf(
  response: Response,
  onPiece: (done: number, total: number) => void,
): Promise<Blob | null> {
  const total = Number(response.headers.get('content-length') ?? 0);
  onPiece(0, total);
  if (response.body === null) return null;
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let done = 0;
  const reader = response.body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    pieces.push(next.value);
    done += next.value.length;
    onPiece(done, total);
  }
  return done === 0 ? null : new Blob(pieces);
}
