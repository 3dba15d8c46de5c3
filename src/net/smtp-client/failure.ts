import type { SmtpReply } from '../../base/errors.ts';

/**
 * How far a session had come. `after-data` is the one that matters: the end of the data was handed to the network and
 * its reply never came, so the peer may or may not have the message (RFC 1047, RFC 5321 section 6.1). In every earlier
 * phase it does not.
 */
export type Phase =
  | 'connect'
  | 'tls'
  | 'greeting'
  | 'ehlo'
  | 'auth'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'after-data'
  | 'rset'
  | 'quit';

/** Why a session could not begin or go on. */
export interface ClientFailure {
  readonly phase: Phase;
  readonly kind: 'unreachable' | 'timeout' | 'lost' | 'protocol' | 'tls' | 'refused' | 'aborted';
  /** One sentence for the journal and the bounce. */
  readonly reason: string;
  /** What the peer said, when words of its were the cause (a 554 greeting, a 421 in between). */
  readonly reply?: SmtpReply;
  /** What was wrong with TLS: there is none, no common ground, or a certificate that is not what it must be. */
  readonly tls?: TlsTrouble;
}

export type TlsTrouble = 'not-offered' | 'handshake' | 'certificate';

/** Carries a failure up to the public functions of this folder, which turn it into an outcome. Never leaves it. */
export class SessionBroken extends Error {
  override readonly name = 'SessionBroken';
  readonly failure: ClientFailure;

  constructor(failure: ClientFailure) {
    super(failure.reason);
    this.failure = failure;
  }
}

export function broken(
  phase: Phase,
  kind: ClientFailure['kind'],
  reason: string,
  reply?: SmtpReply,
  tls?: TlsTrouble,
): SessionBroken {
  return new SessionBroken({ phase, kind, reason, ...(reply && { reply }), ...(tls && { tls }) });
}

/** The failure in `error`; anything else is a bug and goes on. */
export function failureOf(error: unknown): ClientFailure {
  if (error instanceof SessionBroken) return error.failure;
  throw error;
}
