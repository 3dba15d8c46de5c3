import { isAscii, normalizeDomain } from './domain.ts';
import { parseAddressLiteral } from './literal.ts';
import { isAtext, isDotString, isPrintableUtf8, LOCAL_PART_OCTETS, quoteLocalPart } from './local-part.ts';

/** Octets of a path with its angle brackets (RFC 5321 4.5.3.1.3). */
export const PATH_OCTETS = 256;

/** A mailbox of the envelope. */
export interface EnvelopeAddress {
  /** What the local part means: quotes and backslashes removed, letters as they came. May contain anything printable. */
  readonly localPart: string;
  /** A-labels in lower case, or an address literal with brackets in canonical spelling. */
  readonly domain: string;
}

export interface Mailbox extends EnvelopeAddress {
  readonly kind: 'mailbox';
  /** The IP address when the domain is an address literal. */
  readonly ip: string | undefined;
  /** Whether the address cannot be written in ASCII: its local part is not (a domain always can). */
  readonly needsUtf8: boolean;
}

/** Null: `<>`, the reverse-path of a notification. Postmaster: `<Postmaster>` without a domain (RFC 5321 4.1.1.3). */
export type Path = Mailbox | { readonly kind: 'null' } | { readonly kind: 'postmaster' };

export interface PathError {
  readonly kind: 'error';
  /** Why: wrong syntax (5.1.3 or 5.1.7), over a length limit (same), or valid but only under SMTPUTF8 (5.6.7). */
  readonly problem: 'syntax' | 'too-long' | 'needs-smtputf8';
  /** One clause for a person, without a full stop. */
  readonly reason: string;
}

export interface PathOptions {
  /** Whether the transaction has SMTPUTF8 (RFC 6531 3.3). */
  readonly smtputf8: boolean;
  /** Octets allowed in the local part; 64 unless told otherwise. Some senders' bounce addresses are longer. */
  readonly maxLocalPartOctets?: number;
}

/**
 * Parse what stands between `<` and `>` in MAIL FROM or RCPT TO (RFC 5321 4.1.2, RFC 6531 3.3), decoded from UTF-8
 * (octets that were not UTF-8 arrive as U+FFFD and are refused). A source route is checked and dropped
 * (RFC 5321 appendix C). '' is the null path; the caller decides where that and Postmaster are allowed.
 */
export function parsePath(text: string, options: PathOptions): Path | PathError {
  if (text === '') return { kind: 'null' };
  if (text.length > PATH_OCTETS || Buffer.byteLength(text) + 2 > PATH_OCTETS) {
    return tooLong(`the address is longer than ${PATH_OCTETS - 2} octets`);
  }
  if (text.toLowerCase() === 'postmaster') return { kind: 'postmaster' };
  const start = text.startsWith('@') ? skipRoute(text) : 0;
  if (start === undefined) return syntax('the source route is malformed');
  return parseMailbox(text.slice(start), options);
}

/** Parse `local-part@domain` as it stands in a path. Anything before or after it is an error. */
export function parseMailbox(text: string, options: PathOptions): Mailbox | PathError {
  const local = text.startsWith('"') ? quotedLocalPart(text) : plainLocalPart(text);
  if ('kind' in local) return local;
  const localOctets = options.maxLocalPartOctets ?? LOCAL_PART_OCTETS;
  if (Buffer.byteLength(text.slice(0, local.end)) > localOctets) {
    return tooLong(`the part before the @ is longer than ${localOctets} octets`);
  }
  const written = text.slice(local.end + 1);
  if (!options.smtputf8 && !isAscii(text)) {
    return {
      kind: 'error',
      problem: 'needs-smtputf8',
      reason: 'the address has characters beyond ASCII, which needs the SMTPUTF8 parameter',
    };
  }
  const domain = parseDomain(written);
  if ('kind' in domain) return domain;
  return { kind: 'mailbox', localPart: local.value, ...domain, needsUtf8: !isAscii(local.value) };
}

