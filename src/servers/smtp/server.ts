import type { Connection } from '../../net/connection.ts';
import type { ListenTarget } from '../../net/listener/bind.ts';
import { listen, type ListenerMetrics, type RefusedConnection } from '../../net/listener/listen.ts';
import type { SmtpOptions } from './options.ts';
import { type ServedSession, serveSmtp } from './serve.ts';
import { renderReply } from './wire/reply.ts';
import { replies } from './replies.ts';

export interface SmtpServerOptions extends SmtpOptions {
  readonly target: ListenTarget;
  /** TLS from the first byte (port 465, RFC 8314); needs `tls`. */
  readonly implicitTls?: boolean | undefined;
  /** Networks whose connections begin with a PROXY header. */
  readonly proxyFrom?: readonly string[] | undefined;
  /** Sessions at once, in all and per client network; beyond it 421. 0: no limit. */
  readonly maxTotal: number;
  readonly maxPerAddress: number;
  /** A connection that never became a session, for the journal. */
  readonly onRefused?: ((refused: RefusedConnection) => void) | undefined;
  readonly listenerMetrics?: ListenerMetrics | undefined;
  /** Label of the listener's metrics: "smtp", "submissions". */
  readonly name?: string | undefined;
}

export interface SmtpServer {
  readonly address: string;
  readonly port: number;
  /** Sessions open now. */
  sessions(): number;
  /**
   * Stop gracefully: take no more connections, let transactions in hand come to their end, tell everybody else
   * 421 4.3.2, and cut off what is left after `graceMs` milliseconds. Resolves when all sessions are closed.
   */
  drain(graceMs: number): Promise<void>;
}

/** Listen, and serve SMTP, LMTP or submission to whoever connects. Throws a `Refusal` when the place cannot be bound. */
export async function createSmtpServer(options: SmtpServerOptions): Promise<SmtpServer> {
  const { clock, logger, tls, implicitTls, proxyFrom, name = options.protocol } = options;
  const sessions = new Set<ServedSession>();
  let draining = false;

  async function onConnection(connection: Connection): Promise<void> {
    const session = serveSmtp(connection, options);
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
    ...(options.protocol === 'submission' && {
      banned: (remoteAddress) => options.guard?.banned(remoteAddress)?.text,
    }),
    onRefused(refused) {
      options.onRefused?.(refused);
      if (refused.reason === 'ban') return renderReply(replies.banned(refused.detail));
      return renderReply(refused.reason === 'total' ? replies.busy : replies.tooManySessions);
    },
    onError: (error) => logger.error({ listener: name, error: String(error) }, 'smtp: session failed'),
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
