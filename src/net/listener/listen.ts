import type { Server, Socket } from 'node:net';
import type { Counter, Gauge } from 'prom-client';
import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Connection } from '../connection.ts';
import { clientNetwork, networkList } from '../ip.ts';
import { SocketConnection } from '../socket-connection.ts';
import type { TlsSource } from '../tls.ts';
import { bindServer, type ListenTarget } from './bind.ts';
import { readProxyHeader } from './proxy-header.ts';

/** Why a connection never reached `onConnection`. */
export interface RefusedConnection {
  readonly reason: 'total' | 'address' | 'proxy-header' | 'tls' | 'accept' | 'ban';
  /** Canonical; '' when not known ('accept'). */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Our own; 0 for a Unix socket. */
  readonly localPort: number;
  /** Plain words for the journal. */
  readonly detail: string;
}

export interface ListenOptions {
  readonly target: ListenTarget;
  /** Implicit TLS when given. */
  readonly tls?: TlsSource | undefined;
  /** Networks whose connections begin with a PROXY header; theirs must, others' must not. */
  readonly proxyFrom?: readonly string[];
  /** Sessions at once, in all and per client (an IPv4 address or an IPv6 /64); 0 means no limit. */
  readonly maxTotal: number;
  readonly maxPerAddress: number;
  /**
   * Why a client may not come in at present, in words for it and the journal; undefined: it may. Asked with the address
   * that a PROXY header names, under implicit TLS behind the handshake, so that the client can be told.
   */
  readonly banned?: ((remoteAddress: string) => string | undefined) | undefined;
  /**
   * Called for every connection that is not let in. For 'ban', and for 'total' and 'address' on a listener without
   * implicit TLS, the text it returns ("421 4.7.0 Too many connections\r\n") is sent before closing.
   */
  readonly onRefused: (refused: RefusedConnection) => string | undefined;
  /** A new session. It ends when the connection closes; a rejected promise destroys the connection and goes to `onError`. */
  readonly onConnection: (connection: Connection) => void | Promise<void>;
  /** A bug in `onConnection`. */
  readonly onError?: (error: unknown, connection: Connection) => void;
  readonly clock: Clock;
  readonly metrics?: ListenerMetrics;
  /** Label of the metrics: "smtp", "imaps". */
  readonly name?: string;
  /** Milliseconds for a PROXY header to arrive. */
  readonly proxyTimeoutMs?: number;
}

export interface Listener {
  /** '' for a Unix socket or a descriptor that is one. */
  readonly address: string;
  readonly port: number;
  /** Sessions open now, those in a TLS handshake included. */
  count(): number;
  /** Stop accepting; sessions go on. Resolves when the port is free. */
  close(): Promise<void>;
  /** Cut every session off, after `close`. Resolves when all are closed. */
  closeAll(reason?: string): Promise<void>;
}

export interface ListenerMetrics {
  readonly accepted: Counter<'listener'>;
  readonly refused: Counter<'listener' | 'reason'>;
  readonly open: Gauge<'listener'>;
}

/** Make once per server; all its listeners share them. */
export function listenerMetrics(metrics: Metrics): ListenerMetrics {
  return {
    accepted: metrics.counter('postern_connections_total', 'Connections let in', ['listener']),
    refused: metrics.counter('postern_connections_refused_total', 'Connections refused before a session', [
      'listener',
      'reason',
    ]),
    open: metrics.gauge('postern_connections_open', 'Sessions open now', ['listener']),
  };
}

/** The PROXY specification section 2 asks for at least 3 s, which cover one retransmission. */
const PROXY_TIMEOUT_MS = 5000;
/** Refused connections that are told why at one time; further ones are just closed. */
const MAX_LINGERING = 64;

/** Listen and hand out sessions. Throws a `Refusal` when the place cannot be bound. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const door = new Door(options);
  const server = await bindServer(options.target, (socket) => door.enter(socket));
  const listener = listenerOf(server, door);
  const nobody = { remoteAddress: '', remotePort: 0, localPort: listener.port };
  // accept() failing, for want of descriptors above all: the server goes on, and so must the program. The kernel keeps
  // the connection in its queue or libuv drops it; both try again when a descriptor is free.
  server.on('error', (error) => door.report('accept', errorText(error), nobody));
  return listener;
}

/** What a listener and its connections share: who is in, and what it takes to get in. */
class Door {
  /** Sessions, those that are still being looked at included. */
  readonly open = new Set<SocketConnection>();
  /** Refused connections that are being told why. */
  readonly lingering = new Set<SocketConnection>();
  readonly #options: ListenOptions;
  readonly #label: string;
  readonly #fromProxy: (address: string) => boolean;
  readonly #places: Places;

