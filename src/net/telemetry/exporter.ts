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
  const { clock, logger, count } = options;
  let waiting: EndedSpan[] = [];
  let timer: Timer | undefined;
  let busy: Promise<void> | undefined;
  let tries = 0;
  let retryMs = RETRY_MS;
  let troubled = false;
  let stopped = false;
  const stopping = new AbortController();

  function arm(ms: number): void {
    if (stopped) return;
    timer ??= clock.setTimer(ms, () => {
      timer = undefined;
      busy ??= send(POST_MS, stopping.signal).finally(() => {
        busy = undefined;
        if (waiting.length > 0) arm(tries > 0 ? retryMs : waiting.length >= BATCH ? 0 : EVERY_MS);
      });
    });
  }

  /** One batch. What cannot be sent stays for the next try, or is given up. */
  async function send(limitMs: number, signal?: AbortSignal): Promise<void> {
    const batch = waiting.slice(0, BATCH);
    if (batch.length === 0) return;
    const body = traceRequest(batch, options.resource, options.version);
    const answer = await post(body, options, limitMs, signal);
    if (answer.problem === undefined) {
      waiting = waiting.slice(batch.length);
      count('sent', batch.length);
      if (troubled) logger.info({}, 'telemetry: the collector takes spans again');
      troubled = false;
      tries = 0;
      retryMs = RETRY_MS;
      return;
    }
    // Once, until it is well again: a collector that is away for a day is no reason for a full log.
    if (!troubled) logger.warn({ problem: answer.problem }, 'telemetry: spans cannot be sent; mail goes on');
    troubled = true;
    tries++;
    if (answer.again && tries < TRIES) {
      retryMs = Math.min(RETRY_LONGEST_MS, retryMs * 2);
      return;
    }
    waiting = waiting.slice(batch.length);
    count('dropped', batch.length);
    tries = 1;
  }

  return {
    add(span) {
      if (stopped || waiting.length >= WAITING) {
        count('dropped', 1);
        return;
      }
      waiting.push(span);
      arm(EVERY_MS);
      if (waiting.length === BATCH && tries === 0) {
        timer?.cancel();
        timer = undefined;
        if (busy === undefined) arm(0);
      }
    },
    async stop() {
      stopped = true;
      timer?.cancel();
      stopping.abort();
      await busy;
      // A collector that was away just now is not waited for.
      if (!troubled) await send(LAST_MS);
      if (waiting.length > 0) count('dropped', waiting.length);
      waiting = [];
    },
  };
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
