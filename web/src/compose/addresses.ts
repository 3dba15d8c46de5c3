import type { EmailAddress } from '../jmap/types.ts';

/** Addresses as people write and paste them (RFC 5322 section 3.4, with what programs make of it). */

export interface ParsedAddresses {
  readonly addresses: readonly EmailAddress[];
  /** Pieces that are no address, as they were written. */
  readonly rest: readonly string[];
}

/** Characters read of one paste: a list of ten thousand addresses fits. */
const MOST_CHARACTERS = 500_000;
/** Octets that SMTP has room for (RFC 5321 section 4.5.3.1). */
const MOST_LOCAL = 64;
const MOST_DOMAIN = 253;

/**
 * Read a list: commas, semicolons and line ends part addresses (not within quotes, comments or angle brackets); groups
 * ("Family: a@b, c@d;") become their members.
 */
export function parseAddresses(text: string): ParsedAddresses {
  const addresses: EmailAddress[] = [];
  const rest: string[] = [];
  for (const piece of pieces(text.slice(0, MOST_CHARACTERS))) {
    const found = parseAddress(piece);
    if (found !== undefined) addresses.push(found);
    else rest.push(...severalIn(piece, addresses));
  }
  return { addresses, rest };
}

/** "a@b c@d": addresses with nothing but space between them; else the piece itself, which is none. */
function severalIn(piece: string, into: EmailAddress[]): string[] {
  const words = piece.split(/\s+/);
  if (words.length < 2 || !words.every((word) => isAddress(word))) return [piece];
  for (const word of words) into.push({ name: null, email: word });
  return [];
}

function pieces(text: string): string[] {
  const found: string[] = [];
  let piece = '';
  let quoted = false;
  let angle = false;
  let comment = 0;
  const end = (): void => {
    const clean = piece.trim();
    if (clean !== '') found.push(clean);
    piece = '';
    angle = false;
    comment = 0;
  };
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] ?? '';
    if (quoted) {
      piece += letter;
      if (letter === '\\') piece += text[++at] ?? '';
      else if (letter === '"') quoted = false;
      else if (letter === '\n') {
        // A quote that never ends is a mark of inches, not a string.
        quoted = false;
        end();
      }
      continue;
    }
    if (letter === '"') quoted = true;
    else if (letter === '(') comment++;
    else if (letter === ')') comment = Math.max(0, comment - 1);
    else if (letter === '<') angle = true;
    else if (letter === '>') angle = false;
    const parts =
      letter === '\n' || letter === '\r' || ((letter === ',' || letter === ';') && comment === 0 && !angle);
    if (parts) end();
    else if (
      letter === ':' &&
      comment === 0 &&
      !angle &&
      !piece.includes('@') &&
      !/^mailto$/i.test(piece.trim())
    ) {
      // The name of a group; its members stand alone.
      piece = '';
    } else piece += letter;
  }
  end();
  return found;
}

/** One address with or without a name; undefined when it is none. */
export function parseAddress(text: string): EmailAddress | undefined {
  const clean = text.trim();
  const open = clean.lastIndexOf('<');
  if (open !== -1) {
    const email = clean
      .slice(open + 1)
      .replace(/>.*$/s, '')
      .trim()
      .replace(/^mailto:/i, '');
    if (!isAddress(email)) return undefined;
    return { name: nameOf(clean.slice(0, open)), email };
  }
  const bare = clean.replace(/^mailto:/i, '');
  // "address (Name)", the old way.
  const comment = bare.indexOf('(');
  if (comment > 0) {
    const email = bare.slice(0, comment).trim();
    if (isAddress(email)) return { name: nameOf(bare.slice(comment + 1).replace(/\)\s*$/, '')), email };
  }
  return isAddress(bare) ? { name: null, email: bare } : undefined;
}

