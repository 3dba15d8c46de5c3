import type { Server } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { canonicalAddress, clientNetwork, isLoopback } from '../../net/ip.ts';
import type { ListenTarget } from '../../net/listener/bind.ts';
import type { TlsSource } from '../../net/tls.ts';
import { serverHandshake } from '../../net/tls-handshake.ts';
import { bindServer, type HttpLimits, type HttpListener, placeOf } from './node-server.ts';

export interface TlsServeOptions {
  readonly target: ListenTarget;
  readonly tls: TlsSource;
  readonly clock: Clock;
  readonly limits: HttpLimits;
  /** Peers that come for many, whose connections are not counted by address. */
  readonly isProxy?: ((address: string) => boolean) | undefined;
  /** A handshake that failed, for the log. */
  readonly onFailure?: (error: unknown) => void;
}

/**
 * Serve HTTP over TLS with the program's certificates: handshakes go on side by side and have a time limit, so that one
 * silent client holds nobody up; a renewed certificate serves the next connection; validations of names are answered as
 * they come (RFC 8737). Throws a `Refusal` that names the place when it cannot be bound.
 */
export async function serveTls(http: Server, options: TlsServeOptions): Promise<HttpListener> {
  const { clock, tls, limits, isProxy } = options;
  http.on('clientError', (_error, socket) => socket.destroy());
  // It has no port of its own; this begins its look for connections past their time.
  http.emit('listening');
  const open = new Set<Socket>();
  const count = clientCounts(limits.connectionsPerClient, isProxy);

  async function serve(raw: Socket): Promise<void> {
    raw.on('error', () => undefined);
    if (!count(raw)) return void raw.destroy();
    open.add(raw);
    raw.once('close', () => open.delete(raw));
    try {
      const { socket } = await serverHandshake(raw, tls, clock, ['http/1.1']);
      http.emit('connection', socket);
    } catch (error) {
      options.onFailure?.(error);
      raw.destroy();
    }
  }

  const server = createTcpServer({ noDelay: true }, (raw) => void serve(raw));
  server.maxConnections = limits.connections;
  try {
    await bindServer(server, options.target);
  } catch (error) {
    http.close(() => undefined);
    throw error;
  }
  return {
    ...placeOf(server),
    async drain(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      http.closeIdleConnections();
      const late = clock.setTimer(graceMs, () => {
        for (const socket of open) socket.destroy();
      });
      await closed;
      late.cancel();
      // The end of that look; it says that it was not listening.
      http.close(() => undefined);
    },
  };
}

/** Counts connections by client; false when one has enough of them. */
function clientCounts(
  most: number,
  isProxy: ((address: string) => boolean) | undefined,
): (raw: Socket) => boolean {
  const clients = new Map<string, number>();
  return (raw) => {
    const peer = canonicalAddress(raw.remoteAddress ?? '') ?? '';
    if (isLoopback(peer) || isProxy?.(peer) === true) return true;
    const client = clientNetwork(peer);
    const now = clients.get(client) ?? 0;
    if (now >= most) return false;
    clients.set(client, now + 1);
    raw.once('close', () => {
      const left = (clients.get(client) ?? 1) - 1;
      if (left === 0) clients.delete(client);
      else clients.set(client, left);
    });
    return true;
  };
}
