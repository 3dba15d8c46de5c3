import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:tls';
import { createInflateRaw, type InflateRaw } from 'node:zlib';
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

interface Talk {
  readonly connection: number;
  /** Of a COMPRESS that has not been answered. */
  tag: string | undefined;
  /** What comes is compressed from now on (RFC 4978): it goes on as it is, and is read unpacked. */
  compressed: boolean;
}

/** Whether this line is the last one that is not compressed; notes the command that asks for it. */
function compressionBegins(talk: Talk, who: 'C' | 'S', text: string): boolean {
  if (who === 'C') talk.tag = /^(\S+) COMPRESS DEFLATE$/i.exec(text)?.[1] ?? talk.tag;
  else if (talk.tag !== undefined && text.startsWith(`${talk.tag} OK`)) talk.compressed = true;
  return who === 'S' && talk.compressed;
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

  const relay = (from: Socket, to: Socket, talk: Talk, who: 'C' | 'S'): void => {
    let rest = '';
    let inflate: InflateRaw | undefined;
    sockets.add(from);
    const take = (data: Buffer): void => {
      rest += data.toString('latin1');
      for (let end = rest.indexOf('\r\n'); end !== -1; end = rest.indexOf('\r\n')) {
        const text = rest.slice(0, end);
        rest = rest.slice(end + 2);
        lines.push({ connection: talk.connection, who, text, at: Math.round(performance.now() - start) });
        if (inflate === undefined && compressionBegins(talk, who, text)) {
          const compressed = Buffer.from(rest, 'latin1');
          rest = '';
          unpack(compressed);
        }
      }
    };
    const unpack = (data: Buffer): void => {
      inflate ??= createInflateRaw()
        .on('data', take)
        .on('error', () => undefined);
      inflate.write(data);
    };
    from.on('data', (data: Buffer) => {
      if (talk.compressed) unpack(data);
      else take(data);
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
    const talk: Talk = { connection: ++connections, tag: undefined, compressed: false };
    const above = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    relay(client, above, talk, 'C');
    relay(above, client, talk, 'S');
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
