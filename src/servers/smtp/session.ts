import { errorText, Refusal, type SmtpReply, smtpReply } from '../../base/errors.ts';
import { timeId } from '../../base/ids.ts';
import type { Span } from '../../base/tracing.ts';
import type {
  MailParams,
  MailTransaction,
  MessageSink,
  RefusedAtServer,
  SessionFacts,
} from '../../flow/service.ts';
import type { Connection } from '../../net/connection.ts';
import { SESSION_LIMITS } from './limits.ts';
import type { SmtpOptions } from './options.ts';
import { refusalReply, replies } from './replies.ts';
import { Input } from './wire/input.ts';
import { type Line, LineReader } from './wire/line.ts';
import { ReplyWriter } from './wire/reply.ts';
import { seconds, Watch } from './wire/watch.ts';
import type { TextChecker } from './wire/data-framer.ts';

/**
 * Where a session stands between commands. 'start': no HELO, EHLO or LHLO yet; 'ready': no transaction;
 * 'mail': MAIL accepted, no recipient yet; 'rcpt': at least one; 'bdat': a first BDAT was accepted, not the last.
 */
export type State = 'start' | 'ready' | 'mail' | 'rcpt' | 'bdat';

/** From an accepted MAIL to the answer to its data. */
export interface Transaction {
  readonly flow: MailTransaction;
  /** For the journal: the reverse-path and the accepted recipients. */
  readonly from: string;
  readonly to: string[];
  readonly params: MailParams;
  /** Recipients accepted and tried. */
  accepted: number;
  attempted: number;
}

/** A message on its way in. */
export interface Incoming {
  /** Undefined from the moment the message is refused. */
  sink: MessageSink | undefined;
  /** The first reason why the message cannot be taken; what follows is swallowed. */
  refusal: SmtpReply | undefined;
  /** Octets of the message so far, and octets received for it, dot-stuffing included. */
  octets: number;
  received: number;
  readonly startedAt: number;
  /** The rules of text lines, across the BDATs of a message without BINARYMIME. */
  readonly text: TextChecker | undefined;
}

/** All that is known of one session. Command handlers change it through the functions below. */
export interface Session {
  readonly options: SmtpOptions;
  readonly connection: Connection;
  readonly facts: SessionFacts;
  readonly input: Input;
  readonly lines: LineReader;
  readonly out: ReplyWriter;
  readonly watch: Watch;
  state: State;
  transaction: Transaction | undefined;
  incoming: Incoming | undefined;
  /** A BDAT has failed and nothing began since: the rest of its sequence is on the way (RFC 3030 section 2). */
  bdatFailed: boolean;
  errors: number;
  unknownRecipients: number;
  refusedRecipients: number;
  loginFailures: number;
  idleCommands: number;
  messages: number;
  /** Stop taking new transactions. */
  draining: boolean;
  /** Waiting for a command: it may be told to go at once. */
  waiting: boolean;
  /** Set from outside (timeout, revoked login): say it and end at the next safe point. */
  interruption: { readonly reply: SmtpReply; readonly reason: string } | undefined;
  /** Set when the session is over, in plain words. */
  ended: string | undefined;
  readonly startedAt: number;
  /** All of the session, where it is traced, and the code that was answered last. */
  readonly span: Span | undefined;
  repliedCode: number;
  /** Forget the login's revocation signal. */
  unwatchLogin: (() => void) | undefined;
}

export function createSession(connection: Connection, options: SmtpOptions): Session {
  const { clock, limits, tracer } = options;
  const input = new Input(connection);
  const session: Session = {
    options,
    connection,
    facts: {
      id: timeId(clock.now()),
      protocol: options.protocol,
      remoteAddress: connection.remoteAddress,
      remotePort: connection.remotePort,
      localAddress: connection.localAddress,
      localPort: connection.localPort,
      helo: '',
      extended: false,
      tls: connection.tls,
      login: undefined,
      earlyTalk: false,
      earlyPipelining: false,
    },
    input,
    lines: new LineReader(input, SESSION_LIMITS.discardedLineBytes),
    out: new ReplyWriter(connection, SESSION_LIMITS.heldRepliesBytes),
    watch: new Watch(clock, limits.smtpSessionMs, (why) => interrupt(session, replies.timeout, why)),
    state: 'start',
    transaction: undefined,
    incoming: undefined,
    bdatFailed: false,
    errors: 0,
    unknownRecipients: 0,
    refusedRecipients: 0,
    loginFailures: 0,
    idleCommands: 0,
    messages: 0,
    draining: false,
    waiting: false,
    interruption: undefined,
    ended: undefined,
    startedAt: clock.monotonic(),
    span: tracer?.start('smtp session', { kind: 'server' }),
    repliedCode: 0,
    unwatchLogin: undefined,
  };
  return session;
}

