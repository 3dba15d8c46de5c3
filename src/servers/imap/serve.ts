import { randomToken } from '../../base/ids.ts';
import { errorText, Refusal } from '../../base/errors.ts';
import type { Connection } from '../../net/connection.ts';
import type { ServedSession } from '../session-server.ts';
import { renewRights } from './access.ts';
import { capabilityText } from './capabilities.ts';
import { tellHighestModseq } from './condstore.ts';
import type { Command, Outcome } from './commands/command.ts';
import { commandCapabilities } from './commands/table.ts';
import { needNumbers } from './numbers.ts';
import { endNotify, tellNotices, untilCommand } from './notify/notify.ts';
import type { ImapOptions } from './options.ts';
import { readCommand } from './read-command.ts';
import { deselect, refresh, tell } from './refresh.ts';
import { type Completion, refusalReply } from './replies.ts';
import { SESSION_LIMITS } from './limits.ts';
import {
  createSession,
  cutSession,
  flush,
  flushIfFull,
  type Session,
  SessionEnd,
  yieldTurn,
} from './session.ts';
import { type Decoder, SyntaxFault } from './wire/decoder.ts';
import { respText } from './wire/encoder.ts';

/** Serve one IMAP session (RFC 9051, RFC 3501) until it is closed. */
export function serveImap(connection: Connection, options: ImapOptions): ServedSession {
  const session = createSession(connection, options, commandCapabilities);
  return {
    done: serve(session),
    drain: () => cutSession(session, '[UNAVAILABLE] The server is shutting down', 'shutting down'),
  };
}

async function serve(session: Session): Promise<void> {
  const { hooks, clock, hostname } = session.options;
  hooks?.sessionStarted?.(session.facts);
  session.out.line(`* OK [CAPABILITY ${capabilityText(session)}] ${hostname} Postern ready`);
  let since = clock.monotonic();
  try {
    while (session.ended === undefined) {
      await turn(session);
      // Many commands may have arrived at once; none of them need wait for anything but this process.
      if (clock.monotonic() - since < SESSION_LIMITS.turnMs) continue;
      await yieldTurn();
      since = clock.monotonic();
    }
  } catch (error) {
    leave(session, error);
  }
  session.unwatchLogin?.();
  endNotify(session);
  await deselect(session);
  await session.out.flush();
  hooks?.sessionEnded?.(session.facts, session.ended ?? 'closed', clock.monotonic() - session.startedAt);
  await session.connection.end();
}

/** The loop was left by an exception: the reason, and BYE where it can be said. */
function leave(session: Session, error: unknown): void {
  let bye: string | undefined;
  if (error instanceof SessionEnd) {
    session.ended = error.message;
    bye = error.bye;
  } else {
    const id = randomToken(8);
    session.options.logger.error(
      { id, session: session.facts.id, error: stackOf(error) },
      'imap: session failed',
    );
    session.ended = `internal error ${id}: ${errorText(error)}`;
    bye = `[SERVERBUG] Internal error ${id}`;
  }
  if (session.inLiteral) {
    // Anything said now would be taken for the rest of a message.
    session.out.drop();
    session.connection.destroy(session.ended);
  } else if (bye !== undefined) session.out.line(`* BYE ${respText(bye)}`);
}

/** Read a command, run it, answer it. */
async function turn(session: Session): Promise<void> {
  // However much the client has sent ahead.
  if (session.cut !== undefined) await flush(session);
  if (session.notify !== undefined) await untilCommand(session);
  const read = await readCommand(session);
  const { clock, hooks } = session.options;
  const startedAt = clock.monotonic();
  session.tag = read.tag;
  let status = 'BAD';
  if ('fault' in read) bad(session, read.fault);
  else status = await run(session, read.command, read.d);
  const name = 'fault' in read ? read.name : read.command.name;
  hooks?.command?.(session.facts, name, status, clock.monotonic() - startedAt);
  if (session.ended === undefined && session.errors >= session.options.limits.errorsPerSession)
    throw new SessionEnd('too many bad commands', 'Too many bad commands');
  await flushIfFull(session);
}

async function run(session: Session, command: Command, d: Decoder): Promise<string> {
  let completion: Outcome;
  try {
    await renewRights(session);
    if (command.byNumber === true) needNumbers(session);
    completion = await command.run(session, d);
    await refresh(session);
  } catch (error) {
    if (error instanceof SessionEnd || session.inLiteral) throw error;
    if (error instanceof SyntaxFault) {
      bad(session, `${command.name}: ${error.message}`, error.code);
      return 'BAD';
    }
    completion = error instanceof Refusal ? refusalReply(error) : bug(session, command, error);
  }
  // Only bad commands in a row count: a session may last for days.
  session.errors = 0;
  if (completion === 'answered') return 'OK';
  const { status = 'OK', code, text = `${command.name} completed`, holdsExpunges } = completion ?? {};
  await tellNews(session, command.holdsExpunges !== true && holdsExpunges !== true);
  if (session.notify !== undefined) await tellNotices(session);
  session.out.line(`${session.tag} ${status} ${code === undefined ? '' : `[${code}] `}${respText(text)}`);
  return status;
}

/**
 * What has changed. RFC 7162 section 3.2: while expunges wait, a client of QRESYNC must not take newer changes for all
 * there is; it is told how far it has heard of everything, and again when it has heard of the rest.
 */
async function tellNews(session: Session, withExpunges: boolean): Promise<void> {
  const { view } = session;
  await tell(session, withExpunges);
  if (view === undefined || !session.enabled.has('QRESYNC')) return;
  if (view.holdsExpunges || view.toldOfHeld) tellHighestModseq(session, view.safeModseq);
  view.toldOfHeld = view.holdsExpunges;
}

/** Something that was not foreseen: this command fails, the session goes on. */
function bug(session: Session, command: Command, error: unknown): Completion {
  const id = randomToken(8);
  session.options.logger.error(
    { id, session: session.facts.id, command: command.name, error: stackOf(error) },
    'imap: command failed',
  );
  return { status: 'NO', code: 'SERVERBUG', text: `Internal error ${id}` };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function bad(session: Session, fault: string, code?: string): void {
  session.errors++;
  session.out.line(`${session.tag} BAD ${code === undefined ? '' : `[${code}] `}${respText(fault)}`);
}
