import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import { errnoCode, errorText } from '../../base/errors.ts';

/** Milliseconds to wait for a connection, TLS included. */
const CONNECT_MS = 10_000;
/** Milliseconds for the answer to begin once the request is out. SES takes its time with large messages. */
const ANSWER_MS = 60_000;
/** Milliseconds without progress while a request is written. */
const WRITE_MS = 60_000;
/** Milliseconds an unused connection is kept: less than Amazon keeps it, so that we do not write into one that just closed. */
const IDLE_MS = 4_000;
/** Milliseconds for the whole of an answer that is not streamed, and its octets: a page of 1000 objects is under 1 MiB. */
const BODY_MS = 60_000;
const BODY_BYTES = 16 * 1024 * 1024;
/** Connections to one host at a time; calls beyond wait for their turn. */
const SOCKETS = 32;

/** A request of the SDK, as far as we look at it. */
interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly method: string;
  readonly path: string;
  readonly query?: Record<string, string | string[] | null> | undefined;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

interface SdkResponse {
  readonly statusCode: number;
  readonly reason?: string;
  readonly headers: Record<string, string>;
  readonly body: Readable;
}

/**
 * Why no answer came. `left`: every octet of the request had been handed to the network, so the other side may have
 * acted on it. Before that it cannot have: it knows the length of the request and never saw its end.
 */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly left: boolean;
  /** "ECONNREFUSED", for the SDK to know what it may repeat, where it may. */
  readonly code: string;
  /** HTTP status, when the answer broke off behind it. */
  readonly status: number | undefined;
  constructor(left: boolean, code: string, message: string, status?: number) {
    super(message);
    this.left = left;
    this.code = code;
    this.status = status;
  }
}

export interface AwsHttp {
  readonly metadata: { readonly handlerProtocol: string };
  handle(
    request: SdkRequest,
    options?: { abortSignal?: unknown; requestTimeout?: number },
  ): Promise<{ response: SdkResponse }>;
  httpHandlerConfigs(): object;
  updateHttpClientConfig(): void;
  destroy(): void;
}

/**
 * How the SDK's requests reach the network. Ours instead of the SDK's own, for it alone knows whether a request that
 * failed had left, and it can write a body that is a stream of known length.
 */
export function createAwsHttp(clock: Clock, answerMs: number = ANSWER_MS): AwsHttp {
  const options = { keepAlive: true, maxSockets: SOCKETS, timeout: IDLE_MS, scheduling: 'lifo' } as const;
  const plain = new HttpAgent(options);
  const secure = new HttpsAgent(options);
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(request, { abortSignal, requestTimeout } = {}) {
      const encrypted = request.protocol === 'https:';
      const signal = abortSignal instanceof AbortSignal ? abortSignal : undefined;
      if (signal?.aborted === true) throw aborted(false);
      const start = encrypted ? httpsRequest : httpRequest;
      const sent = start({ ...target(request), agent: encrypted ? secure : plain });
      const response = await exchange(clock, sent, request, requestTimeout ?? answerMs, signal);
      const streamed = request.query?.['x-id'] === 'GetObject' && Math.floor(response.statusCode / 100) === 2;
      return { response: streamed ? response : await whole(clock, response, signal) };
    },
    httpHandlerConfigs: () => ({}),
    updateHttpClientConfig: () => undefined,
    destroy() {
      // Not Agent.destroy: that cuts calls under way, and a send that is cut may have been one.
      for (const agent of [plain, secure])
        for (const idle of Object.values(agent.freeSockets))
          for (const socket of idle ?? []) socket.destroy();
    },
  };
}

function target(request: SdkRequest): RequestOptions {
  const query = queryString(request.query ?? {});
  return {
    host: request.hostname.replace(/^\[(.*)\]$/, '$1'),
    ...(request.port !== undefined && { port: request.port }),
    method: request.method,
    path: query === '' ? request.path : `${request.path}?${query}`,
    headers: request.headers,
  };
}

/** As the signature has it: RFC 3986, in order of the names. */
function queryString(query: Record<string, string | string[] | null>): string {
  return Object.keys(query)
    .toSorted()
    .flatMap((name) => {
      const value = query[name] ?? null;
      if (value === null) return [escaped(name)];
      return [value].flat().map((each) => `${escaped(name)}=${escaped(each)}`);
    })
    .join('&');
}

