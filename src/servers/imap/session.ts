import { timeId } from '../../base/ids.ts';
import type { SessionLogin } from '../../flow/service.ts';
import type { Connection } from '../../net/connection.ts';
import { SESSION_LIMITS } from './limits.ts';
import type { MailboxView } from './mailbox-view.ts';
import type { ImapOptions, ImapSessionFacts } from './options.ts';
import { createTurns, type Turns } from './turns.ts';
import { literalHead } from './wire/decoder.ts';
import { respText } from './wire/encoder.ts';
import { Input } from '../../net/line/input.ts';
import { Output } from '../../net/line/output.ts';

/** States of RFC 9051 section 3; logout is when `ended` is set. */
export type State = 'not-authenticated' | 'authenticated' | 'selected';

/** What a client can ENABLE (RFC 5161), and CONDSTORE, which some commands enable by themselves. */
export type Enabled = 'IMAP4REV2' | 'CONDSTORE';

/** One IMAP session: what the commands work on. */
export interface Session {
  readonly options: ImapOptions;
  readonly connection: Connection;
  readonly facts: ImapSessionFacts;
  readonly startedAt: number;
  readonly out: Output;
  readonly input: Input;
  /** When to let others have a turn, for work that grows with what the client asks for. */
  readonly turns: Turns;
  readonly enabled: Set<Enabled>;
  /** Capabilities that come with commands of the table, and in which states. */
  readonly capabilities: readonly string[];
  /** The selected mailbox. */
  view: MailboxView | undefined;
  /** UIDs of SEARCH RETURN (SAVE) in the selected mailbox (RFC 5182), ascending. */
  saved: readonly number[];
  /** Tag of the command in hand. */
  tag: string;
  /** Bad commands since the last one that was not. */
  errors: number;
  loginFailures: number;
  /** Set from outside: the session must say this as BYE and end as soon as it can. */
  cut: { readonly text: string; readonly reason: string } | undefined;
  /** Why the session has ended, for the journal. */
  ended: string | undefined;
  /** The octets sent so far end in the middle of a literal: nothing may be said but what belongs to it. */
  inLiteral: boolean;
  unwatchLogin: (() => void) | undefined;
}

/** Thrown to leave whatever is going on: the session is over. `bye` is said first, if it can be. */
export class SessionEnd extends Error {
  override readonly name = 'SessionEnd';
  readonly bye: string | undefined;

  constructor(reason: string, bye?: string) {
    super(reason);
    this.bye = bye;
  }
}

export function createSession(
  connection: Connection,
  options: ImapOptions,
  capabilities: readonly string[],
): Session {
  const { clock } = options;
  return {
    options,
    connection,
    facts: {
      id: timeId(clock.now()),
      remoteAddress: connection.remoteAddress,
      remotePort: connection.remotePort,
      localAddress: connection.localAddress,
      localPort: connection.localPort,
      tls: connection.tls,
      login: undefined,
    },
    startedAt: clock.monotonic(),
    out: new Output(connection, SESSION_LIMITS.heldBytes),
    input: new Input(connection),
    turns: createTurns(),
    enabled: new Set(),
    capabilities,
    view: undefined,
    saved: [],
    tag: '*',
    errors: 0,
    loginFailures: 0,
    cut: undefined,
    ended: undefined,
    inLiteral: false,
    unwatchLogin: undefined,
  };
}

export function stateOf(session: Session): State {
  if (session.view !== undefined) return 'selected';
  return session.facts.login === undefined ? 'not-authenticated' : 'authenticated';
}

/** The account of a session that has logged in; the table lets commands that ask run in no other. */
export function loginOf(session: Session): SessionLogin {
  if (session.facts.login === undefined) throw new Error('command without login');
  return session.facts.login;
}

/** The selected mailbox; the table lets commands that ask run only when there is one. */
export function viewOf(session: Session): MailboxView {
  if (session.view === undefined) throw new Error('command without a mailbox');
  return session.view;
}

/** Whether names go as UTF-8, \Recent is gone and SEARCH answers with ESEARCH (RFC 9051). */
export function isRev2(session: Session): boolean {
  return session.enabled.has('IMAP4REV2');
}

