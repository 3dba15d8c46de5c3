import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Server as TcpServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { errnoCode, errorText, Refusal } from '../../base/errors.ts';
import type { Clock } from '../../base/clock.ts';
import { type ListenTarget, targetName } from '../../net/listener/bind.ts';
import type { TlsSource } from '../../net/tls.ts';
import { serveTls } from './tls-server.ts';

/** Limits of every HTTP connection. Node's own timers keep them: they know the parser's state, we do not. */
export const HTTP_LIMITS = {
  /** Milliseconds for the header of a request, and for all of it: a byte a second must not hold a connection. */
  headersMs: 15_000,
  /** An attachment of 50 MB takes so long over a bad line. */
  requestMs: 600_000,
  /** Milliseconds of silence on a connection that has a request in hand. */
  idleMs: 120_000,
  keepAliveMs: 10_000,
  /** Milliseconds between two looks for connections past their time. */
  checkMs: 5000,
  headerBytes: 16 * 1024,
  headerFields: 100,
  /** At once: a page that is open holds one for the word of news, and six while it loads. */
  connections: 2048,
  /** Of one client (an IPv4 address, an IPv6 /64) where clients come themselves; a household has several browsers. */
  connectionsPerClient: 100,
  requestsPerConnection: 1000,
} as const;

export type HttpLimits = { readonly [K in keyof typeof HTTP_LIMITS]: number };

export interface HttpListener {
  /** '' and 0 for a Unix socket. */
  readonly address: string;
  readonly port: number;
  isOpen(): boolean;
  /** Take no more connections, let requests in hand end, cut off what is left after `graceMs` milliseconds. */
  drain(graceMs: number): Promise<void>;
}

/** Takes connections that are to become something else than HTTP (WebSocket). */
export interface Upgrades {
  /** Whether this request is one of those; all others are answered as if they had not asked. */
  wants(request: IncomingMessage): boolean;
  take(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export interface HttpListenOptions {
  readonly target: ListenTarget;
  /** Hono's `fetch`, given the request and Node's own objects. */
  readonly fetch: (
    request: Request,
    env: { incoming: IncomingMessage; outgoing: ServerResponse },
  ) => Response | Promise<Response>;
  /** Looks at a request before anything else does; answers and returns true when it ends there. */
  readonly guard?: (request: IncomingMessage, response: ServerResponse) => boolean;
  readonly upgrades?: Upgrades | undefined;
  /** TLS from the first octet, for clients that come themselves; undefined: none. */
  readonly tls?: TlsSource | undefined;
  /** Peers that come for many, whose connections are not counted by address. */
  readonly isProxy?: ((address: string) => boolean) | undefined;
  readonly clock: Clock;
  readonly limits?: Partial<HttpLimits>;
  /** A bug that Hono did not catch. */
  readonly onError: (error: unknown) => void;
}

/** Listen for HTTP. Throws a `Refusal` that names the place when it cannot be bound. */
export async function listenHttp(options: HttpListenOptions): Promise<HttpListener> {
  const limits = { ...HTTP_LIMITS, ...options.limits };
  const handle = getRequestListener(options.fetch as Parameters<typeof getRequestListener>[0], {
    overrideGlobalObjects: false,
    errorHandler(error) {
      // A request that is no request (bad Host, aborted body) is the client's doing; the rest is ours.
      if (error instanceof Error && error.name === 'RequestError')
        return new Response('Bad request\n', { status: 400 });
      options.onError(error);
      return new Response('Internal error\n', { status: 500 });
    },
  });
  const { upgrades, clock } = options;
  const server = createLimitedServer(limits, upgrades && ((request) => upgrades.wants(request)));
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (options.guard?.(request, response) === true) return;
    handle(request, response).catch(options.onError);
  });
  // Their connections are theirs; what is left of them at the end is cut off with the others.
  const upgraded = new Set<Duplex>();
  if (upgrades !== undefined)
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      upgraded.add(socket);
      socket.once('close', () => upgraded.delete(socket));
      upgrades.take(request, socket, head);
    });
  if (options.tls !== undefined) return serveTls(server, { ...options, tls: options.tls, limits });
  server.maxConnections = limits.connections;
  await bindServer(server, options.target);
  return { ...placeOf(server), drain: (graceMs) => drain(server, clock, graceMs, upgraded) };
}

/** Where it listens, and whether it does. */
export function placeOf(server: TcpServer): Pick<HttpListener, 'address' | 'port' | 'isOpen'> {
  const bound = server.address();
  const { address, port } = typeof bound === 'object' && bound !== null ? bound : { address: '', port: 0 };
  return { address, port, isOpen: () => server.listening };
}

/** A server that keeps to the limits of requests and connections, but not yet to their number. */
export function createLimitedServer(
  limits: HttpLimits,
  upgrades: (request: IncomingMessage) => boolean = () => false,
): Server {
  const server = createServer({
    shouldUpgradeCallback: upgrades,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.checkMs,
    maxHeaderSize: limits.headerBytes,
  });
  server.timeout = limits.idleMs;
  server.maxHeadersCount = limits.headerFields;
  server.maxRequestsPerSocket = limits.requestsPerConnection;
  return server;
}

/** Throws a `Refusal` that names the place when it cannot be bound. */
export function bindServer(server: TcpServer, target: ListenTarget): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(bindRefusal(target, error)));
    const where = 'address' in target ? { host: target.address, port: target.port } : target;
    server.listen(where, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function bindRefusal(target: ListenTarget, error: Error): Refusal {
  const name = targetName(target);
  switch (errnoCode(error)) {
    case 'EADDRINUSE':
      return new Refusal('conflict', `${name} is taken by another program: stop it, or choose another port`);
    case 'EACCES':
      return new Refusal('not-permitted', `not permitted to listen on ${name}`);
    case 'EADDRNOTAVAIL':
      return new Refusal('bad-input', `cannot listen on ${name}: this machine does not have that address`);
    default:
      return new Refusal('unavailable', `cannot listen on ${name}: ${errorText(error)}`);
  }
}

async function drain(
  server: Server,
  clock: Clock,
  graceMs: number,
  upgraded: ReadonlySet<Duplex>,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const late = clock.setTimer(graceMs, () => {
    server.closeAllConnections();
    for (const socket of upgraded) socket.destroy();
  });
  await closed;
  late.cancel();
}
