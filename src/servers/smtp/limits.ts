import type { Limits } from '../../base/limits.ts';

/** The limits of base/limits.ts that an SMTP, LMTP or submission session obeys. */
export type SmtpLimits = Pick<
  Limits,
  | 'messageBytes'
  | 'recipientsPerTransaction'
  | 'dataLineBytes'
  | 'commandLineBytes'
  | 'authLineBytes'
  | 'errorsPerSession'
  | 'unknownRecipientsPerSession'
  | 'commandTimeoutMs'
  | 'dataTimeoutMs'
  | 'dataTotalMs'
  | 'smtpSessionMs'
>;

/** Fixed limits of a session that no administrator needs to change. */
export const SESSION_LIMITS = {
  /** Octets of an over-long command line that are thrown away before the session is ended instead. */
  discardedLineBytes: 64 * 1024,
  /** Octets of replies held back for one write (RFC 2920 section 3.2) before they are sent anyway. */
  heldRepliesBytes: 16 * 1024,
  /** Commands that move no mail (NOOP, RSET, VRFY, HELP, EHLO, refused MAIL) between two accepted messages before 421. */
  idleCommands: 500,
  /** Recipients refused for whatever reason in a session before 421. */
  refusedRecipients: 1000,
  /** Failed logins in a session before 421. */
  loginFailures: 3,
  /** Octets of a HELO, EHLO or LHLO argument (RFC 5321 section 4.5.3.1.2: a domain has at most 255). */
  heloBytes: 255,
  /** Octets of a refused message that are swallowed to stay in step, as a multiple of the message size limit. */
  swallowFactor: 2,
  /** Octets allowed on top of that, so that a tiny message limit does not end sessions. */
  swallowSlack: 1024 * 1024,
  /** Accepted recipients of a transaction that the journal is told of when the message is refused. */
  notedRecipients: 50,
} as const;
