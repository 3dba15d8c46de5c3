import { Refusal } from '../../base/errors.ts';
import type { Connection } from '../../net/connection.ts';
import { flushIfFull, SessionEnd } from '../../net/line/talk.ts';
import {
  ACCOUNT_SESSION_LIMITS,
  type AccountServerOptions,
  logBug,
  readLine,
  serveAccountSession,
} from '../account-session.ts';
import type { ServedSession } from '../session-server.ts';
import { COMMANDS } from './commands.ts';
import { err, ok, Pop3Fault, refused } from './replies.ts';
import { createPop3Session, type Pop3Session, stateOf } from './session.ts';

/** Serve one POP3 session (RFC 1939) until it is closed. */
export function servePop3(connection: Connection, options: AccountServerOptions): ServedSession {
  return serveAccountSession(createPop3Session(connection, options), {
    greet: (session) => ok(session, `${options.hostname} Postern ready`),
    turn,
    bye: (session, text) => err(session, text),
  });
}

async function turn(session: Pop3Session): Promise<void> {
  // AUTH with its initial response is the longest; a password may have 255 octets and more.
  const line = await readLine(session, ACCOUNT_SESSION_LIMITS.saslBytes);
  const { clock, hooks } = session.options;
  const startedAt = clock.monotonic();
  const text = line?.toString('latin1') ?? '';
  const space = text.indexOf(' ');
  const name = (space === -1 ? text : text.slice(0, space)).toUpperCase();
  const known = COMMANDS.has(name);
  const good =
    line === undefined
      ? fault(session, 'line too long')
      : await run(session, name, space === -1 ? '' : argumentOf(name, text.slice(space + 1)));
  hooks?.command?.(session.facts, known ? name : '', good ? 'ok' : 'no', clock.monotonic() - startedAt);
  await flushIfFull(session);
}

/** Some clients put spaces behind what they say; a password may end in some. */
function argumentOf(name: string, text: string): string {
  return name === 'PASS' ? text : text.trimEnd();
}

async function run(session: Pop3Session, name: string, argument: string): Promise<boolean> {
  const command = COMMANDS.get(name);
  if (command === undefined) return fault(session, 'no such command');
  if (!command.states.includes(stateOf(session))) {
    return fault(
      session,
      stateOf(session) === 'authorization'
        ? `${name} needs a login first`
        : `${name} is for before the login`,
    );
  }
  try {
    await command.run(session, argument);
  } catch (error) {
    if (error instanceof SessionEnd || session.connection.closed) throw error;
    if (error instanceof Pop3Fault) return fault(session, error.message);
    if (error instanceof Refusal) refused(session, error);
    else err(session, `[SYS/TEMP] ${logBug(session, error, name)}`);
    return false;
  }
  // Only bad commands in a row count.
  session.errors = 0;
  return true;
}

function fault(session: Pop3Session, text: string): false {
  session.errors++;
  err(session, text);
  return false;
}
