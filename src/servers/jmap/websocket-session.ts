import type { WebSocket } from 'ws';
import type { Timer } from '../../base/clock.ts';
import { timeId } from '../../base/ids.ts';
import { errorText, Refusal } from '../../base/errors.ts';
import type { Principal } from '../request-login.ts';
import type { JmapOptions } from './context.ts';
import { RequestError } from './errors.ts';
import { isObject, type Json, type JsonObject, member } from './json.ts';
import { JMAP_LIMITS } from './limits.ts';
import { isLarge, jsonOctets } from './json-pieces.ts';
import { parseJson } from './parse-json.ts';
import { PUSHED_TYPES } from './push-states.ts';
import { watchStates } from './push-watch.ts';
import { answerRequest, type Shared } from './request.ts';

/** One WebSocket of a client that has logged in (RFC 8887 section 4). */

export const SOCKET_LIMITS = {
  /** Milliseconds between two looks whether the client still lives and reads. */
  lookMs: 30_000,
  /** Octets that wait to be sent, beyond which no further request is begun. */
  waitingBytes: 4 * 1024 * 1024,
  /** Looks in a row at which something waits to be sent: one that reads so slowly is cut off. */
  slowLooks: 10,
  /** Requests that came and are not yet begun; beyond it nothing more is read. */
  waitingRequests: 16,
  /** Milliseconds that a client has to say goodbye. */
  goodbyeMs: 5000,
  /** Characters of a requestId that is given back. */
  requestIdLength: 1000,
} as const;

/** Codes of RFC 6455 section 7.4.1. */
const CLOSE = { goingAway: 1001, unsupportedData: 1003, policy: 1008 } as const;

interface Parts {
  readonly options: JmapOptions;
  readonly shared: Shared;
  readonly socket: WebSocket;
  readonly login: Principal;
}

/** Serve it until it closes, which is told by `ended`. The result says goodbye because the server stops. */
export function serveSocket(parts: Parts, ended: () => void): () => void {
  const session = new Session(parts);
  session.start(ended);
  return () => session.close(CLOSE.goingAway, 'the server stops');
}

