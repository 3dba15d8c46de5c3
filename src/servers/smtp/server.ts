import { createSessionServer, type SessionServer, type SessionServerOptions } from '../session-server.ts';
import type { SmtpOptions } from './options.ts';
import { serveSmtp } from './serve.ts';
import { renderReply } from './wire/reply.ts';
import { replies } from './replies.ts';

/** `name` is the label of the listener's metrics: "smtp", "submissions". */
export type SmtpServerOptions = SmtpOptions & SessionServerOptions;

export type SmtpServer = SessionServer;

/**
 * Listen, and serve SMTP, LMTP or submission to whoever connects. Draining lets transactions in hand come to their end
 * and tells everybody else 421 4.3.2. Throws a `Refusal` when the place cannot be bound.
 */
export function createSmtpServer(options: SmtpServerOptions): Promise<SmtpServer> {
  const { protocol } = options;
  // Bans are for guessed passwords: a host that brings mail is not shut out by them.
  const guard = protocol === 'submission' ? options.guard : undefined;
  return createSessionServer(
    { ...options, guard, name: options.name ?? protocol },
    {
      name: 'smtp',
      serve: (connection) => serveSmtp(connection, options),
      refusal(reason, text) {
        if (reason === 'ban') return renderReply(replies.banned(text));
        return renderReply(reason === 'total' ? replies.busy : replies.tooManySessions);
      },
    },
  );
}
