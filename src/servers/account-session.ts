import { randomBytes } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { errorText, Refusal } from '../base/errors.ts';
import { randomToken, timeId } from '../base/ids.ts';
import type { Logger } from '../base/log.ts';
import type { LoginGuard } from '../data/bans/guard.ts';
import type { Store } from '../data/store.ts';
import type { Authenticator, SessionLogin } from '../flow/service.ts';
import type { ScriptEngine } from '../flow/sieve/engine-types.ts';
import {
  authenticate,
  offeredMechanisms,
  type ServerMechanism,
  startMechanism,
} from '../mail/sasl/server.ts';
import type { Connection } from '../net/connection.ts';
import { Input } from '../net/line/input.ts';
import { Output } from '../net/line/output.ts';
import { cutSession, flush, nextLine, restOfLine, SessionEnd, type Talk } from '../net/line/talk.ts';
import type { TlsFacts, TlsSource } from '../net/tls.ts';
import type { ServedSession } from './session-server.ts';

/** What the small protocols share, in which an account logs in and works on what is its own: POP3 and ManageSieve. */

export interface AccountServerOptions {
  readonly store: Store;
  readonly authenticator: Authenticator;
  /** Whose clients may not come in at present. */
  readonly guard?: Pick<LoginGuard, 'banned'> | undefined;
  /** Our name in the greeting. */
  readonly hostname: string;
  readonly limits: AccountSessionLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Certificates for STARTTLS; without one (or while it has no context) it is not offered. */
  readonly tls?: TlsSource | undefined;
  /** Passwords under TLS only. False is for a try-out's measuring tools. Default true. */
  readonly requireTlsForLogin?: boolean | undefined;
  readonly hooks?: AccountSessionHooks | undefined;
  /** What reads Sieve scripts beside the event loop; undefined: they are read in place. */
  readonly scripts?: Pick<ScriptEngine, 'check'> | undefined;
}

export interface AccountSessionLimits {
  /** Milliseconds of silence before the login, and after it. */
  readonly preauthTimeoutMs: number;
  readonly timeoutMs: number;
  /** Bad commands in a row before the session ends. */
  readonly errorsPerSession: number;
}

/** Limits that no administrator needs to change. */
export const ACCOUNT_SESSION_LIMITS = {
  /** Milliseconds until a login, however busy the client is. */
  preauthTotalMs: 5 * 60 * 1000,
  /** Failed logins in a session before it ends. */
  loginFailures: 3,
  /** Octets of a login name kept for the journal. */
  subjectBytes: 256,
  /** Octets of a response to a SASL challenge, in base64. */
  saslBytes: 12 * 1024,
  /** Octets of an over-long line that are thrown away before the session is ended instead. */
  discardedLineBytes: 64 * 1024,
  /** Octets of replies held back for one write before they are sent anyway. */
  heldBytes: 32 * 1024,
} as const;

/** What is known of a session, for the journal and metrics. Live object: read it at the time of the call. */
export interface AccountSessionFacts {
  /** Trace id of the session. */
  readonly id: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  tls: TlsFacts | undefined;
  login: SessionLogin | undefined;
}

/** Told as things happen, for metrics and the journal; must be fast and must not throw. */
export interface AccountSessionHooks {
  sessionStarted?(session: AccountSessionFacts): void;
  /** `reason` in plain words: "client said QUIT". */
  sessionEnded?(session: AccountSessionFacts, reason: string, durationMs: number): void;
  /** A command was answered. `status`: "ok" or "no". */
  command?(session: AccountSessionFacts, name: string, status: string, durationMs: number): void;
  /** A login succeeded, or failed for `reason`. `subject` is the name that was tried; bounded, never a secret. */
  login?(
    session: AccountSessionFacts,
    mechanism: string,
    failure?: { reason: string; subject: string | undefined },
  ): void;
  tlsStarted?(session: AccountSessionFacts): void;
}

