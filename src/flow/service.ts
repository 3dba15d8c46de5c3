import type { SmtpReply } from '../base/errors.ts';
import type { Span } from '../base/tracing.ts';
import type { TlsFacts } from '../net/tls.ts';

/**
 * What a line-protocol server (SMTP, LMTP, submission) asks of the mail flow. The server owns bytes, syntax, order and
 * limits; the flow owns meaning. Each method refuses by throwing a `Refusal` (base/errors.ts) whose SMTP reply goes
 * to the client as it is; anything else thrown is a bug and answered 451 4.3.0.
 */
export interface MailService {
  readonly protocol: 'smtp' | 'lmtp' | 'submission';
  /** It takes mail that is to leave later (RFC 4865). */
  readonly takesLater?: boolean;
  /** Decide about a new connection before the greeting: returns normally to accept. */
  connect(session: SessionFacts): Promise<Greeting | void>;
  /** HELO, EHLO or LHLO was taken: a moment to begin looking things up. Must not throw. */
  hello?(session: SessionFacts): void;
  /** MAIL: decide about the reverse-path ('' is the null one) and open a transaction. */
  mail(session: SessionFacts, path: string, params: MailParams): Promise<MailTransaction>;
  /** A session ended; `reason` in plain words ("client said QUIT", "no command for 300 s"). */
  end(session: SessionFacts, reason: string): void;
  /** Something worth a journal entry that the server itself refused (bad sequence, framing, limits, failed login). */
  refused(session: SessionFacts, what: RefusedAtServer): void;
}

/** How to greet. */
export interface Greeting {
  /** Milliseconds from the connection on to hold the greeting back; it comes at once when the client talks before it. */
  readonly pauseMs: number;
  /** What to say, instead of the greeting, to a client that talks before it; undefined: greet it all the same. */
  readonly earlyTalk: SmtpReply | undefined;
}

export interface MailTransaction {
  /** RCPT: resolve one recipient, or throw the refusal for it alone. A refusal with code 421 ends the session. */
  rcpt(address: string, params: RcptParams): Promise<void>;
  /** DATA or the first BDAT: where the message goes. Not called without an accepted recipient. */
  open(): Promise<MessageSink>;
  /** RSET, a new EHLO, a lost connection: forget it all. Never called after `finish`. Never throws. */
  abandon(): void;
}

/**
 * Takes the message as it arrives, dot-unstuffed, every line ended by CRLF (BDAT with BINARYMIME: any octets).
 * When `write` returns a promise, await it before the next call: back-pressure. Once it resolves nothing of the chunk is
 * kept: its memory is given back. Without a promise the sink may keep the chunk. `write` may throw a `Refusal` (too
 * large, header too long, disk full): the server then swallows the rest of the data and answers with it.
 */
export interface MessageSink {
  write(chunk: Buffer): void | Promise<void>;
  /** End of data. Resolves when everything is durable, with what to say. A rejected promise means 451 and nothing kept. */
  finish(): Promise<DataOutcome>;
  /** The data was cut off or refused: drop what was kept. Never throws. */
  abort(): void;
}

/** `reply` for SMTP and submission; `perRecipient`, in the order of accepted RCPTs, for LMTP (RFC 2033 4.2). */
export type DataOutcome = {
  readonly reply: SmtpReply;
  readonly perRecipient: readonly SmtpReply[];
  /** Id of what was kept of it (MailParams.record). */
  readonly recordId?: number | undefined;
};

/** What is known of a session; the server fills it in as it learns. Live object: read it at the time of the call. */
export interface SessionFacts {
  /** Trace id of the session (base/ids.ts timeId). */
  readonly id: string;
  readonly protocol: 'smtp' | 'lmtp' | 'submission';
  /** Canonical text of the client's address (IPv4-mapped addresses as IPv4); '' for a Unix socket. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Set: no client of ours; another host took it, which this names for people, and hands it on. */
  readonly via?: string | undefined;
  /** HELO, EHLO or LHLO argument, '' before it. */
  helo: string;
  /** Whether EHLO/LHLO (true) or HELO (false) was used. */
  extended: boolean;
  tls: TlsFacts | undefined;
  /** Set by a successful AUTH. */
  login: SessionLogin | undefined;
  /** The client sent something before our greeting (RFC 5321 section 4.3.1: it has to wait). Known after `connect`. */
  earlyTalk: boolean;
  /** The client sent commands behind HELO or EHLO before its reply, or behind others without PIPELINING (RFC 2920). */
  earlyPipelining: boolean;
  /** The command at work, where the session is traced. */
  span?: Span | undefined;
}

export interface SessionLogin {
  readonly accountId: number;
  /** Primary address of the account. */
  readonly address: string;
  readonly mechanism: string;
  /** Aborted when the account is suspended or its password changed: the server then says 421 and closes. */
  readonly revoked: AbortSignal;
}

/** Milliseconds that mail may be given to leave later (RFC 4865). */
export const RELEASE_MS: number = 90 * 24 * 3600 * 1000;

/** MAIL parameters (RFC 1870, 3461, 3030, 4865, 6152, 6531, 8689). */
export interface MailParams {
  /** SIZE=, octets, undefined when not declared. */
  readonly size: number | undefined;
  readonly body: '7BIT' | '8BITMIME' | 'BINARYMIME';
  readonly smtputf8: boolean;
  readonly requireTls: boolean;
  readonly ret: 'FULL' | 'HDRS' | undefined;
  /** Decoded from xtext. */
  readonly envid: string | undefined;
  /** AUTH= (RFC 4954 section 5), decoded; ignored by the flow except for the journal. */
  readonly auth: string | undefined;
  /** HOLDFOR= or HOLDUNTIL= (RFC 4865), milliseconds since the epoch: not to be delivered before. Submission only. */
  readonly releaseAt?: number | undefined;
  /**
   * Submission by JMAP: what the account keeps of it (JSON), in the commit that takes the message. `ifSeq`: the state that
   * what it keeps must be at; at another one the message is refused ('conflict').
   */
  readonly record?: { readonly data: string; readonly ifSeq?: number | undefined } | undefined;
}

/** RCPT parameters (RFC 3461). */
export interface RcptParams {
  /** NOTIFY=; empty means the default. */
  readonly notify: readonly ('NEVER' | 'SUCCESS' | 'FAILURE' | 'DELAY')[];
  /** ORCPT=, address type and decoded address. */
  readonly orcpt: { readonly type: string; readonly address: string } | undefined;
}

export interface RefusedAtServer {
  readonly stage: 'connect' | 'helo' | 'starttls' | 'auth' | 'mail' | 'rcpt' | 'data' | 'command';
  readonly reply: SmtpReply;
  /** Plain words for the journal: what the client did. Never a password. */
  readonly reason: string;
  /** What the client sent that matters (a user name, an address); bounded, never a secret. */
  readonly subject?: string;
  /** Reverse-path of the transaction that was open ('' the null one), and its accepted recipients; bounded. */
  readonly from?: string;
  readonly to?: readonly string[];
}

export type { Authenticator, LoginAccount, ScramKeys } from '../mail/sasl/types.ts';
