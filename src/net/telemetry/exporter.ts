import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { Clock, Timer } from '../../base/clock.ts';
import { errnoCode, errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { traceRequest } from './otlp.ts';
import type { EndedSpan } from './tracer.ts';

/**
 * Hands spans to a collector, beside the mail and never in its way: nobody waits for it, and what a collector that is
 * slow or away does not take is dropped and counted.
 */

/** Spans that wait; beyond it new ones are dropped. */
const WAITING = 4096;
/** Spans in one request. */
const BATCH = 512;
/** Milliseconds between two requests when there is little to tell. */
const EVERY_MS = 5000;
/** Milliseconds for one request. */
const POST_MS = 10_000;
/** Milliseconds until a request that failed is made again, doubled each time up to the longest. */
const RETRY_MS = 5000;
const RETRY_LONGEST_MS = 60_000;
/** Times that one batch is tried. */
const TRIES = 3;
/** Milliseconds for the last request when the program ends. */
const LAST_MS = 1000;

export type SpanOutcome = 'sent' | 'dropped';

export interface ExporterOptions {
  /** Where to POST: ".../v1/traces". */
  readonly url: URL;
  /** Such as an Authorization; secret. */
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: Readonly<Record<string, string | number | boolean>>;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly count: (outcome: SpanOutcome, spans: number) => void;
}

export interface Exporter {
  /** Never throws, never waits. */
  add(span: EndedSpan): void;
  /** Send what waits, once and shortly, and no more after it. */
  stop(): Promise<void>;
}

export function createExporter(options: ExporterOptions): Exporter {
  return new HttpExporter(options);
}

class HttpExporter implements Exporter {
  readonly #options: ExporterOptions;
  readonly #stopping = new AbortController();
  #waiting: EndedSpan[] = [];
  #timer: Timer | undefined;
  #busy: Promise<void> | undefined;
  /** Of the batch that is at the front. */
  #tries = 0;
  #retryMs = RETRY_MS;
  #troubled = false;

  constructor(options: ExporterOptions) {
    this.#options = options;
  }

  add(span: EndedSpan): void {
    if (this.#stopping.signal.aborted || this.#waiting.length >= WAITING) {
      this.#options.count('dropped', 1);
      return;
    }
    this.#waiting.push(span);
    const full = this.#waiting.length === BATCH && this.#tries === 0;
    if (full && this.#busy === undefined) this.#timer = void this.#timer?.cancel();
    this.#arm(full ? 0 : EVERY_MS);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#timer?.cancel();
    await this.#busy;
    // A collector that was away just now is not waited for.
    if (!this.#troubled) await this.#send(LAST_MS);
    if (this.#waiting.length > 0) this.#options.count('dropped', this.#waiting.length);
    this.#waiting = [];
  }

  #arm(ms: number): void {
    const { signal } = this.#stopping;
    if (signal.aborted) return;
    this.#timer ??= this.#options.clock.setTimer(ms, () => {
      this.#timer = undefined;
      this.#busy ??= this.#send(POST_MS, signal).finally(() => {
        this.#busy = undefined;
        if (this.#waiting.length > 0) this.#arm(this.#pauseMs());
      });
    });
  }

  #pauseMs(): number {
    if (this.#tries > 0) return this.#retryMs;
    return this.#waiting.length >= BATCH ? 0 : EVERY_MS;
  }

  /** One batch. What cannot be sent stays for the next try, or is given up. */
  async #send(limitMs: number, signal?: AbortSignal): Promise<void> {
    const batch = this.#waiting.slice(0, BATCH);
    if (batch.length === 0) return;
    const { resource, version } = this.#options;
    const answer = await post(traceRequest(batch, resource, version), this.#options, limitMs, signal);
    if (answer.problem !== undefined) return this.#notSent(batch.length, answer.problem, answer.again);
    this.#waiting = this.#waiting.slice(batch.length);
    this.#options.count('sent', batch.length);
    if (this.#troubled) this.#options.logger.info({}, 'telemetry: the collector takes spans again');
    this.#troubled = false;
    this.#tries = 0;
    this.#retryMs = RETRY_MS;
  }

  #notSent(spans: number, problem: string, again: boolean): void {
    // Once, until it is well again: a collector that is away for a day is no reason for a full log.
    if (!this.#troubled)
      this.#options.logger.warn({ problem }, 'telemetry: spans cannot be sent; mail goes on');
    this.#troubled = true;
    this.#tries++;
    if (again && this.#tries < TRIES) {
      this.#retryMs = Math.min(RETRY_LONGEST_MS, this.#retryMs * 2);
      return;
    }
    this.#waiting = this.#waiting.slice(spans);
    this.#options.count('dropped', spans);
    this.#tries = 1;
  }
}

interface Answer {
  readonly problem: string | undefined;
  /** Whether the same may be taken later (OTLP specification, "Failures"). */
  readonly again: boolean;
}

const LATER: ReadonlySet<number> = new Set([429, 502, 503, 504]);

function post(
  body: string,
  { url, headers, clock }: ExporterOptions,
  limitMs: number,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  return new Promise((resolve) => {
    const settle = (problem: string | undefined, again: boolean): void => {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
      resolve({ problem, again });
      call.destroy();
    };
    const call = (url.protocol === 'https:' ? tlsRequest : plainRequest)(url, {
      method: 'POST',
      // Not the default agent: it may be told of proxies by the environment.
      agent: false,
      maxHeaderSize: 16 * 1024,
      headers: {
        ...headers,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'Postern',
        connection: 'close',
      },
    });
    const onAbort = (): void => settle('the server stops', true);
    const timer = clock.setTimer(limitMs, () => settle(`no answer within ${limitMs / 1000} s`, true));
    signal?.addEventListener('abort', onAbort, { once: true });
    call.on('error', (error) => settle(`it was not reached: ${errnoCode(error) ?? errorText(error)}`, true));
    call.on('response', ({ statusCode = 0 }) => {
      const taken = statusCode >= 200 && statusCode < 300;
      settle(taken ? undefined : `it answered with status ${statusCode}`, LATER.has(statusCode));
    });
    call.end(body);
  });
}
