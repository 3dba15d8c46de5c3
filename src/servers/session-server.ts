import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { LoginGuard } from '../data/bans/guard.ts';
import type { Connection } from '../net/connection.ts';
import type { ListenTarget } from '../net/listener/bind.ts';
import { listen, type ListenerMetrics, type RefusedConnection } from '../net/listener/listen.ts';
import type { TlsSource } from '../net/tls.ts';

/** Where a server of long sessions listens, and how many it takes. */
export interface SessionServerOptions {
  readonly target: ListenTarget;
  /** TLS from the first byte (RFC 8314); needs `tls`. */
  readonly implicitTls?: boolean | undefined;
  /** Networks whose connections begin with a PROXY header. */
  readonly proxyFrom?: readonly string[] | undefined;
  /** Sessions at once, in all and per client network. 0: no limit. */
  readonly maxTotal: number;
  readonly maxPerAddress: number;
  /** A connection that never became a session, for the journal. */
  readonly onRefused?: ((refused: RefusedConnection) => void) | undefined;
  readonly listenerMetrics?: ListenerMetrics | undefined;
  /** Label of the listener's metrics: "imap", "imaps". */
  readonly name?: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tls?: TlsSource | undefined;
  /** Whose clients may not come in at present. */
  readonly guard?: Pick<LoginGuard, 'banned'> | undefined;
}

/** A session from the outside. */
export interface ServedSession {
  /** Resolves, never rejects, when the connection is closed. */
  readonly done: Promise<void>;
  /** Say goodbye and close: at once between commands, else after the command in hand. */
  drain(): void;
}

/** What a protocol has to say of itself. */
export interface SessionProtocol {
  /** "imap", for messages of the log. */
  readonly name: string;
  serve(connection: Connection): ServedSession;
  /** The last words, with CRLF, to a client that is not taken: `text` says why. */
  refusal(reason: RefusedConnection['reason'], text: string): string;
}

export interface SessionServer {
  readonly address: string;
  readonly port: number;
  /** Sessions open now. */
  sessions(): number;
  /**
   * Stop gracefully: take no more connections, say goodbye to each session when the command in hand is done, and cut
   * off what is left after `graceMs` milliseconds. Resolves when all sessions are closed.
   */
  drain(graceMs: number): Promise<void>;
}

/** Listen, and serve whoever connects. Throws a `Refusal` when the place cannot be bound. */
export async function createSessionServer(
  options: SessionServerOptions,
  protocol: SessionProtocol,
): Promise<SessionServer> {
  const { clock, logger, tls, implicitTls, proxyFrom, name = protocol.name } = options;
  const sessions = new Set<ServedSession>();
  let draining = false;

  async function onConnection(connection: Connection): Promise<void> {
    const session = protocol.serve(connection);
    sessions.add(session);
    if (draining) session.drain();
    await session.done;
    sessions.delete(session);
  }

  const listener = await listen({
    target: options.target,
    maxTotal: options.maxTotal,
    maxPerAddress: options.maxPerAddress,
    clock,
    name,
    onConnection,
    banned: (remoteAddress) => options.guard?.banned(remoteAddress)?.text,
    onRefused(refused) {
      options.onRefused?.(refused);
      if (refused.reason === 'ban') return protocol.refusal('ban', refused.detail);
      return refused.reason === 'total'
        ? protocol.refusal('total', 'Too many connections, try again later')
        : protocol.refusal(refused.reason, 'Too many connections from your address');
    },
    onError: (error) =>
      logger.error({ listener: name, error: String(error) }, `${protocol.name}: session failed`),
    ...(implicitTls === true && { tls }),
    ...(proxyFrom !== undefined && { proxyFrom }),
    ...(options.listenerMetrics !== undefined && { metrics: options.listenerMetrics }),
  });

  return {
    address: listener.address,
    port: listener.port,
    sessions: () => sessions.size,
    async drain(graceMs) {
      draining = true;
      await listener.close();
      for (const session of sessions) session.drain();
      const late = clock.setTimer(graceMs, () => void listener.closeAll('shutting down'));
      while (sessions.size > 0) await Promise.all([...sessions].map((session) => session.done));
      late.cancel();
    },
  };
}
