import { createServer, type Server, type Socket } from 'node:net';
import { errnoCode, errorText, Refusal } from '../../base/errors.ts';

/** Where to listen: a TCP address and port (0: any free one), a Unix socket path, or a descriptor that is already bound. */
export type ListenTarget =
  | { readonly address: string; readonly port: number }
  | { readonly path: string }
  | { readonly fd: number };

/** Connections the kernel keeps until we accept them; it cuts the number to net.core.somaxconn. */
const BACKLOG = 1024;
/** Milliseconds of silence after which the kernel asks whether the peer still lives. */
const KEEPALIVE_MS = 5 * 60 * 1000;
/** Octets a socket buffers per direction. */
const SOCKET_BUFFER_BYTES = 64 * 1024;

export function targetName(target: ListenTarget): string {
  if ('path' in target) return target.path;
  if ('fd' in target) return `descriptor ${target.fd}`;
  return target.address.includes(':')
    ? `[${target.address}]:${target.port}`
    : `${target.address}:${target.port}`;
}

/** Bind and listen. Throws a `Refusal` that names the place and the remedy. */
export function bindServer(target: ListenTarget, onSocket: (socket: Socket) => void): Promise<Server> {
  const server = createServer(
    {
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEPALIVE_MS,
      highWaterMark: SOCKET_BUFFER_BYTES,
    },
    onSocket,
  );
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(bindRefusal(target, error)));
    const listening = (): void => {
      server.removeAllListeners('error');
      resolve(server);
    };
    const where = 'address' in target ? { host: target.address, port: target.port } : target;
    server.listen({ ...where, backlog: BACKLOG }, listening);
  });
}

function bindRefusal(target: ListenTarget, error: Error): Refusal {
  const name = targetName(target);
  const port = 'port' in target ? target.port : undefined;
  switch (errnoCode(error)) {
    case 'EADDRINUSE': {
      const find = port === undefined ? '' : ` ("ss -ltnp 'sport = :${port}'" shows which)`;
      return new Refusal(
        'conflict',
        `${name} is taken by another program${find}: stop it, or choose another port`,
      );
    }
    case 'EACCES':
      return new Refusal(
        'not-permitted',
        port !== undefined && port < 1024
          ? `not permitted to listen on ${name}: ports below 1024 need root or CAP_NET_BIND_SERVICE`
          : `not permitted to listen on ${name}: check the rights of its directory`,
      );
    case 'EADDRNOTAVAIL':
      return new Refusal('bad-input', `cannot listen on ${name}: this machine does not have that address`);
    case 'ENOENT':
      return new Refusal('bad-input', `cannot listen on ${name}: its directory does not exist`);
    default:
      return new Refusal('unavailable', `cannot listen on ${name}: ${errorText(error)}`);
  }
}
