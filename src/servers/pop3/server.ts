import type { AccountServerOptions } from '../account-session.ts';
import { createSessionServer, type SessionServer, type SessionServerOptions } from '../session-server.ts';
import { servePop3 } from './serve.ts';

export type Pop3ServerOptions = AccountServerOptions & SessionServerOptions;

/** Listen, and serve POP3 to whoever connects. Throws a `Refusal` when the place cannot be bound. */
export function createPop3Server(options: Pop3ServerOptions): Promise<SessionServer> {
  return createSessionServer(options, {
    name: 'pop3',
    serve: (connection) => servePop3(connection, options),
    refusal: (_, text) => `-ERR [SYS/TEMP] ${text}\r\n`,
  });
}