export interface AccountSession extends Talk {
  /** "pop3", "managesieve": as bans, the journal and the log call it. */
  readonly protocol: string;
  readonly options: AccountServerOptions;
  readonly facts: AccountSessionFacts;
  readonly startedAt: number;
  readonly out: Output;
  readonly input: Input;
  /** Bad commands since the last one that was not. */
  errors: number;
  loginFailures: number;
  /** Why the session has ended, for the journal. */
  ended: string | undefined;
  unwatchLogin: (() => void) | undefined;
}

/** What a protocol adds to the course of a session. */
export interface AccountProtocol<S extends AccountSession> {
  greet(session: S): void;
  /** Read a command, run it, answer it. */
  turn(session: S): Promise<void>;
  /** The last words to a client, when there are any. */
  bye(session: S, text: string): void;
  /** The session is over, however it ended. */
  leave?(session: S): void;
}

export function createAccountSession(
  connection: Connection,
  options: AccountServerOptions,
  protocol: string,
): AccountSession {
  const { clock } = options;
  return {
    protocol,
    connection,
    options,
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
    out: new Output(connection, ACCOUNT_SESSION_LIMITS.heldBytes),
    input: new Input(connection),
    cut: undefined,
    errors: 0,
    loginFailures: 0,
    ended: undefined,
    unwatchLogin: undefined,
  };
}

/** Run a session to its end. */
export function serveAccountSession<S extends AccountSession>(
  session: S,
  protocol: AccountProtocol<S>,
): ServedSession {
  return {
    done: run(session, protocol),
    drain: () => cutSession(session, 'The server is shutting down', 'shutting down'),
  };
}