class Session {
  readonly #parts: Parts;
  readonly #socket: WebSocket;
  readonly #waiting: JsonObject[] = [];
  #running = 0;
  #reading: Promise<void> = Promise.resolve();
  #unwatch: (() => void) | undefined;
  #goodbye: Timer | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#socket = parts.socket;
  }

  start(ended: () => void): void {
    const { options, login } = this.#parts;
    const socket = this.#socket;
    const { beat, stop } = heartbeat(options, socket);
    const revoked = (): void => this.close(CLOSE.policy, 'the login has ended');
    socket.on('pong', beat);
    socket.on('message', (data, isBinary) => {
      beat();
      this.#read(data, isBinary);
    });
    // Too large, no UTF-8, not masked: it is told by a close of its own.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      stop();
      this.#goodbye?.cancel();
      this.#quiet();
      login.revoked.removeEventListener('abort', revoked);
      ended();
    });
    login.revoked.addEventListener('abort', revoked);
    if (login.revoked.aborted) revoked();
  }

  close(code: number, reason: string): void {
    if (this.#goodbye !== undefined) return;
    this.#quiet();
    this.#socket.close(code, reason);
    const { clock } = this.#parts.options;
    this.#goodbye = clock.setTimer(SOCKET_LIMITS.goodbyeMs, () => this.#socket.terminate());
  }

  #quiet(): void {
    this.#waiting.length = 0;
    this.#unwatch?.();
    this.#unwatch = undefined;
  }

  #send(message: JsonObject, sent?: () => void): void {
    this.#write(JSON.stringify(message), sent);
  }

  /** `sent`: it has left, or never will. */
  #write(text: string | Buffer, sent: () => void = () => undefined): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return sent();
    this.#socket.send(text, { binary: false }, () => {
      sent();
      this.#next();
    });
  }

  #fail(error: RequestError, requestId: string | null): void {
    this.#send({ '@type': 'RequestError', requestId, ...error.toJson() });
  }

  #read(data: Buffer | ArrayBuffer | Buffer[], isBinary: boolean): void {
    if (this.#goodbye !== undefined) return;
    // RFC 8887 section 4.2: text, and nothing else.
    if (isBinary) return this.close(CLOSE.unsupportedData, 'JMAP is text');
    // One after the other, and nothing more is taken in meanwhile: a large one takes a while.
    this.#socket.pause();
    this.#reading = this.#reading.then(() => this.#parse(data));
  }

  async #parse(data: Buffer | ArrayBuffer | Buffer[]): Promise<void> {
    // Many small ones come in one packet: others have their turn between two of them.
    await new Promise<void>((resolve) => setImmediate(resolve));
    let message: Json | undefined;
    try {
      message = await parseJson(textOf(data));
    } catch (error) {
      const told =
        error instanceof RequestError ? error : new RequestError('notJSON', 'The message is no JSON.');
      this.#fail(told, null);
    }
    if (message !== undefined && this.#goodbye === undefined) this.#take(message);
    this.#next();
  }

  #take(message: Json): void {
    const type = isObject(message) ? member(message, '@type') : undefined;
    if (!isObject(message) || typeof type !== 'string')
      return this.#fail(new RequestError('notRequest', 'A message is an object with an "@type".'), null);
    if (type === 'Request') {
      this.#waiting.push(message);
      this.#next();
    } else if (type === 'WebSocketPushEnable') this.#enablePush(message);
    else if (type === 'WebSocketPushDisable') {
      this.#unwatch?.();
      this.#unwatch = undefined;
    } else {
      const sentence = `There is no message of type "${type.slice(0, 100)}".`;
      this.#fail(new RequestError('notRequest', sentence), idOf(message));
    }
  }

  /** Begin what has waited, as far as there is room for it and its answers. */
  #next(): void {
    const { concurrentRequests } = JMAP_LIMITS;
    while (this.#running < concurrentRequests && this.#socket.bufferedAmount <= SOCKET_LIMITS.waitingBytes) {
      const request = this.#waiting.shift();
      if (request === undefined) break;
      void this.#run(request);
    }
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#waiting.length < SOCKET_LIMITS.waitingRequests) this.#socket.resume();
    else this.#socket.pause();
  }

  async #run(message: JsonObject): Promise<void> {
    const { options, shared, login } = this.#parts;
    const requestId = idOf(message);
    this.#running++;
    const { promise: sent, resolve: over } = Promise.withResolvers<void>();
    try {
      const trace = timeId(options.clock.now());
      const answer = await answerRequest(options, shared, login, trace, () => message, sent);
      const told = { '@type': 'Response', requestId: requestId ?? undefined, ...answer };
      if (isLarge(told)) this.#write(await jsonOctets(told), over);
      else this.#send(told, over);
    } catch (error) {
      over();
      this.#fail(requestErrorOf(options, error), requestId);
    } finally {
      this.#running--;
      this.#next();
    }
  }

  /** RFC 8887 section 4.3.5.2. */
  #enablePush(message: JsonObject): void {
    const { options, login } = this.#parts;
    const dataTypes = member(message, 'dataTypes') ?? null;
    const pushState = member(message, 'pushState') ?? null;
    const named = Array.isArray(dataTypes) && dataTypes.every((each) => typeof each === 'string');
    if ((dataTypes !== null && !named) || (pushState !== null && typeof pushState !== 'string'))
      return this.#fail(new RequestError('notRequest', '"dataTypes" is a list of strings or null.'), null);
    const wanted = dataTypes as readonly string[] | null;
    this.#unwatch?.();
    this.#unwatch = watchStates(options, {
      login,
      types: new Set(wanted === null ? PUSHED_TYPES : PUSHED_TYPES.filter((type) => wanted.includes(type))),
      lastId: pushState ?? undefined,
      // With the state that the client may come back with.
      change: (changed, id) => this.#send({ '@type': 'StateChange', changed, pushState: id }),
      failed: () => this.#socket.terminate(),
    });
  }
}

function textOf(data: Buffer | ArrayBuffer | Buffer[]): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return Buffer.isBuffer(data) ? data.toString('utf8') : Buffer.from(data).toString('utf8');
}

function idOf(message: JsonObject): string | null {
  const id = member(message, 'id');
  return typeof id === 'string' ? id.slice(0, SOCKET_LIMITS.requestIdLength) : null;
}

/** What stops a request as a whole, in the words of RFC 8620 section 3.6.1. */
function requestErrorOf({ logger }: JmapOptions, error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  if (!(error instanceof Refusal))
    logger.error({ error: errorText(error) }, 'bug: jmap: a request over WebSocket failed');
  const text = error instanceof Refusal ? error.message : 'Something went wrong inside the server.';
  return new RequestError('unavailable', text);
}

/** Cut off who no longer answers, or does not read what is sent. `beat`: there was a sign of life. */
function heartbeat({ clock }: JmapOptions, socket: WebSocket): { beat: () => void; stop: () => void } {
  let alive = true;
  let slow = 0;
  let before = 0;
  let timer: Timer;
  const look = (): void => {
    const waits = socket.bufferedAmount;
    // Behind much that is still on its way a sign of life may be late.
    const reads = waits > 0 && waits < before;
    slow = waits > 0 ? slow + 1 : 0;
    before = waits;
    if ((!alive && !reads) || slow >= SOCKET_LIMITS.slowLooks) return socket.terminate();
    alive = false;
    if (socket.readyState === socket.OPEN) socket.ping();
    timer = clock.setTimer(SOCKET_LIMITS.lookMs, look);
  };
  timer = clock.setTimer(SOCKET_LIMITS.lookMs, look);
  return { beat: () => void (alive = true), stop: () => timer.cancel() };
}
