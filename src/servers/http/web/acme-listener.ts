import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../../base/clock.ts';
import type { HttpProofs } from '../../../net/acme/solvers.ts';
import { answerValidation, peek } from '../../../net/acme/tls-alpn.ts';
import { beginsTls } from '../../../net/acme/client-hello.ts';
import { bindServer, type ListenTarget } from '../../../net/listener/bind.ts';
import type { TlsValidations } from '../../../net/tls.ts';
import { HTTP_LIMITS, type HttpListener } from '../node-server.ts';
import { createAcmeChallenge } from './acme-challenge.ts';

export interface AcmeListenOptions {
  readonly target: ListenTarget;
  readonly proofs: HttpProofs;
  readonly validations: TlsValidations;
  readonly clock: Clock;
  /** Answers what is for no authority: true when it did. */
  readonly others?: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
}

/** Connections at one time: an authority comes from a handful of places. */
const CONNECTIONS = 64;
/** Octets of a request's header. */
const HEADER_BYTES = 8192;

/**
 * A port for authorities alone. What begins as TLS is a validation by handshake (RFC 8737), the rest HTTP, so that the
 * same serves as port 80 and as port 443. Throws a `Refusal` that names the place when it cannot be bound.
 */
export async function listenAcme(options: AcmeListenOptions): Promise<HttpListener> {
  const { clock, validations } = options;
  const challenge = createAcmeChallenge(options.proofs);
  const http = createHttpServer({
    headersTimeout: HTTP_LIMITS.headersMs,
    requestTimeout: HTTP_LIMITS.requestMs,
    connectionsCheckingInterval: HTTP_LIMITS.checkMs,
    maxHeaderSize: HEADER_BYTES,
  });
  http.timeout = HTTP_LIMITS.headersMs;
  http.maxRequestsPerSocket = 1;
  http.on('request', (request, response) => {
    if (challenge(request, response)) return;
    if (options.others?.(request, response) === true) return;
    response.writeHead(404, { 'Content-Type': 'text/plain', 'X-Content-Type-Options': 'nosniff' });
    response.end('There is nothing here.\n');
  });
  http.on('clientError', (_error, socket) => socket.destroy());
  // It has no port of its own; this begins its look for connections past their time.
  http.emit('listening');
  const open = new Set<Socket>();

  async function serve(raw: Socket): Promise<void> {
    open.add(raw);
    raw.once('close', () => open.delete(raw));
    raw.on('error', () => undefined);
    const first = await peek(raw, clock, (bytes) => bytes.length > 0);
    if (first.length === 0) raw.destroy();
    else if (!beginsTls(first)) http.emit('connection', raw);
    else if (!validations.pending() || !(await answerValidation(raw, validations, clock))) raw.destroy();
  }

  const server = await bindServer(options.target, (raw) => {
    // Someone else is never kept from the port by a failing connection.
    serve(raw).catch(() => raw.destroy());
  }).catch((error: unknown) => {
    http.close(() => undefined);
    throw error;
  });
  server.maxConnections = CONNECTIONS;
  server.on('error', () => undefined);
  const bound = server.address();
  const { address, port } = typeof bound === 'object' && bound !== null ? bound : { address: '', port: 0 };
  return {
    address,
    port,
    isOpen: () => server.listening,
    async drain(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      http.closeIdleConnections();
      const late = clock.setTimer(graceMs, () => {
        for (const socket of open) socket.destroy();
      });
      await closed;
      late.cancel();
      http.close(() => undefined);
    },
  };
}
