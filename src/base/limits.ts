/**
 * Every limit of the program, with its unit and where it comes from. Values that an administrator may change are the
 * defaults of the configuration; the rest are fixed. docs/reference/limits.md is generated from this file.
 */

const KiB = 1024;
const MiB = 1024 * KiB;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const limits = {
  /** Octets of a message. 50 MiB: what large providers accept (Gmail 50 MB inbound). */
  messageBytes: 50 * MiB,
  /** Recipients in one transaction. RFC 5321 4.5.3.1.8 asks for at least 100. */
  recipientsPerTransaction: 100,
  /** Concurrent sessions of one address at one listener. Large senders open up to 20 at once. */
  sessionsPerAddress: 20,
  /** Concurrent sessions of all addresses at one listener; beyond it 421. Bounded by file descriptors (1,024 by default). */
  sessionsTotal: 900,
  /** Recipients an account may send to in an hour. A person rarely needs more; a stolen password does. */
  recipientsPerHour: 500,
  /** Messages an account may send in an hour. */
  messagesPerHour: 300,
  /** Octets of a line in message data, CRLF included. RFC 5321 4.5.3.1.6 asks for 1,000; real mail has longer ones. */
  dataLineBytes: 8192,
  /** Octets of an SMTP command line, CRLF included. RFC 5321 says 512, extensions add to it; AUTH (RFC 4954) needs 12,288. */
  commandLineBytes: 2048,
  authLineBytes: 12_288,
  /** Octets of a message's header section. */
  headerBytes: 256 * KiB,
  /** MIME parts of a message that are told apart; the rest counts as one opaque part. */
  mimeParts: 1000,
  /** Nesting of multiparts and message/rfc822 that is followed. */
  mimeDepth: 50,
  /** Received fields beyond which a message loops. RFC 5321 6.3 asks for at least 100. */
  receivedFields: 100,
  /** Bad commands in a session before 421. */
  errorsPerSession: 10,
  /** Unknown recipients in a session before 421. */
  unknownRecipientsPerSession: 20,
  /** Milliseconds to wait for a command (RFC 5321 4.5.3.2.7: at least 5 minutes). */
  commandTimeoutMs: 5 * MINUTE,
  /** Milliseconds to wait for the next piece of data (RFC 5321 4.5.3.2.5: 3 minutes). */
  dataTimeoutMs: 3 * MINUTE,
  /** Milliseconds for all of a message's data: a byte a second must not hold a session for days. */
  dataTotalMs: 30 * MINUTE,
  /** Milliseconds for a TLS handshake. */
  tlsHandshakeMs: 30 * SECOND,
  /** Milliseconds a session may last in all. */
  smtpSessionMs: 2 * HOUR,
  /** Milliseconds an IMAP client may be silent before and after login (RFC 9051 5.4: at least 30 minutes after). */
  imapPreauthTimeoutMs: MINUTE,
  imapTimeoutMs: 31 * MINUTE,
  /** Octets of an IMAP command line without its literals, after and before login. */
  imapLineBytes: 64 * KiB,
  imapPreauthBytes: 8 * KiB,
  /** Milliseconds for SPF, DKIM, DMARC and ARC of one message together; what is unfinished then is a temporary error. RFC 7208 4.6.4 asks for at least 20 seconds. */
  authenticationMs: 20 * SECOND,
  /** Parenthesis depth and tokens of an IMAP command. */
  imapDepth: 50,
  imapTokens: 100_000,
  /** Messages that one IMAP command works on (RFC 9738). Clients that do not know of it take what is left out for gone: it is beyond what they can show. */
  imapMessages: 1_000_000,
  /** Bodies up to this size stand in the database or a segment, larger ones in files of their own. */
  inlineBodyBytes: 256 * KiB,
  /** Milliseconds an expunged message can be brought back. */
  undeleteMs: 30 * DAY,
  /** Milliseconds until the sender is told of a delay, and until the queue gives up (RFC 5321 4.5.4.1: 4-5 days). */
  queueWarnMs: 4 * HOUR,
  queueExpireMs: 5 * DAY,
  /** Journal retention: milliseconds and octets. */
  journalMs: 30 * DAY,
  journalBytes: 1024 * MiB,
  /** Milliseconds a verified login is remembered. */
  loginMemoryMs: 5 * MINUTE,
  /** Milliseconds a question about a sender (DNS lists, reverse name, domains) may hold its mail up. */
  senderQuestionMs: 5 * SECOND,
  /** Questions to domain lists for one message, all its domains and all lists together. */
  domainQuestions: 40,
  /** Storage an account gets unless told otherwise; 0 means unlimited. */
  quotaBytes: 0,
} as const;

export type Limits = { [K in keyof typeof limits]: number };