/** Write an address as it stands between < and >, or in a header: the local part quoted only when it has to be. */
export function formatAddress(address: EnvelopeAddress): string {
  return `${quoteLocalPart(address.localPart)}@${address.domain}`;
}

/**
 * Split the argument of MAIL FROM: or RCPT TO: into what stands between its angle brackets and what follows, at the
 * right `>`: a quoted local part may contain one. The path is not checked further, because whether SMTPUTF8 applies
 * stands in the rest. `rest` is '' or begins with a space.
 */
export function parsePathAndRest(input: string): { path: string; rest: string } | { error: string } {
  if (!input.startsWith('<')) return { error: 'the address must stand between < and >' };
  let quoted = false;
  for (let i = 1; i < input.length; i++) {
    const char = input[i];
    if (char === '"') quoted = !quoted;
    else if (quoted && char === '\\') i++;
    else if (!quoted && char === '<') break;
    else if (!quoted && char === '>') {
      const rest = input.slice(i + 1);
      if (rest !== '' && !rest.startsWith(' ')) return { error: 'something follows the > without a space' };
      return { path: input.slice(1, i), rest };
    }
  }
  return { error: quoted ? 'a quotation mark is not closed' : 'the > that ends the address is missing' };
}

type Parsed = { value: string; end: number };

/** Returns the unquoted local part and the index of the @ after it. */
function plainLocalPart(text: string): Parsed | PathError {
  const end = text.lastIndexOf('@');
  if (end < 0) return syntax('the address has no @');
  const value = text.slice(0, end);
  if (value === '') return syntax('nothing stands before the @');
  if (isDotString(value)) return { value, end };
  const odd = [...value].find((char) => char !== '.' && !isAtext(char));
  if (odd === undefined) return syntax('the part before the @ has a dot too many');
  return syntax(
    /^[!-~]$/.test(odd)
      ? `the part before the @ has a ${odd} outside quotation marks`
      : 'the part before the @ has a space or a control or otherwise forbidden character',
  );
}

/** Quoted-string of RFC 5321 4.1.2: qtextSMTP is printable ASCII and spaces, no control can be quoted. */
function quotedLocalPart(text: string): Parsed | PathError {
  let value = '';
  for (let i = 1; i < text.length; i++) {
    let char = text[i] ?? '';
    if (char === '"') {
      if (text[i + 1] !== '@') return syntax('no @ follows the quoted part of the address');
      if (value === '') return syntax('nothing stands between the quotation marks');
      return isQuotable(value) ? { value, end: i + 1 } : syntax('the quoted part has a forbidden character');
    }
    if (char === '\\') {
      char = text[++i] ?? '';
      if (!/^[ -~]$/.test(char))
        return syntax('the quoted part has a backslash before a forbidden character');
    }
    value += char;
  }
  return syntax('a quotation mark is not closed');
}

function isQuotable(value: string): boolean {
  for (const char of value) if (isAscii(char) ? !/^[ -~]$/.test(char) : !isPrintableUtf8(char)) return false;
  return true;
}

function parseDomain(written: string): { domain: string; ip: string | undefined } | PathError {
  if (written === '') return syntax('nothing stands after the @');
  if (written.startsWith('[')) {
    const literal = parseAddressLiteral(written);
    if (!literal) return syntax('the address literal in brackets is not an IPv4 or IPv6: address');
    return { domain: literal.literal, ip: literal.ip };
  }
  const domain = normalizeDomain(written);
  if (domain === undefined) return syntax('the domain after the @ is not a valid domain name');
  return { domain, ip: undefined };
}

/** A-d-l ":" (RFC 5321 4.1.2): "@a,@b:". Returns where the mailbox begins. */
function skipRoute(text: string): number | undefined {
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  for (const hop of text.slice(0, colon).split(',')) {
    if (!hop.startsWith('@') || normalizeDomain(hop.slice(1)) === undefined) return undefined;
  }
  return colon + 1;
}

function syntax(reason: string): PathError {
  return { kind: 'error', problem: 'syntax', reason };
}

function tooLong(reason: string): PathError {
  return { kind: 'error', problem: 'too-long', reason };
}
