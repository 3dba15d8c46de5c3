import { createSessionServer, type SessionServer, type SessionServerOptions } from '../session-server.ts';
import type { ImapOptions } from './options.ts';
import { serveImap } from './serve.ts';

export interface ImapServerOptions extends ImapOptions, SessionServerOptions {
  readonly clock: ImapOptions['clock'];
  readonly logger: ImapOptions['logger'];
  readonly tls?: ImapOptions['tls'];
  readonly guard?: ImapOptions['guard'];
}

export type ImapServer = SessionServer;

/** Listen, and serve IMAP to whoever connects. Throws a `Refusal` when the place cannot be bound. */
export function createImapServer(options: ImapServerOptions): Promise<ImapServer> {
  return createSessionServer(options, {
    name: 'imap',
    serve: (connection) => serveImap(connection, options),
    refusal: (reason, text) =>
      `* BYE [${reason === 'ban' || reason === 'total' ? 'UNAVAILABLE' : 'LIMIT'}] ${text}\r\n`,
  });
}
