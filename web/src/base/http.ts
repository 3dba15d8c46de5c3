import type { Said } from '../../../src/base/words.ts';
import { language, texts } from './i18n.ts';
import { fetchPatiently, type Patience, Silence } from './patience.ts';

/** What the server answers when it refuses; `message` is a sentence for people, `field` names the input it is about. */
export class ApiError extends Error {
  readonly status: number;
  readonly kind: string;
  readonly field: string | undefined;

  constructor(status: number, kind: string, message: string, field?: string) {
    super(message);
    this.status = status;
    this.kind = kind;
    this.field = field;
  }
}

/** Called when the server no longer knows us. */
const onSignedOut = new Set<() => void>();

export function whenSignedOut(fn: () => void): void {
  onSignedOut.add(fn);
}

/** The server no longer knows us. */
export function signedOut(): void {
  for (const fn of onSignedOut) fn();
}

/** A refusal as the server tells it (docs/adr/0023). */
export interface Problem {
  readonly kind: string;
  readonly message: string;
  readonly field?: string;
  readonly code?: string;
  readonly args?: Said['args'];
}

export interface ApiOptions {
  readonly signal?: AbortSignal;
  /** An answer 401 is the caller's to deal with. */
  readonly quiet?: boolean;
}

/**
 * One request of the account or admin API. Throws `ApiError`; kind "offline" when the server was not reached.
 * GET and DELETE put `input` into the query, the others send it as JSON.
 */
export async function api<T>(
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  input?: object,
  { signal, quiet = false }: ApiOptions = {},
): Promise<T> {
  const inQuery = method === 'GET' || method === 'DELETE';
  const url = inQuery && input !== undefined ? `${path}?${queryOf(input)}` : path;
  const init = {
    method,
    headers: { 'X-Postern': '1', ...(!inQuery && { 'Content-Type': 'application/json' }) },
    ...(!inQuery && { body: JSON.stringify(input ?? {}) }),
    ...(signal !== undefined && { signal }),
  };
  const response = await send(url, init, patienceFor(method, path));
  if (response.ok) return (await response.json()) as T;
  if (response.status === 401 && !quiet) signedOut();
  throw await errorOf(response);
}

/** Milliseconds of silence in which the server may ask others, try something out, or count a lot. */
const LONG_SILENCE_MS = 300_000;

function patienceFor(method: string, path: string): Patience {
  const read = method === 'GET' && /^\/(?:auth|account)\//.test(path);
  if (read) return { repeatable: true };
  // Other changes of mail wait for it.
  return path === '/account/v1/snooze'
    ? {}
    : { repeatable: method === 'GET', silenceMs: LONG_SILENCE_MS, quiet: true };
}

/** What stands before our server answers so while it cannot reach it. */
const NOT_REACHED = new Set([502, 503, 504]);

/** `fetch` that tells a server that cannot be reached, or does not answer, from a bug. The answer is here as a whole. */
export async function send(url: string, init: RequestInit, patience: Patience = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetchPatiently(url, { credentials: 'same-origin', ...init }, patience);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    const text = error instanceof Silence ? 'serverSilent' : 'serverUnreachable';
    throw new ApiError(0, 'offline', texts('base')(text));
  }
  if (NOT_REACHED.has(response.status) && response.headers.get('content-type')?.includes('json') !== true)
    throw new ApiError(0, 'offline', texts('base')('serverUnreachable'));
  return response;
}

export async function errorOf(response: Response): Promise<ApiError> {
  const { status } = response;
  const problem = await problemOf(response);
  if (problem === undefined)
    return new ApiError(status, 'internal', texts('base')('serverAnswered', { status: String(status) }));
  const { kind, field } = problem;
  return new ApiError(status, kind, await problemText(problem), field);
}

async function problemOf(response: Response): Promise<Problem | undefined> {
  try {
    const { error } = (await response.json()) as { error?: Partial<Problem> };
    if (error?.message === undefined) return undefined;
    return { ...error, kind: error.kind ?? 'internal', message: error.message };
  } catch {
    // No JSON: a proxy between us and the server, perhaps.
    return undefined;
  }
}

/** The sentence in the language of the reader; what is known in English only stands behind what kind of thing it is. */
async function problemText(problem: Problem): Promise<string> {
  if (language.value === 'en') return problem.message;
  try {
    const { problemWords } = await import('../text/problem-words.ts');
    return await problemWords(problem);
  } catch {
    // Without its texts in reach English is better than nothing.
    return problem.message;
  }
}

function queryOf(input: object): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(input) as [string, unknown][]) {
    if (value !== undefined && value !== null && value !== '') query.set(name, String(value));
  }
  return query.toString();
}
