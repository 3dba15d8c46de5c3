import type { Limits } from '../../base/limits.ts';

/** The limits of base/limits.ts that an IMAP session obeys. */
export type ImapLimits = Pick<
  Limits,
  | 'messageBytes'
  | 'imapPreauthTimeoutMs'
  | 'imapTimeoutMs'
  | 'imapLineBytes'
  | 'imapPreauthBytes'
  | 'imapDepth'
  | 'imapMessages'
  | 'errorsPerSession'
>;

/** Fixed limits of a session that no administrator needs to change. */
export const SESSION_LIMITS = {
  /** Octets of all literals of one command together, APPEND's message apart. */
  literalBytes: 64 * 1024,
  /** Octets of a non-synchronizing literal before login (RFC 7888 section 5, LITERAL-). */
  preauthLiteralBytes: 4096,
  /** Messages of one APPEND (RFC 3502), and octets of them that stand in memory until all have come. */
  appendedMessages: 1000,
  appendedBytes: 64 * 1024 * 1024,
  /** Parts of a message that is put together by CATENATE (RFC 4469). */
  catenatedParts: 1000,
  /** URLs of one GENURLAUTH or URLFETCH (RFC 4467). */
  urls: 1000,
  /** Octets that decompression may make beside a whole message, and beyond that of each octet received (RFC 4978): deflate can reach 1,032. */
  inflatedBytes: 16 * 1024 * 1024,
  inflatedPerOctet: 100,
  /** Octets of a refused message that are swallowed to stay in step, as a multiple of the message size limit. */
  swallowFactor: 2,
  /** Octets of an over-long command line that are thrown away before the session is ended instead. */
  discardedLineBytes: 256 * 1024,
  /** Milliseconds until a login, however busy the client is: a byte now and then must not hold a session. */
  preauthTotalMs: 5 * 60 * 1000,
  /** Milliseconds of pipelined commands in a row before other sessions get a turn. */
  turnMs: 5,
  /** Failed logins in a session before BYE. */
  loginFailures: 3,
  /** Octets of the name that LOGIN or ID give, as far as they are kept. */
  subjectBytes: 256,
  /** Milliseconds between signs of life to a client in IDLE: NAT forgets a silent connection after 5 minutes. */
  idleKeepaliveMs: 4 * 60 * 1000,
  /** Rows read at once where only flags and numbers are asked for, and where envelopes or bodies are. */
  rowsPerPage: 250,
  contentRowsPerPage: 32,
  /** Messages changed by one write of STORE: a STORE of 1:* must not keep other writers waiting. */
  messagesPerWrite: 2000,
  /** Octets of a message part that is decoded in memory for BINARY; larger ones are decoded twice, to count and to send. */
  binaryInMemoryBytes: 256 * 1024,
  /** Octets of a header section that are looked at by SEARCH and HEADER.FIELDS. */
  headerBytes: 1024 * 1024,
  /** Distinct keywords announced by FLAGS. */
  announcedKeywords: 200,
  /** Octets of replies held back for one write before they are sent anyway. */
  heldBytes: 32 * 1024,
  /** Octets of a LIST pattern with its reference from its first wildcard on, and in all: a name has up to 1,000. */
  wildcardBytes: 300,
  patternBytes: 1300,
  /** Patterns of one LIST. */
  patterns: 10,
  /** Steps (see turns.ts; some 5 ns each) that a session does between turns of the others: half a millisecond. */
  stepsPerTurn: 100_000,
  /** Named searches (RFC 5466) of one search, those that they name included; their octets count as literals. */
  filters: 50,
  /** Criteria of one SORT. */
  sortKeys: 20,
  /** Searches that a session keeps up to date (RFC 5267), and the messages that they may have found, all together. */
  contexts: 8,
  contextMessages: 200_000,
  /** Mailboxes of one ESEARCH (RFC 7377). */
  searchedMailboxes: 1000,
  /** Milliseconds between signs that a long command goes on (RFC 9585). */
  progressMs: 10_000,
  /** Octets of one FETCH response that are held back in case something of it cannot be read. */
  responseBytes: 1024 * 1024,
} as const;