/** An untagged response, without "* " and CRLF. */
export function untagged(session: Session, text: string): void {
  session.out.line(`* ${text}`);
}

/** "* OK [CODE] text" */
export function untaggedOk(session: Session, code: string, text: string): void {
  session.out.line(`* OK [${code}] ${respText(text)}`);
}

/** Tell the session from outside to end: at once if it waits for its client, else after the response in hand. */
export function cutSession(session: Session, text: string, reason: string): void {
  session.cut ??= { text, reason };
  session.input.wake();
}

function checkCut(session: Session): void {
  if (session.connection.closed) throw new SessionEnd(session.connection.closeReason ?? 'connection lost');
  if (session.cut !== undefined) throw new SessionEnd(session.cut.reason, session.cut.text);
}

/** Send what is held, and wait until the client has taken enough of it. Throws SessionEnd when there is no point. */
export async function flush(session: Session): Promise<void> {
  await session.out.flush();
  checkCut(session);
}

/** As `flush`, when there is enough for a write. */
export async function flushIfFull(session: Session): Promise<void> {
  if (session.out.full) await flush(session);
}

/** Let other sessions have a turn. */
export function yieldTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Count steps of work (see turns.ts): a promise to await when others should have a turn first. */
export function spend(session: Session, steps: number): Promise<void> | undefined {
  return session.turns.spend(steps) ? yieldTurn() : undefined;
}

/** Milliseconds the client may be silent from now on. */
function silenceLimit(session: Session): number {
  const { limits, clock } = session.options;
  if (session.facts.login !== undefined) return limits.imapTimeoutMs;
  const left = session.startedAt + SESSION_LIMITS.preauthTotalMs - clock.monotonic();
  if (left <= 0) throw new SessionEnd('no login for too long', 'No login for too long');
  return Math.min(limits.imapPreauthTimeoutMs, left);
}

/** Wait for octets. True when some came, false when woken (look at what changed). Throws SessionEnd. */
export async function awaitOctets(session: Session): Promise<boolean> {
  await flush(session);
  session.input.release();
  const filled = await session.input.fill(silenceLimit(session));
  if (filled === 'data') return true;
  checkCut(session);
  if (filled === 'woken') return false;
  if (filled === 'end') throw new SessionEnd('client closed the connection');
  throw new SessionEnd('client was silent for too long', 'Autologout: idle for too long');
}

/** The next line without its CRLF, a copy. Undefined when it was longer than `max`: then it has been thrown away. */
export async function readLine(session: Session, max: number): Promise<Buffer | undefined> {
  for (;;) {
    const line = session.input.takeLine(max);
    if (line === 'bare-lf') throw new SessionEnd('bare LF in a command', 'Lines must end in CRLF');
    if (line === 'too-long') {
      await discardLine(session);
      return undefined;
    }
    if (line !== undefined) return Buffer.from(line);
    await awaitOctets(session);
  }
}

async function discardLine(session: Session): Promise<void> {
  let count = 0;
  let tail = Buffer.alloc(0);
  for (;;) {
    const { octets, found } = session.input.discardLine();
    count += octets.length;
    tail = Buffer.concat([tail, octets.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES);
    if (found) break;
    if (count > SESSION_LIMITS.discardedLineBytes)
      throw new SessionEnd('command line without end', 'Command line too long');
    await awaitOctets(session);
  }
  // The literal of a line nobody has read must not be taken for commands.
  if (literalHead(tail.subarray(0, -2))?.nonSync)
    throw new SessionEnd('command line too long, with a literal', 'Command line too long');
}

/** Octets of a line's end that show whether a literal follows. */
const TAIL_BYTES = 48;

/** The next `size` octets, piece by piece; pieces are valid until the next one is asked for. */
export async function* readOctets(session: Session, size: number): AsyncGenerator<Buffer, void> {
  let left = size;
  while (left > 0) {
    const piece = session.input.takeOctets(left);
    if (piece.length === 0) {
      await awaitOctets(session);
      continue;
    }
    left -= piece.length;
    yield piece;
  }
}
