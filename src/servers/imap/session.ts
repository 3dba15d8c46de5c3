import { timeId } from '../../base/ids.ts';
import type { SessionLogin } from '../../flow/service.ts';
import type { Connection } from '../../net/connection.ts';
import type { SearchContext } from './contexts.ts';
import { SESSION_LIMITS } from './limits.ts';
import type { MailboxView } from './mailbox-view.ts';
import type { Notify } from './notify/types.ts';
import type { ImapOptions, ImapSessionFacts } from './options.ts';
import { createTurns, type Turns } from './turns.ts';
import { literalHead } from './wire/decoder.ts';
import { respText } from './wire/encoder.ts';
import { Input } from '../../net/line/input.ts';
import { Output } from '../../net/line/output.ts';
import { moreOctets, nextLine, nextOctets, restOfLine, SessionEnd } from '../../net/line/talk.ts';

export { cutSession, flush, flushIfFull, SessionEnd } from '../../net/line/talk.ts';

/** States of RFC 9051 section 3; logout is when `ended` is set. */
export type State = 'not-authenticated' | 'authenticated' | 'selected';

/** What a client can ENABLE (RFC 5161), and CONDSTORE, which some commands enable by themselves. */
export type Enabled = 'IMAP4REV2' | 'CONDSTORE' | 'QRESYNC' | 'UIDONLY' | 'UTF8=ACCEPT';

/** One IMAP session: what the commands work on. */
export interface Session {
  readonly options: ImapOptions;
  /** Replaced by one that compresses when the client asks for that (RFC 4978), as are `out` and `input`. */
  connection: Connection;
  /** Whether COMPRESS is on. */
  compressed: boolean;
  readonly facts: ImapSessionFacts;
  readonly startedAt: number;
  /** Since when it is without a login. */
  preauthSince: number;
  out: Output;
  input: Input;
  /** When to let others have a turn, for work that grows with what the client asks for. */
  readonly turns: Turns;
  readonly enabled: Set<Enabled>;
  /** Capabilities that come with commands of the table, and in which states. */
  readonly capabilities: readonly string[];
  /** The selected mailbox. */
  view: MailboxView | undefined;
  /** UIDs of SEARCH RETURN (SAVE) in the selected mailbox (RFC 5182), ascending. */
  saved: readonly number[];
  /** Searches that are kept up to date (RFC 5267), of the selected mailbox. */
  contexts: readonly SearchContext[];
  /** What the client wants to hear of without asking (RFC 5465). */
  notify: Notify | undefined;
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

export function createSession(
  connection: Connection,
  options: ImapOptions,
  capabilities: readonly string[],
): Session {
  const { clock } = options;
  return {
    options,
    connection,
    compressed: false,
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
    preauthSince: clock.monotonic(),
    out: new Output(connection, SESSION_LIMITS.heldBytes),
    input: new Input(connection),
    turns: createTurns(),
    enabled: new Set(),
    capabilities,
    view: undefined,
    saved: [],
    contexts: [],
    notify: undefined,
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

/** Whether names of mailboxes go as UTF-8 both ways (RFC 9051 section 5.1, RFC 6855 section 3). */
export function usesUtf8(session: Session): boolean {
  return isRev2(session) || session.enabled.has('UTF8=ACCEPT');
}

/** An untagged response, without "* " and CRLF. */
export function untagged(session: Session, text: string): void {
  session.out.line(`* ${text}`);
}

/** "* OK [CODE] text" */
export function untaggedOk(session: Session, code: string, text: string): void {
  session.out.line(`* OK [${code}] ${respText(text)}`);
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
  const left = session.preauthSince + SESSION_LIMITS.preauthTotalMs - clock.monotonic();
  if (left <= 0) throw new SessionEnd('no login for too long', 'No login for too long');
  return Math.min(limits.imapPreauthTimeoutMs, left);
}

/** Wait for octets. True when some came, false when woken (look at what changed). Throws SessionEnd. */
export async function awaitOctets(session: Session): Promise<boolean> {
  const wait = (): Promise<boolean> => moreOctets(session, () => silenceLimit(session));
  if (await wait()) return true;
  // What was woken before it waited has not looked for octets. Where something changes all the time, that would be so
  // each time, and the client never heard: it is waited for once more, for no longer than one turn.
  setImmediate(() => session.input.wake());
  return wait();
}

/** The next line without its CRLF, a copy. Undefined when it was longer than `max`: then it has been thrown away. */
export async function readLine(session: Session, max: number): Promise<Buffer | undefined> {
  const silence = (): number => silenceLimit(session);
  const line = await nextLine(session, max, silence);
  if (line !== undefined) return line;
  const tail = await restOfLine(session, SESSION_LIMITS.discardedLineBytes, silence);
  // The literal of a line nobody has read must not be taken for commands.
  if (literalHead(tail.subarray(0, -2))?.nonSync)
    throw new SessionEnd('command line too long, with a literal', 'Command line too long');
  return undefined;
}

/** The next `size` octets, piece by piece; pieces are valid until the next one is asked for. */
export function readOctets(session: Session, size: number): AsyncGenerator<Buffer, void> {
  return nextOctets(session, size, () => silenceLimit(session));
}
