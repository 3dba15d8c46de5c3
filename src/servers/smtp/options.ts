import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Tracer } from '../../base/tracing.ts';
import type { LoginGuard } from '../../data/bans/guard.ts';
import type { Authenticator, MailService } from '../../flow/service.ts';
import type { TlsSource } from '../../net/tls.ts';
import type { SmtpDialect, SubmissionAccess } from './dialect.ts';
import type { SmtpLimits } from './limits.ts';

export type SmtpProtocol = 'smtp' | 'lmtp' | 'submission';

/** What one listener's sessions have in common. */
export interface SmtpOptions {
  readonly protocol: SmtpProtocol;
  readonly service: MailService;
  /** Our name in the greeting and the EHLO reply. */
  readonly hostname: string;
  readonly limits: SmtpLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Certificates for STARTTLS; without one (or while it has no context) STARTTLS is not offered. */
  readonly tls?: TlsSource | undefined;
  /** Checks logins; needed for, and used by, submission only. */
  readonly authenticator?: Authenticator | undefined;
  /** Whose clients may not come in at present. For submission only: other hosts' mail has to flow whoever guesses. */
  readonly guard?: Pick<LoginGuard, 'banned'> | undefined;
  /** Offer and take AUTH under TLS only. False is for a try-out's measuring tools. Default true. */
  readonly requireTlsForAuth?: boolean | undefined;
  /** Messages a session may send before 421, told as MAILMAX (RFC 9422). No limit unless told otherwise. */
  readonly messagesPerSession?: number | undefined;
  /** Who may send, for submission; undefined: whoever has logged in, as `requireTlsForAuth` says. */
  readonly access?: SubmissionAccess | undefined;
  /** Words of another server; undefined: ours. */
  readonly dialect?: SmtpDialect | undefined;
  readonly hooks?: SmtpHooks | undefined;
  readonly tracer?: Tracer | undefined;
}

/** Told as things happen, for metrics; must be fast and must not throw. */
export interface SmtpHooks {
  sessionStarted?(): void;
  sessionEnded?(durationMs: number): void;
  /** A command was answered (of DATA its first answer); 'unknown' for what is none. */
  command?(name: string, durationMs: number): void;
  /** A reply was written. */
  replied?(code: number): void;
  /** All of a message's data was answered; `code` is the (first) answer, `octets` what was received of it. */
  message?(code: number, octets: number, durationMs: number): void;
  login?(mechanism: string, succeeded: boolean): void;
  tlsStarted?(version: string): void;
}