function escaped(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function aborted(left: boolean): NoAnswer {
  return new NoAnswer(left, 'ABORT_ERR', 'the call was given up');
}

/** Write the request, await the head of the answer. */
function exchange(
  clock: Clock,
  sent: ClientRequest,
  { body, headers }: SdkRequest,
  answerMs: number,
  signal: AbortSignal | undefined,
): Promise<SdkResponse> {
  let left = false;
  let settled = false;
  return new Promise((resolve, reject) => {
    let timer = clock.setTimer(CONNECT_MS, () => fail('ETIMEDOUT', 'no connection in time'));
    const rearm = (ms: number, reason: string): void => {
      if (settled) return;
      timer.cancel();
      timer = clock.setTimer(ms, () => fail('ETIMEDOUT', reason));
    };
    const fail = (code: string, reason: string): void => {
      if (settled) return;
      settle();
      reject(new NoAnswer(left, code, reason));
      sent.destroy();
    };
    const onAbort = (): void => {
      settle();
      reject(aborted(left));
      sent.destroy();
    };
    const settle = (): void => {
      settled = true;
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    sent.on('error', (error) => fail(errnoCode(error) ?? 'ECONNRESET', reasonOf(error)));
    sent.on('response', (response) => {
      settle();
      resolve(headOf(response));
      // They need not hear the rest of the request, and may not be listening: no more of it once they are done.
      response.once('close', () => {
        if (!left) sent.destroy();
      });
    });
    const onProgress = (): void => rearm(WRITE_MS, 'the request could not be written in time');
    const write = async (): Promise<void> => {
      await connected(sent);
      onProgress();
      await writeBody(sent, body, lengthOf(headers), onProgress, () => {
        left = true;
      });
      rearm(answerMs, 'no answer in time');
    };
    write().catch((error: unknown) => fail(errnoCode(error) ?? 'EPIPE', reasonOf(error)));
  });
}

function headOf(response: IncomingMessage): SdkResponse {
  // What breaks in the body is told to its reader; nobody may be listening yet.
  response.on('error', () => undefined);
  return {
    statusCode: response.statusCode ?? 0,
    ...(response.statusMessage !== undefined && { reason: response.statusMessage }),
    headers: flat(response.headers),
    body: response,
  };
}

function reasonOf(error: unknown): string {
  return errorText(error) || (errnoCode(error) ?? 'the connection failed');
}

/** A place among the connections and an open one. Never settles when it fails: the request's 'error' tells. */
function connected(sent: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    sent.once('socket', (socket) => {
      if (!socket.connecting) resolve();
      else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => resolve());
    });
  });
}

/** Octets of the body as announced; none where it ends by itself (chunked). */
function lengthOf(headers: Record<string, string>): number {
  const field = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-length')?.[1];
  return field === undefined ? Number.POSITIVE_INFINITY : Number(field);
}

async function writeBody(
  sent: ClientRequest,
  body: unknown,
  length: number,
  onProgress: () => void,
  onLeft: () => void,
): Promise<void> {
  if (typeof body === 'string' || body instanceof Uint8Array || body === undefined || body === null) {
    onLeft();
    if (body === undefined || body === null) sent.end();
    else sent.end(body);
    return;
  }
  let written = 0;
  for await (const piece of body as AsyncIterable<Uint8Array>) {
    if (sent.destroyed) return;
    written += piece.length;
    // With its last octet the other side has all it was told to wait for, whatever we do next.
    if (written >= length) onLeft();
    if (!sent.write(piece)) await drained(sent);
    onProgress();
    // A socket that takes everything at once would leave nobody else a turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  onLeft();
  sent.end();
}

function drained(sent: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      sent.off('drain', done);
      sent.off('close', done);
      resolve();
    };
    sent.on('drain', done);
    sent.on('close', done);
  });
}

/** The answer with its body read to the end: one that breaks off is no answer. */
async function whole(
  clock: Clock,
  response: SdkResponse,
  signal: AbortSignal | undefined,
): Promise<SdkResponse> {
  const { body, statusCode } = response;
  const giveUp = (): void => void body.destroy(new Error('the answer did not end in time'));
  const timer = clock.setTimer(BODY_MS, giveUp);
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    const parts: Buffer[] = [];
    let octets = 0;
    for await (const part of body as AsyncIterable<Buffer>) {
      octets += part.length;
      if (octets > BODY_BYTES) throw new Error('the answer is too long');
      parts.push(part);
    }
    return { ...response, body: Readable.from([Buffer.concat(parts)], { objectMode: false }) };
  } catch (error) {
    const reason = `the answer broke off: ${reasonOf(error)}`;
    throw new NoAnswer(true, errnoCode(error) ?? 'ECONNRESET', reason, statusCode);
  } finally {
    timer.cancel();
    signal?.removeEventListener('abort', giveUp);
  }
}

function flat(headers: IncomingMessage['headers']): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) result[name] = [value].flat().join(', ');
  return result;
}