  constructor(options: ListenOptions) {
    this.#options = options;
    this.#label = options.name ?? 'unnamed';
    this.#fromProxy = networkList(options.proxyFrom ?? []);
    this.#places = createPlaces(options.maxPerAddress);
  }

  enter(socket: Socket): void {
    const { clock, maxTotal, metrics, onError } = this.#options;
    const connection = new SocketConnection(socket, clock);
    if (maxTotal > 0 && this.open.size >= maxTotal) {
      this.#refuse('total', `more than ${maxTotal} connections`, connection);
      return;
    }
    this.open.add(connection);
    metrics?.open.inc({ listener: this.#label });
    connection.onClose(() => {
      this.open.delete(connection);
      metrics?.open.dec({ listener: this.#label });
    });
    this.#admit(connection).catch((error: unknown) => {
      connection.destroy('internal error');
      onError?.(error, connection);
    });
  }

  /** Count a refusal and pass it on; returns what to tell the client. */
  report(reason: RefusedConnection['reason'], detail: string, from: Ends): string | undefined {
    const { remoteAddress, remotePort, localPort } = from;
    this.#options.metrics?.refused.inc({ listener: this.#label, reason });
    return this.#options.onRefused({ reason, remoteAddress, remotePort, localPort, detail });
  }

  async #admit(connection: SocketConnection): Promise<void> {
    const { clock, tls, maxPerAddress, metrics, proxyTimeoutMs = PROXY_TIMEOUT_MS } = this.#options;
    if (this.#fromProxy(connection.remoteAddress)) {
      const wrong = await readProxyHeader(connection, proxyTimeoutMs, () => clock.monotonic());
      if (wrong !== undefined) return this.#refuse('proxy-header', wrong, connection);
    }
    if (!this.#places.take(connection)) {
      return this.#refuse('address', `more than ${maxPerAddress} connections from one address`, connection);
    }
    if (tls !== undefined) {
      try {
        await connection.acceptTls(tls);
      } catch (error) {
        return this.#refuse('tls', errorText(error), connection);
      }
    }
    const ban = this.#options.banned?.(connection.remoteAddress);
    if (ban !== undefined) return this.#refuse('ban', ban, connection);
    metrics?.accepted.inc({ listener: this.#label });
    await this.#options.onConnection(connection);
  }

  #refuse(reason: RefusedConnection['reason'], detail: string, connection: SocketConnection): void {
    const text = this.report(reason, detail, connection);
    const mayWrite = reason === 'ban' || (this.#options.tls === undefined && reason !== 'proxy-header');
    if (text === undefined || !mayWrite) connection.destroy(detail);
    else sayAndClose(connection, text, this.lingering);
  }
}

/** The two ends of a connection, as far as a refusal tells. */
type Ends = Pick<Connection, 'remoteAddress' | 'remotePort' | 'localPort'>;

/** Tell a refused connection why. `lingering` bounds those being told, or a flood would use up the descriptors after all. */
function sayAndClose(connection: SocketConnection, text: string, lingering: Set<SocketConnection>): void {
  if (lingering.size >= MAX_LINGERING) {
    connection.destroy('too many refused connections');
    return;
  }
  lingering.add(connection);
  connection.onClose(() => lingering.delete(connection));
  void connection.write(text);
  void connection.end();
}

interface Places {
  /** False when the client's network has as many as it may. */
  take(connection: Connection): boolean;
}

/** Places by client network, given back when the connection closes. */
function createPlaces(maxPerAddress: number): Places {
  const perNetwork = new Map<string, number>();
  return {
    take(connection) {
      const network = clientNetwork(connection.remoteAddress);
      const count = perNetwork.get(network) ?? 0;
      if (maxPerAddress > 0 && connection.remoteAddress !== '' && count >= maxPerAddress) return false;
      perNetwork.set(network, count + 1);
      connection.onClose(() => {
        const left = (perNetwork.get(network) ?? 1) - 1;
        if (left > 0) perNetwork.set(network, left);
        else perNetwork.delete(network);
      });
      return true;
    },
  };
}

function listenerOf(server: Server, { open, lingering }: Door): Listener {
  const bound = server.address();
  const { address, port } = bound !== null && typeof bound === 'object' ? bound : { address: '', port: 0 };
  return {
    address,
    port,
    count: () => open.size,
    close: () =>
      new Promise((resolve) => {
        // Its callback waits for the sessions too, but the port is free as soon as the handle is closed.
        server.close();
        setImmediate(resolve);
      }),
    async closeAll(reason) {
      const all = [...open, ...lingering];
      for (const connection of all) connection.destroy(reason);
      await Promise.all(all.map((connection) => new Promise<void>((resolve) => connection.onClose(resolve))));
    },
  };
}