function nameOf(text: string): string | null {
  let name = text.trim();
  if (
    name.length > 1 &&
    ((name.startsWith('"') && name.endsWith('"')) || (name.startsWith("'") && name.endsWith("'")))
  )
    name = name.slice(1, -1).replace(/\\(.)/gs, '$1').trim();
  return name === '' ? null : name;
}

/** An address that mail can be sent to: letters of any script (RFC 6531), a domain with a dot, a literal or "localhost". */
export function isAddress(text: string): boolean {
  const at = text.lastIndexOf('@');
  if (at < 1 || at === text.length - 1) return false;
  const local = text.slice(0, at);
  const domain = text.slice(at + 1);
  return isLocal(local) && isDomain(domain);
}

function isLocal(local: string): boolean {
  if (local.length > MOST_LOCAL) return false;
  if (/^"(?:[^"\\\r\n]|\\.)+"$/.test(local)) return true;
  return /^[^\s"(),:;<>@[\]\\.]+(?:\.[^\s"(),:;<>@[\]\\.]+)*$/u.test(local);
}

function isDomain(domain: string): boolean {
  if (domain.length > MOST_DOMAIN) return false;
  if (/^\[(?:IPv6:[\da-f:.]+|[\d.]+)\]$/i.test(domain)) return true;
  const labels = domain.split('.');
  if (labels.length < 2 && domain.toLowerCase() !== 'localhost') return false;
  return labels.every(
    (label) => label.length <= 63 && /^[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])?$/u.test(label),
  );
}

/** As it is written into an input: quoted where it must be. */
export function addressText({ name, email }: EmailAddress): string {
  if (name === null || name === '') return email;
  const safe = /^[\p{L}\p{N}\p{M} .'’-]+$/u.test(name) ? name : `"${name.replace(/["\\]/g, '\\$&')}"`;
  return `${safe} <${email}>`;
}

/** What tells whether two are the same: domains know no case, and in practice local parts do not either. */
export function addressKey(email: string): string {
  return email.trim().toLowerCase();
}

/** Each address once, the first of its kind, without those of `but`. */
export function distinct(
  addresses: readonly EmailAddress[],
  but: readonly EmailAddress[] = [],
): EmailAddress[] {
  const seen = new Set(but.map(({ email }) => addressKey(email)));
  return addresses.filter(({ email }) => {
    const key = addressKey(email);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

export interface MailtoWish {
  readonly to: readonly EmailAddress[];
  readonly cc: readonly EmailAddress[];
  readonly bcc: readonly EmailAddress[];
  readonly subject: string;
  readonly text: string;
}

/** A mailto: URL (RFC 6068). Fields other than these are not taken: a link may not decide more (section 4 and 7). */
export function parseMailto(url: string): MailtoWish | undefined {
  const [, path = '', query = ''] = /^mailto:([^?]*)(?:\?(.*))?$/is.exec(url.trim()) ?? [];
  if (!/^mailto:/i.test(url.trim())) return undefined;
  const wish = {
    to: listOf(path),
    cc: [] as EmailAddress[],
    bcc: [] as EmailAddress[],
    subject: '',
    text: '',
  };
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    if (equals === -1) continue;
    const value = decode(pair.slice(equals + 1));
    const name = decode(pair.slice(0, equals)).toLowerCase();
    if (name === 'to') wish.to.push(...parseAddresses(value).addresses);
    else if (name === 'cc') wish.cc.push(...parseAddresses(value).addresses);
    else if (name === 'bcc') wish.bcc.push(...parseAddresses(value).addresses);
    else if (name === 'subject') wish.subject = value.replace(/[\r\n]+/g, ' ');
    else if (name === 'body') wish.text = value.replace(/\r\n?/g, '\n');
  }
  return wish;
}

/** The commas that part addresses are written as they are, those within one are encoded. */
function listOf(path: string): EmailAddress[] {
  return path.split(',').flatMap((each) => parseAddresses(decode(each)).addresses);
}

/** "+" is a plus here (RFC 6068 section 5). */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
