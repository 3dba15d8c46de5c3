import { Refusal } from '../../base/errors.ts';
import { SCRIPT_BYTES } from '../../data/sieve/types.ts';
import type { Connection } from '../../net/connection.ts';
import { flushIfFull, SessionEnd } from '../../net/line/talk.ts';
import {
  type AccountServerOptions,
  type AccountSession,
  createAccountSession,
  logBug,
  serveAccountSession,
} from '../account-session.ts';
import type { ServedSession } from '../session-server.ts';
import { argumentsOf, capabilities, COMMANDS, misplaced } from './commands.ts';
import { type ReadCommand, readCommand } from './read-command.ts';
import { bye, no, ok, refused, SieveFault } from './replies.ts';

/** Octets of the literals of a command before the login: a response of SASL. */
const PREAUTH_LITERAL_BYTES = 4096;

/** Serve one ManageSieve session (RFC 5804) until it is closed. */
export function serveManageSieve(connection: Connection, options: AccountServerOptions): ServedSession {
  return serveAccountSession(createAccountSession(connection, options, 'managesieve'), {
    greet(session) {
      capabilities(session);
      ok(session, `${options.hostname} Postern ready`);
    },
    turn,
    bye: (session, text) => bye(session, text),
  });
}

async function turn(session: AccountSession): Promise<void> {
  const { clock, hooks } = session.options;
  // Room for a script that is a little too large: it is then told so by name (QUOTA/MAXSIZE).
  const literalBytes = session.facts.login === undefined ? PREAUTH_LITERAL_BYTES : SCRIPT_BYTES + 4096;
  let command: ReadCommand;
  try {
    command = await readCommand(session, { literalBytes });
  } catch (error) {
    if (!(error instanceof SieveFault)) throw error;
    fault(session, error.message, error.code);
    hooks?.command?.(session.facts, '', 'no', 0);
    await flushIfFull(session);
    return;
  }
  const startedAt = clock.monotonic();
  const good = await run(session, command);
  const name = COMMANDS.has(command.name) ? command.name : '';
  hooks?.command?.(session.facts, name, good ? 'ok' : 'no', clock.monotonic() - startedAt);
  await flushIfFull(session);
}

async function run(session: AccountSession, { name, args }: ReadCommand): Promise<boolean> {
  const command = COMMANDS.get(name);
  if (command === undefined) return fault(session, 'no such command');
  const wrong = misplaced(session, command);
  if (wrong !== undefined) return fault(session, `${name} ${wrong}`);
  try {
    await command.run(session, argumentsOf(args));
  } catch (error) {
    if (error instanceof SessionEnd || session.connection.closed) throw error;
    if (error instanceof SieveFault) return fault(session, error.message, error.code);
    if (error instanceof Refusal) refused(session, error);
    else no(session, logBug(session, error, name), 'TRYLATER');
    return false;
  }
  // Only bad commands in a row count.
  session.errors = 0;
  return true;
}

function fault(session: AccountSession, text: string, code?: string): false {
  session.errors++;
  no(session, text, code);
  return false;
}
