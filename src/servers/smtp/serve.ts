import { errorText, smtpReply } from '../../base/errors.ts';
import type { Greeting } from '../../flow/service.ts';
import type { Connection } from '../../net/connection.ts';
import type { ServedSession } from '../session-server.ts';
import type { Command } from './commands/command.ts';
import { commands, foreign, notImplemented } from './commands/table.ts';
import type { SmtpOptions } from './options.ts';
import { lineFaultReplies, replies } from './replies.ts';
import {
  awaitLine,
  beginSpan,
  createSession,
  end,
  endNoted,
  endSessionSpan,
  endSpan,
  failureReply,
  interrupt,
  refuse,
  reply,
  resetTransaction,
  type Session,
} from './session.ts';
import type { Line, LineFault } from './wire/line.ts';

/** Serve one SMTP, LMTP or submission session (RFC 5321, 2033, 6409) until it is closed. */
export function serveSmtp(connection: Connection, options: SmtpOptions): ServedSession {
  const session = createSession(connection, options);
  return {
    done: serve(session).catch((error: unknown) => {
      failureReply(session, error);
      connection.destroy('internal error');
    }),
    drain() {
      session.draining = true;
      if (session.waiting && session.transaction === undefined)
        interrupt(session, replies.draining, 'shutting down');
    },
  };
}

async function serve(session: Session): Promise<void> {
  const { hooks, clock, service } = session.options;
  hooks?.sessionStarted?.();
  try {
    if (await greet(session)) await run(session);
  } catch (error) {
    end(session, failureReply(session, error), `internal error: ${errorText(error)}`);
  }
  session.watch.stop();
  session.unwatchLogin?.();
  resetTransaction(session);
  await session.out.flush();
  service.end(session.facts, session.ended ?? 'closed');
  endSessionSpan(session);
  hooks?.sessionEnded?.(clock.monotonic() - session.startedAt);
  await session.connection.end();
}

/** The flow's word on the connection, then the greeting (RFC 5321 section 3.1). */
async function greet(session: Session): Promise<boolean> {
  const { service, hostname, protocol, dialect } = session.options;
  // Reading before we speak is how we learn who does not wait for the greeting.
  session.input.startReading();
  let wanted: Greeting | void;
  const span = beginSpan(session, 'connect');
  try {
    wanted = await service.connect(session.facts);
  } catch (error) {
    end(session, failureReply(session, error), 'connection refused');
    return false;
  } finally {
    endSpan(session, span);
  }
  if (wanted !== undefined) await holdGreeting(session, wanted.pauseMs);
  if (session.draining) {
    end(session, replies.draining, 'shutting down');
    return false;
  }
  // RFC 5321 section 4.3.1. What a proxy said of the client, and the handshake of TLS, were read before.
  session.facts.earlyTalk = session.input.pending;
  if (session.facts.earlyTalk && wanted?.earlyTalk !== undefined) {
    endNoted(session, 'connect', wanted.earlyTalk, 'the client talked before the greeting');
    return false;
  }
  const ours = `${hostname} ${protocol === 'lmtp' ? 'LMTP' : 'ESMTP'} Postern`;
  reply(session, { code: 220, lines: [dialect?.greeting ?? ours] });
  return true;
}

/** Wait until `pauseMs` after the beginning of the session, or until the client talks or leaves. */
async function holdGreeting(session: Session, pauseMs: number): Promise<void> {
  const { clock } = session.options;
  const left = pauseMs - (clock.monotonic() - session.startedAt);
  if (left <= 0 || session.draining) return;
  const over = new AbortController();
  void session.input.arrival().then(() => over.abort());
  session.waiting = true;
  await clock.sleep(left, over.signal);
  session.waiting = false;
}

async function run(session: Session): Promise<void> {
  while (session.ended === undefined) {
    const line = await nextLine(session);
    if (line === undefined) continue;
    if ('fault' in line) {
      refuseLine(session, line.fault);
      continue;
    }
    const grouped = await dispatch(session, line.text);
    if (grouped && !session.out.full) continue;
    const stalled = session.out.flush();
    if (stalled !== undefined) await stalled;
  }
}