async function run<S extends AccountSession>(session: S, protocol: AccountProtocol<S>): Promise<void> {
  const { hooks, clock, limits } = session.options;
  hooks?.sessionStarted?.(session.facts);
  protocol.greet(session);
  try {
    while (session.ended === undefined) {
      if (session.cut !== undefined) await flush(session);
      await protocol.turn(session);
      if (session.ended === undefined && session.errors >= limits.errorsPerSession)
        throw new SessionEnd('too many bad commands', 'Too many bad commands');
      // Many commands may have arrived at once: the other sessions have a turn between them.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } catch (error) {
    leave(session, protocol, error);
  }
  session.unwatchLogin?.();
  protocol.leave?.(session);
  await session.out.flush();
  hooks?.sessionEnded?.(session.facts, session.ended ?? 'closed', clock.monotonic() - session.startedAt);
  await session.connection.end();
}

/** The loop was left by an exception: the reason, and last words where they can be said. */
function leave<S extends AccountSession>(session: S, protocol: AccountProtocol<S>, error: unknown): void {
  if (error instanceof SessionEnd) {
    session.ended = error.message;
    if (error.bye !== undefined) protocol.bye(session, error.bye);
    return;
  }
  const text = logBug(session, error);
  session.ended = `${text}: ${errorText(error)}`;
  protocol.bye(session, text);
}

/** Something that was not foreseen: into the log, with a number that the client is told. */
export function logBug(session: AccountSession, error: unknown, command?: string): string {
  const id = randomToken(8);
  session.options.logger.error(
    {
      id,
      session: session.facts.id,
      command,
      error: (error instanceof Error && error.stack) || String(error),
    },
    `${session.protocol}: session failed`,
  );
  return `Internal error ${id}`;
}

/** Milliseconds the client may be silent from now on. Throws SessionEnd when its time to log in is over. */
export function silenceLimit(session: AccountSession): number {
  const { limits, clock } = session.options;
  if (session.facts.login !== undefined) return limits.timeoutMs;
  const left = session.startedAt + ACCOUNT_SESSION_LIMITS.preauthTotalMs - clock.monotonic();
  if (left <= 0) throw new SessionEnd('no login for too long', 'No login for too long');
  return Math.min(limits.preauthTimeoutMs, left);
}

/** The next line without its CRLF. Undefined when it was longer than `max` octets: then it has been thrown away. */
export async function readLine(session: AccountSession, max: number): Promise<Buffer | undefined> {
  const silence = (): number => silenceLimit(session);
  const line = await nextLine(session, max, silence);
  if (line === undefined) await restOfLine(session, ACCOUNT_SESSION_LIMITS.discardedLineBytes, silence);
  return line;
}

/** Whether passwords may be sent on this connection. */
export function mayLogIn({ connection, options }: AccountSession): boolean {
  return connection.tls !== undefined || options.requireTlsForLogin === false;
}

export function mayStartTls({ connection, options }: AccountSession): boolean {
  return connection.tls === undefined && options.tls?.context() !== undefined;
}

/** Mechanisms to offer at this moment, strongest first. */
export function mechanisms(session: AccountSession): readonly string[] {
  return mayLogIn(session) ? offeredMechanisms(session.connection.tls, session.options.authenticator) : [];
}

/** `say` tells the client to begin. Throws a Refusal when there is no certificate, SessionEnd when it goes wrong. */
export async function startTls(session: AccountSession, say: () => void): Promise<void> {
  const { tls, hooks } = session.options;
  if (session.connection.tls !== undefined) throw new Refusal('bad-input', 'TLS is on already');
  if (tls === undefined || !mayStartTls(session))
    throw new Refusal('unavailable', 'There is no certificate yet');
  // CVE-2011-0411: what came in clear behind the command must never be taken for protected.
  if (session.input.pending)
    throw new SessionEnd('plain text behind STARTTLS', 'There was more data in clear behind the command');
  say();
  await flush(session);
  try {
    session.facts.tls = await session.connection.startTls(tls);
  } catch (error) {
    if (error instanceof Refusal) throw new SessionEnd(`STARTTLS: ${error.message}`);
    throw error;
  }
  hooks?.tlsStarted?.(session.facts);
}

/** A mechanism by name. Throws the refusal to log in on this connection, or by such a mechanism. */
export function mechanismFor(session: AccountSession, name: string): ServerMechanism {
  if (!mayLogIn(session))
    throw new Refusal('not-permitted', 'Passwords are taken under TLS only: start it first');
  const { tls } = session.connection;
  const mechanism = startMechanism(name, {
    authenticator: session.options.authenticator,
    channelBinding: tls,
    plusOffered: offeredMechanisms(tls).some((offered) => offered.endsWith('-PLUS')),
    remoteAddress: session.facts.remoteAddress,
    protocol: session.protocol,
    trace: session.facts.id,
    random: randomBytes,
  });
  if (mechanism === undefined) throw new Refusal('bad-input', 'There is no such authentication mechanism');
  return mechanism;
}

/**
 * Run an exchange to its end and log the session in, or have the refusal said. Throws SessionEnd after the refusal that
 * was one too many. Look at `facts.login` for what became of it.
 */
export async function logIn(
  session: AccountSession,
  mechanism: ServerMechanism,
  initial: Buffer | undefined,
  exchange: (challenge: Buffer) => Promise<Buffer>,
  sayRefusal: (refusal: Refusal) => void,
): Promise<void> {
  const { hooks, guard } = session.options;
  try {
    const { accountId, address, revoked } = await authenticate(mechanism, initial, exchange);
    session.facts.login = { accountId, address, mechanism: mechanism.name, revoked };
    const cut = (): void => cutSession(session, 'The login was revoked', 'login was revoked');
    revoked.addEventListener('abort', cut, { once: true });
    session.unwatchLogin = () => revoked.removeEventListener('abort', cut);
    hooks?.login?.(session.facts, mechanism.name);
    if (revoked.aborted) cut();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const subject = mechanism.login?.slice(0, ACCOUNT_SESSION_LIMITS.subjectBytes);
    hooks?.login?.(session.facts, mechanism.name, { reason: error.message, subject });
    session.loginFailures++;
    sayRefusal(error);
    const ban = guard?.banned(session.facts.remoteAddress);
    if (ban !== undefined) throw new SessionEnd('banned for failed logins', ban.text);
    if (session.loginFailures >= ACCOUNT_SESSION_LIMITS.loginFailures)
      throw new SessionEnd('too many failed logins', 'Too many failed logins');
  }
}

/** The account of a session that has logged in. */
export function loginOf(session: AccountSession): SessionLogin {
  if (session.facts.login === undefined) throw new Error('command without login');
  return session.facts.login;
}
