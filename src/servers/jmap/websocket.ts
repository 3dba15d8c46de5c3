import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { timeId } from '../../base/ids.ts';
import { errorText } from '../../base/errors.ts';
import { challengeFor, type Principal } from '../request-login.ts';
import { logIn } from './authentication.ts';
import type { JmapOptions } from './context.ts';
import { JMAP_LIMITS } from './limits.ts';
import type { Shared } from './request.ts';
import { serveSocket } from './websocket-session.ts';

/** JMAP over WebSocket (RFC 8887): who may open one, and how all of them end. */

const PATH = '/jmap/ws';
const SUBPROTOCOL = 'jmap';

export interface JmapSockets {
  /** Whether a request is one for a WebSocket here. */
  wants(request: IncomingMessage): boolean;
  /** Log in and open it, or refuse it. */
  take(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Say goodbye to all; what does not leave by itself is cut off by the server that listens. */
  drain(): void;
}

/** `shared`: what the sockets have in common with the same accounts' requests over HTTP. */
export function createJmapSockets(options: JmapOptions, shared: Shared): JmapSockets {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: JMAP_LIMITS.sizeRequest,
    // Each connection would keep windows of its own, and what others write would be compressed together with secrets.
    perMessageDeflate: false,
    handleProtocols: () => SUBPROTOCOL,
  });
  const open = new Set<() => void>();
  let draining = false;

  function begin(socket: WebSocket, login: Principal, ended: () => void): void {
    const end = serveSocket({ options, shared, socket, login }, () => {
      open.delete(end);
      ended();
    });
    open.add(end);
  }

  async function take(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const refused = draining ? UNAVAILABLE : judge(request);
    if (refused !== undefined) return refuse(socket, refused);
    const login = await logIn(options, request, timeId(options.clock.now()));
    if (!login.ok) {
      const challenge = login.status === 401 ? challengeFor(request) : undefined;
      return refuse(socket, { status: login.status, sentence: login.sentence, challenge });
    }
    const ended = shared.counts.begin('socket', login.principal.accountId, JMAP_LIMITS.sockets);
    if (ended === undefined)
      return refuse(socket, { status: 429, sentence: 'There are too many WebSockets of this account.' });
    // Whatever becomes of it, it is counted until it has gone.
    socket.once('close', ended);
    if (socket.destroyed) return ended();
    server.handleUpgrade(request, socket, head, (made) => begin(made, login.principal, ended));
  }

  return {
    wants: ({ url = '', headers }) => pathOf(url) === PATH && headers.upgrade?.toLowerCase() === 'websocket',
    take(request, socket, head) {
      socket.on('error', () => socket.destroy());
      take(request, socket, head).catch((error: unknown) => {
        options.logger.error({ error: errorText(error) }, 'jmap: a WebSocket could not be opened');
        refuse(socket, UNAVAILABLE);
      });
    },
    drain() {
      draining = true;
      for (const end of open) end();
    },
  };
}

interface Refused {
  readonly status: 400 | 401 | 403 | 429 | 503;
  readonly sentence: string;
  readonly challenge?: string | undefined;
}

const UNAVAILABLE: Refused = { status: 503, sentence: 'Try again later.' };

function pathOf(url: string): string {
  const cut = url.indexOf('?');
  return cut === -1 ? url : url.slice(0, cut);
}

/**
 * What can be said without a login. Cookies go along wherever a page opens a WebSocket to us, and no other check of
 * browsers stands before it: so a login by cookie is for our own pages alone, which say their origin (the server's guard
 * has compared that with the name it was asked by).
 */
function judge({ headers }: IncomingMessage): Refused | undefined {
  const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim());
  if (!protocols.includes(SUBPROTOCOL))
    return { status: 400, sentence: 'The subprotocol of this WebSocket is "jmap" (RFC 8887).' };
  if (headers.authorization === undefined && headers.cookie !== undefined && headers.origin === undefined)
    return { status: 403, sentence: 'A login by cookie is for pages of this server.' };
  return undefined;
}

function refuse(socket: Duplex, { status, sentence, challenge }: Refused): void {
  if (socket.destroyed) return;
  const body = `${sentence}\n`;
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    ...(challenge === undefined ? [] : [`WWW-Authenticate: ${challenge}`]),
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
