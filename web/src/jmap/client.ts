import { signal } from '@preact/signals';
import { ApiError, errorOf, send, signedOut } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { type Patience, SILENCE_MS } from '../base/patience.ts';
import { me } from '../base/session.ts';
import { batcher, type Call, type Request, type Response as JmapResponse } from './batch.ts';
import type { Answers, Id, MethodName, Session } from './types.ts';

/** The client of JMAP (RFC 8620): one session for all of the app. Errors are `ApiError` (the request) and `JmapError` (a call). */
export { JmapError, type Call, type ResultReference } from './batch.ts';

const MAIL = 'urn:ietf:params:jmap:mail';
const CORE = 'urn:ietf:params:jmap:core';
const SESSION_PATH = '/jmap/session';
const API_PATH = '/jmap/api';
/** Methods of what every server of ours has: they need not wait until the session is known. */
const PLAIN = /^(?:Mailbox|Email|Thread|SearchSnippet)\//;
/** Requests that run at once; the server takes four of an account, which may have other pages open. */
const REQUESTS = 3;
/** Calls that change nothing: what was asked without an answer is asked again. */
const READS = /\/(?:get|query|changes|queryChanges)$/;
/** Milliseconds before a request is tried again that met too many others. */
const BUSY_MS = 400;
const BUSY_TRIES = 8;
/** Milliseconds without a sign of life after which an upload is given up. */
const UPLOAD_SILENCE_MS = 2 * SILENCE_MS;

/** What the server can do and which accounts there are; undefined until `loadSession`. */
export const session = signal<Session | undefined>(undefined);
/** Told of each answer and each failure to reach the server. */
export const reachability = new Set<(reached: boolean) => void>();

let loading: Promise<Session> | undefined;

