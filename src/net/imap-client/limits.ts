/** Limits of our IMAP client towards servers we do not control. */
export const IMAP_CLIENT_LIMITS = {
  /** Octets of one response without its literals: a FLAGS list or an ENVELOPE fits many times. */
  lineBytes: 1024 * 1024,
  /** Octets of literals that are kept in memory (mailbox names, header fields); bodies are streamed. */
  literalBytes: 1024 * 1024,
  /** Octets of a literal that is streamed. */
  bodyBytes: 512 * 1024 * 1024,
  /** Literals of one response. */
  literals: 1000,
  /** Depth of parentheses. */
  depth: 50,
  /** Milliseconds to connect, for the greeting and for each answer of a command that moves no mail. */
  connectMs: 30_000,
  greetingMs: 60_000,
  /** Milliseconds of silence while a command runs: servers search and sort for a long time. */
  silenceMs: 5 * 60_000,
} as const;
