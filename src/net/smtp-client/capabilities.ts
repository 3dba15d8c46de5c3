import type { SmtpReply } from '../../base/errors.ts';

/** What a server said in its EHLO or LHLO reply. Keywords are upper case. */
export interface Capabilities {
  has(keyword: string): boolean;
  /** Octets of the largest message (RFC 1870); undefined when it names none or says 0. */
  readonly maxSize: number | undefined;
  /** SASL mechanisms, upper case. */
  readonly auth: readonly string[];
  /** RCPTMAX and MAILMAX of RFC 9422: recipients in a transaction, transactions in a session. */
  readonly recipientMax: number | undefined;
  readonly transactionMax: number | undefined;
  /** All keywords with their parameters, for the journal. */
  readonly keywords: ReadonlyMap<string, string>;
}

/** A server that knows only HELO. */
export const NO_CAPABILITIES: Capabilities = capabilitiesFrom(new Map());

/** Read an EHLO reply: its first line is the greeting, each other a keyword with parameters (RFC 5321 section 4.1.1.1). */
export function parseCapabilities(reply: SmtpReply): Capabilities {
  const keywords = new Map<string, string>();
  for (const line of reply.lines.slice(1)) {
    // "AUTH=PLAIN" is an old form that some servers still send beside the right one.
    const match = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:[ =]|$)/.exec(line);
    if (match?.[1] === undefined) continue;
    const keyword = match[1].toUpperCase();
    const parameters = line.slice(match[0].length).trim();
    const known = keywords.get(keyword);
    keywords.set(keyword, known === undefined ? parameters : `${known} ${parameters}`);
  }
  return capabilitiesFrom(keywords);
}

function capabilitiesFrom(keywords: ReadonlyMap<string, string>): Capabilities {
  const limits = keywords.get('LIMITS') ?? '';
  return {
    has: (keyword) => keywords.has(keyword),
    maxSize: positive(keywords.get('SIZE')),
    auth: [...new Set((keywords.get('AUTH') ?? '').toUpperCase().split(' ').filter(Boolean))],
    recipientMax: limitOf(limits, 'RCPTMAX'),
    transactionMax: limitOf(limits, 'MAILMAX'),
    keywords,
  };
}

function limitOf(text: string, name: string): number | undefined {
  const found = text.split(' ').find((part) => part.toUpperCase().startsWith(`${name}=`));
  return positive(found?.slice(name.length + 1));
}

function positive(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
}