/** The session, fetched once; `again` when it may have changed. */
export function loadSession(again = false): Promise<Session> {
  if (again) loading = undefined;
  loading ??= fetchSession().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function fetchSession(): Promise<Session> {
  const response = await reach(SESSION_PATH, { headers: { 'X-Postern': '1' } }, { repeatable: true });
  if (!response.ok) throw await failure(response);
  const found = (await response.json()) as Session;
  session.value = found;
  return found;
}

let probing: Promise<boolean> | undefined;

/** Ask something small, to find out whether the server answers again; `reachability` is told. */
export function probe(): Promise<boolean> {
  probing ??= loadSession(true)
    .then(
      () => true,
      () => false,
    )
    .finally(() => (probing = undefined));
  return probing;
}

/** Know a session that was kept, while the server cannot be reached. */
export function adoptSession(kept: Session): void {
  session.value ??= kept;
}

/** Forget who was signed in. */
export function resetClient(): void {
  session.value = undefined;
  loading = undefined;
}

/** Our own account. Throws when nobody is signed in. */
export function ownAccountId(): Id {
  const id = session.value?.primaryAccounts[MAIL] ?? me.value?.accountId;
  if (id === undefined) throw new Error('nobody is signed in');
  return id;
}

/** Whether the server knows a capability ("sieve", or its whole name). */
export function can(capability: string): boolean {
  const name = capability.includes(':') ? capability : `urn:ietf:params:jmap:${capability}`;
  return session.value !== undefined && name in session.value.capabilities;
}

async function reach(url: string, init: RequestInit, patience?: Patience): Promise<Response> {
  try {
    const response = await send(url, init, patience);
    for (const fn of reachability) fn(true);
    return response;
  } catch (error) {
    if (error instanceof ApiError) for (const fn of reachability) fn(false);
    throw error;
  }
}

/** What an answer other than 2xx means; 401 ends the session of the page. */
async function failure(response: Response): Promise<ApiError> {
  if (response.status === 401) signedOut();
  if (response.headers.get('content-type')?.includes('problem+json') !== true) return errorOf(response);
  const problem = (await response.json()) as { type?: string; detail?: string; limit?: string };
  const kind = problem.limit ?? problem.type ?? 'internal';
  return new ApiError(response.status, kind, problem.detail ?? `The server answered ${response.status}.`);
}

let running = 0;
const waiting: (() => void)[] = [];

async function limited<T>(run: () => Promise<T>): Promise<T> {
  if (running >= REQUESTS) await new Promise<void>((go) => waiting.push(go));
  running++;
  try {
    return await run();
  } finally {
    running--;
    waiting.shift()?.();
  }
}

async function post(request: Omit<Request, 'using'>): Promise<JmapResponse> {
  const plain = request.methodCalls.every(([name]) => PLAIN.test(name));
  const known = session.value ?? (plain ? undefined : await loadSession());
  const using = known === undefined ? [CORE, MAIL] : Object.keys(known.capabilities);
  const body = JSON.stringify({ using, ...request });
  const reads = request.methodCalls.every(([name]) => READS.test(name));
  const ask = async (): Promise<JmapResponse> => {
    for (let attempt = 1; ; attempt++) {
      const response = await reach(
        known === undefined ? API_PATH : pathOnly(known.apiUrl),
        { method: 'POST', headers: { 'X-Postern': '1', 'Content-Type': 'application/json' }, body },
        { repeatable: reads },
      );
      if (response.ok) return noticeSession((await response.json()) as JmapResponse);
      const error = await failure(response);
      if (error.kind !== 'maxConcurrentRequests' || attempt === BUSY_TRIES) throw error;
      await new Promise((done) => setTimeout(done, BUSY_MS * attempt));
    }
  };
  // What somebody does does not wait behind what is only looked at.
  return reads ? limited(ask) : ask();
}

/** RFC 8620 section 3.4: another session state says that accounts or capabilities have changed. */
function noticeSession(response: JmapResponse): JmapResponse {
  if (session.value !== undefined && response.sessionState !== session.value.state)
    void loadSession(true).catch(() => undefined);
  return response;
}

const batch = batcher(post);

/**
 * One method call. Calls made in the same turn travel in one request, in their order; `ref` of what is returned names a
 * part of its answer for a later call of the same turn: `call('Email/get', {accountId, '#ids': found.ref('/ids')})`.
 * Rejects with `JmapError` when the method fails, with `ApiError` when the request does ("offline" when the server was not reached).
 */
export function call<M extends MethodName>(name: M, args: object): Call<Answers[M]> {
  return batch.call<Answers[M]>(name, args);
}

/** URLs of the session as paths of our own origin: what stands between the server and us may have another name. */
function pathOnly(url: string): string {
  return url.replace(/^https?:\/\/[^/]+/, '');
}

/** Where a blob is fetched from, saved under `name`. */
export function downloadUrl(
  accountId: Id,
  blobId: Id,
  name: string,
  type = 'application/octet-stream',
): string {
  const values: Record<string, string> = { accountId, blobId, name: name || 'file', type };
  const template = session.value?.downloadUrl ?? '/jmap/download/{accountId}/{blobId}/{name}?accept={type}';
  return pathOnly(template.replace(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(values[key] ?? '')));
}

export interface TransferOptions {
  readonly signal?: AbortSignal;
  /** Told octets done and octets in all (0: unknown). */
  readonly onProgress?: (done: number, total: number) => void;
}

/** The octets of a blob. */
export async function download(
  accountId: Id,
  blobId: Id,
  { signal: abort, onProgress }: TransferOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await reach(
    downloadUrl(accountId, blobId, 'file'),
    { headers: { 'X-Postern': '1' }, ...(abort !== undefined && { signal: abort }) },
    { repeatable: true, ...(onProgress !== undefined && { onProgress }) },
  );
  if (!response.ok) throw await failure(response);
  return new Uint8Array(await response.arrayBuffer());
}

export interface Uploaded {
  readonly blobId: Id;
  readonly type: string;
  readonly size: number;
}

/** Keep octets on the server until an email has them (RFC 8620 section 6.1). */
export function upload(accountId: Id, data: Blob, options: TransferOptions = {}): Promise<Uploaded> {
  const template = session.value?.uploadUrl ?? '/jmap/upload/{accountId}/';
  const url = pathOnly(template.replace('{accountId}', encodeURIComponent(accountId)));
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', url);
    request.setRequestHeader('X-Postern', '1');
    request.setRequestHeader('Content-Type', data.type || 'application/octet-stream');
    // Silence for so long, while octets go out or after they have, and it is given up.
    const giveUp = (): void => {
      reject(new ApiError(0, 'offline', texts('base')('serverSilent')));
      request.abort();
    };
    let silence = setTimeout(giveUp, UPLOAD_SILENCE_MS);
    const alive = (): void => {
      clearTimeout(silence);
      silence = setTimeout(giveUp, UPLOAD_SILENCE_MS);
    };
    request.onloadend = () => clearTimeout(silence);
    request.upload.onprogress = (event) => {
      alive();
      options.onProgress?.(event.loaded, event.total);
    };
    request.onload = () => {
      const { status } = request;
      const answer = new Response(request.responseText, {
        status: status === 0 ? 500 : status,
        headers: { 'content-type': request.getResponseHeader('content-type') ?? '' },
      });
      if (status === 201 || status === 200) resolve(JSON.parse(request.responseText) as Uploaded);
      else failure(answer).then(reject, reject);
    };
    request.onerror = () => reject(new ApiError(0, 'offline', texts('base')('serverUnreachable')));
    request.onabort = () => reject(new DOMException('The upload was stopped.', 'AbortError'));
    options.signal?.addEventListener('abort', () => request.abort());
    if (options.signal?.aborted === true) reject(new DOMException('The upload was stopped.', 'AbortError'));
    else request.send(data);
  });
}
