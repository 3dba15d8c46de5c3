import type { AccountServerOptions } from '../account-session.ts';
import { createSessionServer, type SessionServer, type SessionServerOptions } from '../session-server.ts';
import { string } from './replies.ts';
import { serveManageSieve } from './serve.ts';

export type ManageSieveServerOptions = AccountServerOptions & SessionServerOptions;

/** Listen, and serve ManageSieve to whoever connects. Throws a `Refusal` when the place cannot be bound. */
export function createManageSieveServer(options: ManageSieveServerOptions): Promise<SessionServer> {
  return createSessionServer(options, {
    name: 'managesieve',
    serve: (connection) => serveManageSieve(connection, options),
    refusal: (_, text) => `BYE (TRYLATER) ${string(text)}\r\n`,
  });
}
