import type { IncomingMessage, ServerResponse } from 'node:http';
import { canonicalAddress, isLoopback } from '../../../net/ip.ts';

/** Plain HTTP leads to HTTPS where we serve that ourselves. */

/** A host name or address as it may stand in a Host field, without the port. */
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?=:\d{1,5}$|$)/;
/** Characters of a target that go along. */
const TARGET_LENGTH = 4000;
/** Asked by programs of this network, at an address that the configuration names. */
const PLAIN = ['/metrics', '/health/live', '/health/ready'];

/**
 * Send the request to the same address over TLS. `port`: where we have that. A client that came by another port than ours was
 * led here by a mapping of ports (a container's), which has 443 for what is TLS.
 */
export function redirectToTls(
  { headers, url = '/', socket }: IncomingMessage,
  response: ServerResponse,
  port: number,
): void {
  const field = headers.host ?? '';
  const host = HOST.exec(field)?.[0];
  const asked = Number(/:(\d{1,5})$/.exec(field)?.[1] ?? 80);
  const usual = port === 443 || asked !== socket.localPort;
  const target = url.startsWith('/') && !url.startsWith('//') ? url.slice(0, TARGET_LENGTH) : '/';
  const known = host !== undefined;
  response.writeHead(known ? 308 : 400, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    // What the client still wants to send is not read.
    Connection: 'close',
    ...(known && { Location: `https://${host}${usual ? '' : `:${port}`}${target}` }),
  });
  response.end(known ? 'This server is reached by https.\n' : 'Bad request\n');
}

export interface RedirectOptions {
  /** The port of ours that has TLS; undefined: none, and nobody is sent there. */
  readonly port: () => number | undefined;
  /** Peers that have TLS towards their clients. */
  readonly isProxy: (address: string) => boolean;
  /** Health and metrics are shown here to everybody. */
  readonly operational: boolean;
}

/** A look at requests before others: true when one came from elsewhere without TLS, and is sent to where there is. */
export function createRedirect({
  port,
  isProxy,
  operational,
}: RedirectOptions): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    const secure = port();
    if (secure === undefined) return false;
    const peer = canonicalAddress(request.socket.remoteAddress ?? '') ?? '';
    if (peer === '' || isLoopback(peer) || isProxy(peer)) return false;
    if (operational && PLAIN.includes(request.url ?? '')) return false;
    redirectToTls(request, response, secure);
    return true;
  };
}
