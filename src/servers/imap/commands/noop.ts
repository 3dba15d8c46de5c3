import { refresh } from '../refresh.ts';
import { ANY_STATE, type Command, SELECTED } from './command.ts';

const run: Command['run'] = async (session, d) => {
  d.end();
  // Asked outright, even when no wake-up has come yet: what another session was told OK for must be seen here.
  await refresh(session, true);
  return undefined;
};

/** NOOP (RFC 9051 section 6.1.2): a client's way to ask for news. */
export const noop: Command = { name: 'NOOP', states: ANY_STATE, run };

/** CHECK (RFC 3501 section 6.4.1): everything is durable already. */
export const check: Command = { name: 'CHECK', states: SELECTED, run };
