import type { Clock } from '../../../base/clock.ts';
import { errorText } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import type { ListenTarget } from '../../../net/listener/bind.ts';
import type { TlsSource } from '../../../net/tls.ts';
import { createLimitedServer, HTTP_LIMITS, type HttpListener } from '../node-server.ts';
import { serveTls } from '../tls-server.ts';
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
export function listenSns(options: SnsListenOptions): Promise<HttpListener> {
  const { clock, logger, tls, target } = options;
  const http = createLimitedServer(HTTP_LIMITS);
  http.on('request', (request, response) => void options.hook(request, response));
  return serveTls(http, {
    target,
    tls,
    clock,
    // SNS comes from many addresses, and in bursts from each.
    limits: { ...HTTP_LIMITS, connectionsPerClient: HTTP_LIMITS.connections },
    onFailure: (error) => logger.debug({ error: errorText(error) }, 'sns: a connection failed'),
  });
}
