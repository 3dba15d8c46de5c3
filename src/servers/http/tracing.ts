import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import type { Metrics } from '../../base/metrics.ts';
import { parseTraceparent, type Span, type Tracer } from '../../base/tracing.ts';
import type { HttpListenOptions } from './node-server.ts';

/** Requests as spans, and counted. What watches us asks all day long, and is left out. */

type Fetch = HttpListenOptions['fetch'];

const UNTRACED: ReadonlySet<string> = new Set(['/metrics', '/health/live', '/health/ready']);

const spans = new WeakMap<Request, Span>();

/** The span of a request, for who knows its route: paths have addresses in them. */
export function spanOf(request: Request): Span | undefined {
  return spans.get(request);
}

export interface TracingOptions {
  readonly tracer: Tracer | undefined;
  /** Who may say what a request is a part of (W3C traceparent). */
  readonly isProxy?: ((address: string) => boolean) | undefined;
  readonly server: 'admin' | 'web';
}

/** The same, told to the tracer. */
export function tracedFetch({ tracer, isProxy, server }: TracingOptions, fetch: Fetch): Fetch {
  if (tracer === undefined) return fetch;
  return async (request, env) => {
    const parent = parentOf(env.incoming, isProxy);
    const path = new URL(request.url).pathname;
    const span = UNTRACED.has(path)
      ? undefined
      : tracer.start(`http ${server}`, { kind: 'server', ...(parent !== undefined && { parent }) });
    if (span === undefined) return fetch(request, env);
    spans.set(request, span);
    span.set({ 'http.request.method': request.method, ...(tracer.addresses && { 'url.path': path }) });
    try {
      const response = await fetch(request, env);
      span.set({ 'http.response.status_code': response.status });
      if (response.status >= 500) span.fail('server error');
      return response;
    } finally {
      span.end();
    }
  };
}

function parentOf(
  { headers, socket }: IncomingMessage,
  isProxy: TracingOptions['isProxy'],
): ReturnType<typeof parseTraceparent> {
  const value = headers['traceparent'];
  if (typeof value !== 'string' || isProxy?.(socket.remoteAddress ?? '') !== true) return undefined;
  return parseTraceparent(value);
}

/** Register the metrics of requests once; the result measures those of a server. */
export function httpMetrics(
  metrics: Metrics,
  clock: Clock,
): (server: 'admin' | 'web', fetch: Fetch) => Fetch {
  const seconds = metrics.duration('postern_http_request_seconds', 'From an HTTP request to its answer', [
    'server',
    'class',
  ]);
  return (server, fetch) => async (request, env) => {
    const startedAt = clock.monotonic();
    let status = 500;
    try {
      const response = await fetch(request, env);
      ({ status } = response);
      return response;
    } finally {
      const labels = { server, class: `${Math.floor(status / 100)}xx` };
      seconds.observe(labels, (clock.monotonic() - startedAt) / 1000);
    }
  };
}