export function reply(session: Session, what: SmtpReply): void {
  const said = session.options.dialect?.words.get(what) ?? what;
  session.out.put(said);
  session.repliedCode = said.code;
  session.options.hooks?.replied?.(said.code);
}

/** Begin a part of the session, which the mail flow may divide further. */
export function beginSpan(session: Session, name: string): Span | undefined {
  session.facts.span = session.span?.child(name);
  return session.facts.span;
}

/** It was answered. */
export function endSpan(session: Session, span: Span | undefined): void {
  if (span === undefined) return;
  span.set({ 'smtp.reply_code': session.repliedCode });
  if (session.repliedCode >= 400) span.fail('refused');
  span.end();
  session.facts.span = undefined;
}

/** What the session was, told at its end. */
export function endSessionSpan({ span, facts, messages, options, ended }: Session): void {
  if (span === undefined) return;
  span.set({
    'postern.trace': facts.id,
    'network.protocol.name': facts.protocol,
    'server.port': facts.localPort,
    'postern.messages': messages,
    'tls.established': facts.tls !== undefined,
    ...(ended !== undefined && { 'postern.end': ended }),
    ...(options.tracer?.addresses === true && {
      'client.address': facts.remoteAddress,
      ...(facts.login !== undefined && { 'user.name': facts.login.address }),
    }),
  });
  span.end();
}

/** Say a last word, if any, and end the session; `reason` goes to the journal. The first end wins. */
export function end(session: Session, what: SmtpReply | undefined, reason: string): void {
  if (session.ended !== undefined) return;
  if (what !== undefined) reply(session, what);
  session.ended = reason;
}

/** From outside the loop: end the session with `what` at its next safe point, at once when it waits for the client. */
export function interrupt(session: Session, what: SmtpReply, reason: string): void {
  session.interruption ??= { reply: what, reason };
  session.input.interrupt();
}

/** Stages whose refusals are about the message on its way. */
const OF_TRANSACTION: ReadonlySet<RefusedAtServer['stage']> = new Set(['mail', 'rcpt', 'data']);

/** Note a refusal of our own in the journal. */
export function note(
  session: Session,
  stage: RefusedAtServer['stage'],
  what: SmtpReply,
  reason: string,
  subject?: string,
): void {
  const bounded = subject?.slice(0, 320);
  const transaction = OF_TRANSACTION.has(stage) ? session.transaction : undefined;
  session.options.service.refused(session.facts, {
    stage,
    reply: what,
    reason,
    ...(bounded !== undefined && { subject: bounded }),
    ...(transaction !== undefined && {
      from: transaction.from.slice(0, 320),
      to: transaction.to.slice(0, SESSION_LIMITS.notedRecipients).map((address) => address.slice(0, 320)),
    }),
  });
}

/** Refuse a command that the client should not have sent (so): journal, error count, reply, and 421 when it is too much. */
export function refuse(
  session: Session,
  stage: RefusedAtServer['stage'],
  what: SmtpReply,
  reason: string,
  subject?: string,
): void {
  note(session, stage, what, reason, subject);
  reply(session, what);
  countError(session);
}

export function countError(session: Session): void {
  session.errors++;
  if (session.errors >= session.options.limits.errorsPerSession) {
    endNoted(session, 'command', replies.tooManyErrors, `${session.errors} errors in the session`);
  }
}

