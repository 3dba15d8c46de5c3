import type { SmtpReply } from '../../base/errors.ts';

/** How a server that takes the place of another one talks, where clients and scripts may depend on it. */
export interface SmtpDialect {
  /** What follows the 220 of the greeting. */
  readonly greeting: string;
  /** The first line of the answer to EHLO, and the line of that to HELO. */
  hello(client: string): string;
  /** Keywords of the EHLO reply in their order; what is not named is not offered. */
  readonly extensions: readonly string[];
  /** What is said instead of replies of ours. */
  readonly words: ReadonlyMap<SmtpReply, SmtpReply>;
}

/** Who may send through a submission listener, where it is not "whoever has logged in under TLS" (RFC 6409 4.3). */
export interface SubmissionAccess {
  /** Nothing but EHLO and STARTTLS before TLS. */
  readonly requireTls: boolean;
  /** No MAIL before a login. */
  readonly requireLogin: boolean;
  /** SASL mechanisms offered with or without TLS, in this order; none: no AUTH. */
  mechanisms(underTls: boolean): readonly string[];
}

/** The lines of an EHLO reply that a dialect has, in its order. */
export function inDialect(dialect: SmtpDialect | undefined, lines: readonly string[]): readonly string[] {
  if (dialect === undefined) return lines;
  const byKeyword = new Map(lines.map((line) => [line.split(' ', 1)[0] ?? '', line]));
  return dialect.extensions.flatMap((keyword) => byKeyword.get(keyword) ?? []);
}
