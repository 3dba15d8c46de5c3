import type { Connection } from '../../net/connection.ts';
import { type AccountServerOptions, type AccountSession, createAccountSession } from '../account-session.ts';
import type { Maildrop } from './maildrop.ts';

export interface Pop3Session extends AccountSession {
  /** What USER said, until PASS. */
  user: string | undefined;
  /** From the login on. */
  maildrop: Maildrop | undefined;
}

/** AUTHORIZATION until there is a maildrop, then TRANSACTION (RFC 1939 section 3). */
export type Pop3State = 'authorization' | 'transaction';

export function stateOf(session: Pop3Session): Pop3State {
  return session.maildrop === undefined ? 'authorization' : 'transaction';
}

export function createPop3Session(connection: Connection, options: AccountServerOptions): Pop3Session {
  return { ...createAccountSession(connection, options, 'pop3'), user: undefined, maildrop: undefined };
}
