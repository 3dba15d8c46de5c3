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
  const response = await send(url, {
    method,
    headers: { 'X-Postern': '1', ...(!inQuery && { 'Content-Type': 'application/json' }) },
    ...(!inQuery && { body: JSON.stringify(input ?? {}) }),
    ...(signal !== undefined && { signal }),
  });
  if (response.ok) return (await response.json()) as T;
  if (response.status === 401 && !quiet) signedOut();
  throw await errorOf(response);
}

/** `fetch` that tells an unreachable server from a bug. */
export async function send(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { credentials: 'same-origin', ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, 'offline', 'The server cannot be reached.');
  }
}

export async function errorOf(response: Response): Promise<ApiError> {
  const { status } = response;
  try {
    const { error } = (await response.json()) as {
      error?: { kind?: string; message?: string; field?: string };
    };
    if (error?.message !== undefined)
      return new ApiError(status, error.kind ?? 'internal', error.message, error.field);
  } catch {
    // No JSON: a proxy between us and the server, perhaps.
  }
  return new ApiError(status, 'internal', `The server answered ${status}.`);
}

function queryOf(input: object): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(input) as [string, unknown][]) {
    if (value !== undefined && value !== null && value !== '') query.set(name, String(value));
  }
  return query.toString();
}
