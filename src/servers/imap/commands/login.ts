import { logIn, mechanismFor } from '../authentication.ts';
import { BEFORE_LOGIN, type Command } from './command.ts';

/** LOGIN (RFC 9051 section 6.2.3): the same as AUTHENTICATE PLAIN with the password in clear. */
export const login: Command = {
  name: 'LOGIN',
  states: BEFORE_LOGIN,
  run(session, d) {
    d.sp();
    const user = d.astring('a user name');
    d.sp();
    const password = d.astring('a password');
    d.end();
    if (user.includes(0) || password.includes(0)) d.fail('no NUL in user name and password');
    const nul = Buffer.alloc(1);
    return logIn(
      session,
      mechanismFor(session, 'PLAIN'),
      Buffer.concat([nul, user, nul, password]),
      async () => Buffer.alloc(0),
    );
  },
};
