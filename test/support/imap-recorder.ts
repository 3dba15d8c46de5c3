import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:tls';
import { createSelfSigned } from '../../src/net/tls-self-signed.ts';

/** Sits before a server with TLS from the first byte and keeps what was said through it. */
export interface Recorder {
  readonly port: number;
  /** The certificate it shows, PEM. */
  readonly certificate: string;
  /** Lines of clients, in the order they came, latin1, with the number of the connection before them: "2 a1 NOOP". */
  said(): readonly string[];
  /** Both directions, for people, with milliseconds since the start: "17 2 C: a1 NOOP", "18 2 S: a1 OK …". */
  transcript(): string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Record what programs of other people say to the TLS port of a server on 127.0.0.1. */
export async function recordTls(port: number): Promise<Recorder> {
  const pair = createSelfSigned({
    commonName: 'localhost',
    names: ['localhost', '127.0.0.1', 'mx.example.test'],
    notBefore: Date.UTC(2020, 0, 1),
    notAfter: Date.UTC(2049, 0, 1),
  });
  const lines: { connection: number; who: 'C' | 'S'; text: string; at: number }[] = [];
  const start = performance.now();
  const sockets = new Set<Socket>();
  let connections = 0;

  const relay = (from: Socket, to: Socket, connection: number, who: 'C' | 'S'): void => {
    let rest = '';
    sockets.add(from);
    from.on('data', (data: Buffer) => {
      const pieces = (rest + data.toString('latin1')).split('\r\n');
      rest = pieces.pop() ?? '';
      for (const text of pieces)
        lines.push({ connection, who, text, at: Math.round(performance.now() - start) });
      to.write(data);
    });
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server = createServer({ cert: pair.cert, key: pair.key }, (client) => {
    const connection = ++connections;
    const above = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    relay(client, above, connection, 'C');
    relay(above, client, connection, 'S');
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    certificate: pair.cert,
    said: () => lines.filter(({ who }) => who === 'C').map(({ connection, text }) => `${connection} ${text}`),
    transcript: () =>
      lines.map(({ connection, who, text, at }) => `${at} ${connection} ${who}: ${text}`).join('\n'),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
