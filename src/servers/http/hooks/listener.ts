import { createServer as createTcpServer, type Socket } from 'node:net';
import type { Clock } from '../../../base/clock.ts';
import { errorText } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import type { ListenTarget } from '../../../net/listener/bind.ts';
import type { TlsSource } from '../../../net/tls.ts';
import { serverHandshake } from '../../../net/tls-handshake.ts';
import { bindServer, createLimitedServer, HTTP_LIMITS, type HttpListener } from '../node-server.ts';
import type { SnsHook } from './sns.ts';

export interface SnsListenOptions {
  readonly target: ListenTarget;
  readonly hook: SnsHook;
  readonly tls: TlsSource;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * An HTTPS port for SNS alone, with the program's certificate: every path is the endpoint. Handshakes go on side by side
 * and have a time limit, so that one silent client holds nobody up; a renewed certificate serves the next connection.
 * Throws a `Refusal` that names the place when it cannot be bound.
 */
export async function listenSns(options: SnsListenOptions): Promise<HttpListener> {
  const { clock, logger, tls } = options;
  const http = createLimitedServer(HTTP_LIMITS);
  http.on('request', (request, response) => void options.hook(request, response));
  http.on('clientError', (_error, socket) => socket.destroy());
  // It has no port of its own; this begins its look for connections past their time.
  http.emit('listening');
  const open = new Set<Socket>();

  async function serve(raw: Socket): Promise<void> {
    open.add(raw);
    raw.once('close', () => open.delete(raw));
    raw.on('error', () => undefined);
    try {
      const { socket } = await serverHandshake(raw, tls, clock);
      http.emit('connection', socket);
    } catch (error) {
      logger.debug({ error: errorText(error) }, 'sns: a connection failed');
      raw.destroy();
    }
  }

  const server = createTcpServer((raw) => void serve(raw));
  server.maxConnections = HTTP_LIMITS.connections;
  try {
    await bindServer(server, options.target);
  } catch (error) {
    http.close(() => undefined);
    throw error;
  }
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
      // The end of that look; it says that it was not listening.
      http.close(() => undefined);
    },
  };
}
