import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { errnoCode, errorText, Refusal } from '../../base/errors.ts';
import type { Metrics } from '../../base/metrics.ts';
import { targetName } from '../../net/listener/bind.ts';
import type { ListenPlace } from './listen-place.ts';

/** Milliseconds for the header of a request. */
const HEADER_MS = 10_000;

/** /metrics and /health. */
export interface RelayHttp {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Listen. Throws a `Refusal` when the place cannot be had. */
export async function startRelayHttp(options: {
  readonly place: ListenPlace;
  readonly metrics: Metrics;
  /** Whether mail is taken at present. */
  readonly healthy: () => boolean;
}): Promise<RelayHttp> {
  const server = createServer(
    { headersTimeout: HEADER_MS, requestTimeout: HEADER_MS },
    (request, response) => {
      answer(options, request, response).catch(() => response.destroy());
    },
  );
  const { address, port } = options.place;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(refusal(options.place, error)));
    server.listen(port, address, resolve);
  });
  const bound = server.address();
  return {
    address,
    port: bound !== null && typeof bound === 'object' ? bound.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  { metrics, healthy }: { readonly metrics: Metrics; readonly healthy: () => boolean },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '').split('?', 1)[0];
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return send(response, 405, 'method not allowed\n');
  if (path === '/health') {
    return healthy() ? send(response, 200, 'ok\n') : send(response, 503, 'stopping\n');
  }
  if (path === '/metrics') return send(response, 200, await metrics.text(), metrics.registry.contentType);
  return send(response, 404, 'not found: /metrics and /health are here\n');
}

function send(
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

function refusal(place: ListenPlace, error: Error): Refusal {
  const name = targetName(place);
  if (errnoCode(error) === 'EADDRINUSE')
    return new Refusal('conflict', `${name} (for /metrics) is taken: choose another with --metrics-listen`);
  return new Refusal('unavailable', `cannot listen on ${name} (for /metrics): ${errorText(error)}`);
}
