import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createSelfSigned } from '../../src/net/tls-self-signed.ts';

/** Octets of one body that are kept to be looked at. */
const KEPT = 200_000;

/** One HTTP request and what it was answered. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly userAgent: string;
  readonly asked: string;
  status: number;
  answered: string;
}

/** Sits before the HTTPS port of a server and keeps what was said. */
export interface Recorder {
  /** Stays the same when the server behind it has moved. */
  readonly port: number;
  /** The certificate it shows, PEM. */
  readonly certificate: string;
  readonly exchanges: readonly Exchange[];
  /** The server is at another port now, as after a restart; undefined: nobody answers, and what runs is cut off. */
  target(port: number | undefined): void;
  /** What JMAP calls and HTTP answers say went wrong, in words, each once. */
  faults(): string[];
  [Symbol.asyncDispose](): Promise<void>;
}

export async function recordHttps(first: number): Promise<Recorder> {
  const pair = createSelfSigned({
    commonName: 'localhost',
    names: ['localhost', '127.0.0.1'],
    notBefore: Date.UTC(2020, 0, 1),
    notAfter: Date.UTC(2049, 0, 1),
  });
  const exchanges: Exchange[] = [];
  const sockets = new Set<Socket>();
  let target: number | undefined = first;
  const server = createServer({ ...pair, ALPNProtocols: ['http/1.1'] }, (asked, answer) => {
    if (target === undefined) asked.socket.destroy();
    else pass(asked, answer, target, exchanges);
  });
  server.on('secureConnection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    certificate: pair.cert,
    exchanges,
    target(to) {
      target = to;
      if (to === undefined) for (const socket of sockets) socket.destroy();
    },
    faults: () => [...new Set(exchanges.flatMap(faultsOf))],
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function pass(asked: IncomingMessage, answer: ServerResponse, port: number, exchanges: Exchange[]): void {
  const { method = '', url: path = '', headers } = asked;
  // Bodies are kept readable.
  const { 'accept-encoding': _, ...rest } = headers;
  const exchange = {
    method,
    path,
    userAgent: headers['user-agent'] ?? '',
    asked: '',
    status: 0,
    answered: '',
  };
  exchanges.push(exchange);
  const end = (): void => void answer.destroy();
  const onward = request(
    { host: '127.0.0.1', port, method, path, headers: rest, agent: false, rejectUnauthorized: false },
    (response) => {
      exchange.status = response.statusCode ?? 0;
      answer.writeHead(exchange.status, response.headers);
      answer.flushHeaders();
      response.on('data', (data: Buffer) => {
        if (exchange.answered.length < KEPT) exchange.answered += data.toString('utf8');
      });
      response.on('error', end).pipe(answer);
    },
  );
  asked.on('data', (data: Buffer) => {
    if (exchange.asked.length < KEPT) exchange.asked += data.toString('utf8');
  });
  asked.pipe(onward).on('error', end);
  answer.on('close', () => onward.destroy());
}

type Call = readonly [string, Record<string, unknown>, string];

/** Error responses, and objects that were not created, updated or destroyed. */
function faultsOf({ method, path, status, answered }: Exchange): string[] {
  const where = `${method} ${path.split('?')[0]?.replaceAll(/\/[\w-]{12,}/g, '/…')}`;
  if (status >= 400) return [`${where}: ${status} ${answered.slice(0, 300)}`];
  if (!path.startsWith('/jmap/api')) return [];
  let calls: readonly Call[];
  try {
    calls = (JSON.parse(answered) as { methodResponses: Call[] }).methodResponses;
  } catch {
    return answered.length >= KEPT ? [] : [`${where}: an answer that is no JSON`];
  }
  return calls.flatMap(([name, answer]) => [
    ...(name === 'error' ? [`${where}: error ${JSON.stringify(answer)}`] : []),
    ...['notCreated', 'notUpdated', 'notDestroyed']
      .filter((key) => Object.keys((answer[key] as object | null | undefined) ?? {}).length > 0)
      .map((key) => `${name}: ${key} ${JSON.stringify(answer[key])}`),
  ]);
}