/** A command that moves no mail. Thousands of them are no mail client. */
export function countIdle(session: Session): void {
  session.idleCommands++;
  if (session.idleCommands >= SESSION_LIMITS.idleCommands) {
    endNoted(session, 'command', replies.tooManyIdle, `${session.idleCommands} commands without a message`);
  }
}

/** End the session because of a limit, with an entry in the journal. */
export function endNoted(
  session: Session,
  stage: RefusedAtServer['stage'],
  what: SmtpReply,
  reason: string,
): void {
  if (session.ended !== undefined) return;
  note(session, stage, what, reason);
  end(session, what, reason);
}

/** The reply to whatever the mail flow threw: its own words, or 451 and an entry in the log when it is a bug. */
export function failureReply(session: Session, error: unknown): SmtpReply {
  if (error instanceof Refusal) return refusalReply(error);
  session.options.logger.error(
    {
      session: session.facts.id,
      error: errorText(error),
      stack: error instanceof Error ? error.stack : undefined,
    },
    'smtp: unexpected failure',
  );
  return smtpReply(451, '4.3.0', `Internal error, try again later (${session.facts.id})`);
}

/** Answer a command with what the mail flow threw. After a 421 the connection is closed (RFC 5321 section 3.8). */
export function replyFailure(session: Session, error: unknown): void {
  const what = failureReply(session, error);
  if (what.code === 421) end(session, what, what.lines[0] ?? 'ended by the mail flow');
  else reply(session, what);
}

/** RSET: forget the transaction and whatever has arrived of its message. Keeps greeting, TLS and login. */
export function resetTransaction(session: Session): void {
  session.incoming?.sink?.abort();
  session.transaction?.flow.abandon();
  clearTransaction(session);
}

/** The transaction is over: the flow has answered for it, or it was abandoned. */
export function clearTransaction(session: Session): void {
  session.incoming = undefined;
  session.transaction = undefined;
  session.bdatFailed = false;
  session.watch.endData();
  session.state = session.facts.helo === '' ? 'start' : 'ready';
}

/** Whether AUTH is on offer now. */
export function offersAuth(session: Session): boolean {
  const { protocol, authenticator, requireTlsForAuth, access } = session.options;
  if (protocol !== 'submission' || authenticator === undefined || session.facts.login !== undefined)
    return false;
  const underTls = session.facts.tls !== undefined;
  if (access === undefined) return underTls || requireTlsForAuth === false;
  return (underTls || !access.requireTls) && access.mechanisms(underTls).length > 0;
}

/** Whether STARTTLS is on offer now. */
export function offersTls(session: Session): boolean {
  return session.facts.tls === undefined && session.options.tls?.context() !== undefined;
}

/**
 * Wait `limitMs` for the client's next bytes. True: there are some. False: the session is over, or has been
 * interrupted (by the limit, with `why`): the caller returns to the loop, which says so.
 */
export async function awaitBytes(session: Session, limitMs: number, why: string): Promise<boolean> {
  const stalled = session.out.flush();
  if (stalled !== undefined) await stalled;
  session.watch.wait(limitMs, why);
  const filled = await session.input.fill();
  session.watch.rest();
  if (filled === 'end')
    end(session, undefined, session.connection.closeReason ?? 'client closed the connection');
  return filled === 'data';
}

/** `awaitBytes` for message data (RFC 5321 section 4.5.3.2.5). */
export function awaitData(session: Session): Promise<boolean> {
  const { dataTimeoutMs } = session.options.limits;
  return awaitBytes(session, dataTimeoutMs, `no message data for ${seconds(dataTimeoutMs)} s`);
}

/**
 * The next line of at most `max` octets; undefined when the session is over or has been interrupted. The limit is for
 * the whole line: an octet now and then does not make it longer.
 */
export async function awaitLine(session: Session, max: number, what: string): Promise<Line | undefined> {
  const { clock, limits } = session.options;
  let until: number | undefined;
  for (;;) {
    const line = session.lines.take(max);
    if (line !== undefined) return line;
    const now = clock.monotonic();
    until ??= now + limits.commandTimeoutMs;
    const why = `${what} for ${seconds(limits.commandTimeoutMs)} s`;
    if (!(await awaitBytes(session, until - now, why))) return undefined;
  }
}
