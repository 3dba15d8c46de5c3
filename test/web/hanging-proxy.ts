import { createServer, type IncomingMessage, request as ask, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A line between browser and server that can be told to be bad. */

/**
 * - `pass`: as if it were not there
 * - `swallow`: the request never gets to the server, and no answer comes
 * - `deaf`: the server does what it is asked, and no answer comes
 * - `cut`: the connection breaks in the middle of the answer
 * - `hold`: the request waits here until `release`
 */
export type Mode = 'pass' | 'swallow' | 'deaf' | 'cut' | 'hold';

export interface Asked {
  /** "POST /jmap/api". */
  readonly target: string;
  readonly body: string;
}

export interface HangingProxy {
  readonly base: string;
  /** What becomes of a request; asked once for each. */
  rule: (asked: Asked) => Mode;
  /** All requests with a mode other than `pass`. */
  readonly met: readonly (Asked & { readonly mode: Mode })[];
  /** Let through what was held, in whatever order it came. */
  release(): void;
  close(): Promise<void>;
}

export async function startHangingProxy(port: number): Promise<HangingProxy> {
  const met: (Asked & { mode: Mode })[] = [];
  let held: (() => void)[] = [];

  const pass = (
    { method, url, headers }: IncomingMessage,
    body: Buffer,
    answer: (from: IncomingMessage) => void,
    failed: () => void,
  ): void => {
    const onward = ask({ host: '127.0.0.1', port, method, path: url, headers }, answer);
    onward.on('error', failed);
    onward.end(body);
  };

  const take = (request: IncomingMessage, response: ServerResponse, body: Buffer): void => {
    const asked = { target: `${request.method} ${request.url}`, body: body.toString() };
    const mode = proxy.rule(asked);
    if (mode !== 'pass') met.push({ ...asked, mode });
    const through = (cut = false): void =>
      pass(
        request,
        body,
        (from) => {
          if (response.destroyed) return void from.resume();
          response.writeHead(from.statusCode ?? 500, from.headers);
          if (!cut) {
            from.pipe(response);
            response.on('close', () => from.destroy());
            return undefined;
          }
          from.once('data', (piece: Buffer) => {
            from.resume();
            response.write(piece.subarray(0, Math.max(1, piece.length >> 1)), () =>
              response.socket?.destroy(),
            );
          });
          return undefined;
        },
        () => response.destroy(),
      );
    if (mode === 'pass') through();
    else if (mode === 'cut') through(true);
    else if (mode === 'hold') held.push(() => through());
    else if (mode === 'deaf')
      pass(
        request,
        body,
        (from) => from.resume(),
        () => undefined,
      );
  };

  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => take(request, response, Buffer.concat(pieces)));
    response.on('error', () => undefined);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const proxy: HangingProxy = {
    base: `http://localhost:${(server.address() as AddressInfo).port}`,
    rule: () => 'pass',
    met,
    release() {
      const all = held;
      held = [];
      for (const go of all) go();
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
  return proxy;
}
