import type { Clock } from '../../base/clock.ts';
import { errnoCode, errorText, Refusal } from '../../base/errors.ts';
import { retryAfter } from '../acme/http.ts';

/** Requests to the HTTP API of a provider: JSON or text over HTTPS, bounded in time and size, polite when asked to wait. */

/** Milliseconds for a request and the whole of its answer. */
const EXCHANGE_MS = 20_000;
/** Octets of an answer: a page of a large zone is under 1 MB. */
const ANSWER_BYTES = 8 * 1024 * 1024;
/** Times that one request is put again after it was told to wait. */
const WAITS_MAX = 4;
/** Milliseconds: a provider that wants us to wait longer is told of as a failure. */
const WAIT_MAX_MS = 20_000;
/** Milliseconds when a provider says 429 without saying how long; doubled each time. */
const WAIT_DEFAULT_MS = 1000;
/** Characters of a provider's own words that are repeated. */
const WORDS_MAX = 500;

export interface ApiOptions {
  readonly clock: Clock;
  /** "Cloudflare", for messages. */
  readonly provider: string;
  /** Where all paths begin: "https://api.example.net/v1", no final slash. Plain HTTP to this machine only. */
  readonly endpoint: string;
  /** Fields of every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** What the provider said is wrong, out of an answer that is an error. */
  readonly problem: (answer: unknown, text: string) => string | undefined;
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the endpoint, with its query; or, where the provider gave one, a whole URL at the same host. */
  readonly path: string;
  readonly body?: unknown;
  /** Fields of this request alone. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The text as JSON; undefined when it is none. */
  readonly json: unknown;
}

export interface Api {
  /** Throws a `Refusal` for every answer that is not 2xx. */
  (request: ApiRequest): Promise<ApiAnswer>;
}

export function createApi(options: ApiOptions): Api {
  const base = checkedEndpoint(options.endpoint);
  return async (request) => {
    const url = urlOf(base, request.path, options.provider);
    let wait = WAIT_DEFAULT_MS;
    for (let waited = 0; ; waited++) {
      const answer = await exchange(options, url, request);
      if (answer.status >= 200 && answer.status < 300) return answer;
      if (answer.status !== 429) throw refusalOf(options, answer);
      const asked = retryAfter(answer.headers.get('retry-after') ?? undefined, options.clock.now());
      const pause = asked ?? wait;
      if (waited >= WAITS_MAX || pause > WAIT_MAX_MS) throw tooMany(options.provider, asked);
      await options.clock.sleep(pause);
      wait *= 2;
    }
  };
}

function tooMany(provider: string, asked: number | undefined): Refusal {
  const when = asked === undefined ? 'later' : `in ${Math.ceil(asked / 1000)} s`;
  return new Refusal('unavailable', `${provider} takes no more requests for now; try again ${when}.`);
}

/** Secrets travel by HTTPS only; plain HTTP is for this machine. */
function checkedEndpoint(endpoint: string): URL {
  const url = URL.parse(endpoint);
  const local = url?.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (url === null || (url.protocol !== 'https:' && !local))
    throw new Refusal('bad-input', `${endpoint} is not an https URL`);
  return url;
}

function urlOf(base: URL, path: string, provider: string): URL {
  const isUrl = /^https?:\/\//.test(path);
  const url = URL.parse(isUrl ? path : `${base.href.replace(/\/$/, '')}${path}`);
  // The next page is where the provider says, but our credentials go to no other host.
  if (url === null || url.origin !== base.origin)
    throw new Refusal('unavailable', `${provider} named a next page at another host.`);
  return url;
}

async function exchange(options: ApiOptions, url: URL, request: ApiRequest): Promise<ApiAnswer> {
  const { clock, provider } = options;
  const abort = new AbortController();
  const timer = clock.setTimer(EXCHANGE_MS, () => abort.abort());
  const { body } = request;
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  try {
    const response = await fetch(url, {
      method: request.method,
      headers: {
        Accept: 'application/json',
        ...(text !== undefined && { 'Content-Type': 'application/json' }),
        ...options.headers,
        ...request.headers,
      },
      ...(text !== undefined && { body: text }),
      redirect: 'manual',
      signal: abort.signal,
    });
    const read = await whole(response);
    return { status: response.status, headers: response.headers, text: read, json: parsed(read) };
  } catch (error) {
    const why = abort.signal.aborted ? `no answer within ${EXCHANGE_MS / 1000} s` : reason(error);
    throw new Refusal('unavailable', `${provider} cannot be asked (${url.host}): ${why}.`);
  } finally {
    timer.cancel();
  }
}

async function whole(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let octets = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    octets += piece.length;
    if (octets > ANSWER_BYTES) throw new Error(`an answer of more than ${ANSWER_BYTES} octets`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = errnoCode(cause);
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENOTFOUND') return 'there is no such host';
  return errorText(cause) || code || 'the connection failed';
}

function refusalOf({ provider, problem }: ApiOptions, { status, text, json }: ApiAnswer): Refusal {
  const said = (problem(json, text) ?? '').slice(0, WORDS_MAX);
  const words = said === '' ? `status ${status}` : `${said} (status ${status})`;
  if (status === 401 || status === 403)
    return new Refusal('not-permitted', `${provider} does not take our credentials for this: ${words}`);
  if (status === 404) return new Refusal('not-found', `${provider} has no such zone or record: ${words}`);
  if (status === 409 || status === 412) return new Refusal('conflict', `${provider}: ${words}`);
  if (status >= 500 || status < 400)
    return new Refusal('unavailable', `${provider} has trouble of its own: ${words}`);
  return new Refusal('bad-input', `${provider} refused this: ${words}`);
}

/** Parse what a provider answered. Refusal 'unavailable' when it is of another shape than its documentation says. */
export function shaped<T>(
  schema: { safeParse(value: unknown): { success: true; data: T } | { success: false } },
  value: unknown,
  provider: string,
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Refusal('unavailable', `${provider} answered something else than its documentation says.`);
}
