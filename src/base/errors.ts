/**
 * Two kinds of error exist. A `Refusal` is expected: it carries the words each protocol uses to say it, and one place
 * per protocol renders it. Anything else that is thrown is a bug: logged with an id, answered with a temporary
 * failure, and it never takes another session down.
 */

/** An SMTP reply (RFC 5321 section 4.2) with its enhanced status code (RFC 3463). */
export interface SmtpReply {
  /** Three-digit reply code, e.g. 550. */
  readonly code: number;
  /** Enhanced status code, e.g. "5.1.1"; absent for greetings, EHLO, 354 and 3xx. */
  readonly enhanced?: string;
  /** Text of the reply; each element is a line. No CR or LF inside. */
  readonly lines: readonly string[];
}

export type RefusalKind =
  | 'no-such-account'
  | 'no-such-mailbox'
  | 'no-such-message'
  | 'already-exists'
  | 'over-quota'
  | 'too-large'
  | 'limit'
  | 'not-permitted'
  | 'authentication-failed'
  | 'suspended'
  | 'bad-input'
  | 'conflict'
  | 'storage-full'
  | 'unavailable'
  | 'not-found';

/** An expected failure. `message` is one sentence for a person: what is wrong and, where possible, the remedy. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly kind: RefusalKind;
  /** The SMTP reply to give, where SMTP can meet this failure and the kind's default does not fit. */
  readonly smtp: SmtpReply | undefined;
  /** IMAP response code (RFC 5530 and others), e.g. "ALREADYEXISTS", without brackets. */
  readonly imapCode: string | undefined;

  constructor(kind: RefusalKind, message: string, more: { smtp?: SmtpReply; imapCode?: string } = {}) {
    super(message);
    this.kind = kind;
    this.smtp = more.smtp;
    this.imapCode = more.imapCode;
  }
}

/** Build an SMTP reply of one line. */
export function smtpReply(code: number, enhanced: string, text: string): SmtpReply {
  return { code, enhanced, lines: [text] };
}

/** A Refusal in a form that crosses a thread or a socket. */
export interface RefusalData {
  readonly kind: RefusalKind;
  readonly message: string;
  readonly smtp?: SmtpReply | undefined;
  readonly imapCode?: string | undefined;
}

export function refusalToData(refusal: Refusal): RefusalData {
  return { kind: refusal.kind, message: refusal.message, smtp: refusal.smtp, imapCode: refusal.imapCode };
}

export function refusalFromData(data: RefusalData): Refusal {
  return new Refusal(data.kind, data.message, {
    ...(data.smtp && { smtp: data.smtp }),
    ...(data.imapCode !== undefined && { imapCode: data.imapCode }),
  });
}

/** The message of anything that was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The errno name ("ENOSPC", "EACCES") of a system error, or undefined. */
export function errnoCode(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return undefined;
}