/** The next command line; undefined when the session has ended or been interrupted. */
async function nextLine(session: Session): Promise<Line | undefined> {
  const { limits, protocol } = session.options;
  if (session.interruption !== undefined) {
    resetTransaction(session);
    end(session, session.interruption.reply, session.interruption.reason);
    return undefined;
  }
  if (session.draining && session.transaction === undefined) {
    end(session, replies.draining, 'shutting down');
    return undefined;
  }
  // Only AUTH may be so long; dispatch holds the others to their limit.
  const max = protocol === 'submission' ? limits.authLineBytes : limits.commandLineBytes;
  session.waiting = true;
  const line = await awaitLine(session, max, 'no command');
  session.waiting = false;
  return line;
}

/** A line that is no command line. Where its end is in doubt, what follows may be anything: smuggled commands too. */
function refuseLine(session: Session, fault: LineFault): void {
  const what = lineFaultReplies[fault];
  if (fault === 'bare-lf' || fault === 'bare-cr' || fault === 'flood') {
    reply(session, what);
    endNoted(session, 'command', replies.outOfStep, `command line with a fault: ${fault}`);
  } else {
    refuse(session, 'command', what, `command line with a fault: ${fault}`);
  }
}

/** Run one command; true when its reply may wait for those of the commands behind it. */
async function dispatch(session: Session, text: string): Promise<boolean> {
  const space = text.indexOf(' ');
  const verb = (space === -1 ? text.trimEnd() : text.slice(0, space)).toUpperCase();
  const command = commands.get(verb);
  if (command === undefined || !command.protocols.includes(session.options.protocol)) {
    refuseVerb(session, verb, command);
    session.options.hooks?.command?.('unknown', 0);
    return false;
  }
  const { limits, hooks, clock } = session.options;
  const startedAt = clock.monotonic();
  if (text.length + 2 > limits.commandLineBytes && verb !== 'AUTH') {
    refuseLine(session, 'too-long');
    return false;
  }
  // RFC 5321 section 4.1.1: trailing white space is tolerated.
  const argument = space === -1 ? '' : text.slice(space + 1).trim();
  if (!command.states.includes(session.state)) {
    const what = command.otherwise?.(session) ?? replies.badSequence;
    refuse(session, command.stage, what, `${verb} out of sequence`);
  } else if (argument === '' && command.argument === 'required') {
    refuse(session, command.stage, replies.argumentMissing, `${verb} without an argument`);
  } else if (argument !== '' && command.argument === 'none') {
    refuse(session, command.stage, replies.noArgument, `${verb} with an argument`);
  } else {
    if (session.input.pending) notePipelining(session, command);
    const span = beginSpan(session, command.name);
    const running = command.run(session, argument);
    if (running !== undefined) await running;
    endSpan(session, span);
  }
  hooks?.command?.(verb, clock.monotonic() - startedAt);
  return command.grouped;
}

/** RFC 2920 section 3.1: EHLO ends a group, and who said HELO was not offered PIPELINING at all. */
function notePipelining({ facts }: Session, command: Command): void {
  const hello = command.stage === 'helo';
  if (hello || (facts.helo !== '' && !facts.extended)) facts.earlyPipelining = true;
}

/** The text of an unknown command stays out of the journal: it may be a password sent at the wrong moment. */
function refuseVerb(session: Session, verb: string, command: Command | undefined): void {
  if (foreign.has(verb)) {
    endNoted(session, 'command', replies.http, 'the client speaks HTTP');
  } else if (command !== undefined && verb !== 'AUTH' && verb !== 'LHLO') {
    refuse(session, 'command', smtpReply(500, '5.5.1', 'Say LHLO: this is LMTP'), `${verb} in LMTP`);
  } else {
    const known = command !== undefined || notImplemented.has(verb);
    const name = known ? verb : 'unknown command';
    refuse(
      session,
      'command',
      known ? replies.notImplemented : replies.unknownCommand,
      `${name} not available`,
    );
  }
}
