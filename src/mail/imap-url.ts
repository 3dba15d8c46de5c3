/** IMAP URLs (RFC 5092) with the authorization of RFC 4467: read from text, pure and in one pass. */

/** Octets of a URL that are read. */
export const URL_BYTES = 4096;

/** Whom a URL lets in (RFC 4467 section 3): an entity that submits for a user, a user, anybody logged in, anybody. */
export type UrlAccess =
  | { readonly kind: 'submit' | 'user'; readonly user: string }
  | { readonly kind: 'authuser' | 'anonymous' };

export interface ImapUrl {
  /** Undefined in a relative URL. */
  readonly server:
    | { readonly user: string | undefined; readonly host: string; readonly port: number | undefined }
    | undefined;
  /** Undefined in a URL that is relative to the selected mailbox. Unicode. */
  readonly mailbox: string | undefined;
  readonly uidvalidity: number | undefined;
  readonly uid: number;
  /** As between the brackets of BODY[]; '' is the whole message. */
  readonly section: string;
  /** Octets; without a count all from `offset` on. */
  readonly partial: { readonly offset: number; readonly count: number | undefined } | undefined;
  readonly auth: UrlAuth | undefined;
}

export interface UrlAuth {
  /** Milliseconds since the epoch from which on it is void. */
  readonly expires: number | undefined;
  readonly access: UrlAccess;
  /** What the token vouches for: the URL up to its access identifier, as it was given. */
  readonly rump: string;
  /** Undefined in a URL that is still to be authorized. */
  readonly verifier: { readonly mechanism: string; readonly token: string } | undefined;
}

/** Octets that may stand in a URL (RFC 3986 section 2), "%" among them. */
const ALLOWED = /^[\w\-.~!$&'()*+,;=:@/%[\]?]*$/;

/** Percent-encoded UTF-8 undone; undefined where it is none, or would put NUL, CR or LF into a name. */
function decoded(text: string): string | undefined {
  try {
    const plain = decodeURIComponent(text);
    return /[\0\r\n]/.test(plain) ? undefined : plain;
  } catch {
    return undefined;
  }
}

/** nz-number or number of 32 bits. */
function number(text: string, least: number): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= least && value <= 0xffff_ffff ? value : undefined;
}

/** iserver: what stands between "imap://" and the next "/". */
function server(text: string): ImapUrl['server'] {
  const at = text.indexOf('@');
  const info = at === -1 ? undefined : text.slice(0, at);
  const address = text.slice(at + 1).toLowerCase();
  const match = /^(\[[0-9a-f:.]{2,60}\]|[a-z0-9.-]{1,255})(?::(\d{1,5}))?$/.exec(address);
  if (match === null) return undefined;
  const [, host = '', port] = match;
  let user: string | undefined;
  if (info !== undefined) {
    // enc-user and ";AUTH=" enc-auth-type; either may be left out, not both.
    const auth = info.search(/;auth=/i);
    const name = auth === -1 ? info : info.slice(0, auth);
    if (name === '' && auth === -1) return undefined;
    if (name.includes(';') || name.includes(':')) return undefined;
    user = name === '' ? undefined : decoded(name);
    if (name !== '' && user === undefined) return undefined;
  }
  return { user, host, port: port === undefined ? undefined : Number(port) };
}

/** ";EXPIRE=" date-time of RFC 3339. */
function expiry(text: string): number | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/i.exec(
    text,
  );
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  if (month === undefined || day === undefined || hour === undefined || minute === undefined)
    return undefined;
  const time = Date.UTC(year ?? 0, month - 1, day, hour, minute, second);
  const valid = month >= 1 && month <= 12 && new Date(time).getUTCDate() === day && hour < 24 && minute < 60;
  if (!valid) return undefined;
  const offset = (Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0)) * 60_000;
  return time + Number(`0.${match[7] ?? 0}`) * 1000 - (match[8] === '-' ? -offset : offset);
}

function accessOf(text: string): UrlAccess | undefined {
  const lower = text.toLowerCase();
  if (lower === 'authuser' || lower === 'anonymous') return { kind: lower };
  for (const kind of ['submit', 'user'] as const) {
    if (!lower.startsWith(`${kind}+`)) continue;
    const user = decoded(text.slice(kind.length + 1));
    return user === undefined || user === '' ? undefined : { kind, user };
  }
  return undefined;
}

/** From the first ";EXPIRE=" or ";URLAUTH=" on: `tail` is the end of `whole`. */
function authOf(whole: string, tail: string): UrlAuth | undefined {
  let rest = tail;
  let expires: number | undefined;
  if (/^;expire=/i.test(rest)) {
    const end = rest.indexOf(';', 1);
    if (end === -1) return undefined;
    expires = expiry(rest.slice(';expire='.length, end));
    if (expires === undefined) return undefined;
    rest = rest.slice(end);
  }
  if (!/^;urlauth=/i.test(rest)) return undefined;
  const [name = '', ...verifier] = rest.slice(';urlauth='.length).split(':', 4);
  const access = accessOf(name);
  if (access === undefined) return undefined;
  const rump = whole.slice(0, whole.length - rest.length + ';urlauth='.length + name.length);
  if (verifier.length === 0) return { expires, access, rump, verifier: undefined };
  const [mechanism = '', token = '', more] = verifier;
  // RFC 4467 section 8: enc-urlauth has at least 32 hexadecimal digits.
  if (more !== undefined || !/^[a-z0-9.-]{1,20}$/i.test(mechanism) || !/^[0-9a-f]{32,256}$/i.test(token))
    return undefined;
  return {
    expires,
    access,
    rump,
    verifier: { mechanism: mechanism.toUpperCase(), token: token.toLowerCase() },
  };
}

/** enc-mailbox [";UIDVALIDITY=" nz-number] */
function mailboxRef(text: string): { mailbox: string; uidvalidity: number | undefined } | undefined {
  const semicolon = text.search(/;uidvalidity=/i);
  const name = semicolon === -1 ? text : text.slice(0, semicolon);
  if (name === '' || name.includes(';') || name.includes('?')) return undefined;
  const mailbox = decoded(name);
  if (mailbox === undefined) return undefined;
  if (semicolon === -1) return { mailbox, uidvalidity: undefined };
  const uidvalidity = number(text.slice(semicolon + ';uidvalidity='.length), 1);
  return uidvalidity === undefined ? undefined : { mailbox, uidvalidity };
}

function partialOf(text: string): ImapUrl['partial'] {
  const [first = '', second, more] = text.split('.', 3);
  const offset = number(first, 0);
  if (offset === undefined || more !== undefined) return undefined;
  if (second === undefined) return { offset, count: undefined };
  const count = number(second, 1);
  return count === undefined ? undefined : { offset, count };
}

interface Where {
  uid: number;
  section: string;
  partial: ImapUrl['partial'];
}

/** ";UID=n" ["/;SECTION=s"] ["/;PARTIAL=r"] */
function messagePart(text: string): Where | undefined {
  const [first = '', ...rest] = text.split('/;');
  const uid = /^;uid=/i.test(first) ? number(first.slice(';uid='.length), 1) : undefined;
  if (uid === undefined || rest.length > 2) return undefined;
  const where: Where = { uid, section: '', partial: undefined };
  for (const [at, piece] of rest.entries()) {
    if (at === 0 && /^section=/i.test(piece)) {
      const section = decoded(piece.slice('section='.length));
      if (section === undefined || section === '') return undefined;
      where.section = section;
    } else if (/^partial=/i.test(piece) && where.partial === undefined) {
      where.partial = partialOf(piece.slice('partial='.length));
      if (where.partial === undefined) return undefined;
    } else return undefined;
  }
  return where;
}

/**
 * Read a URL that names a message or a part of one: absolute ("imap://host/INBOX/;UID=1"), by its path ("/INBOX/;UID=1")
 * or relative to the selected mailbox (";UID=1"). Undefined when it is none of these, or longer than `URL_BYTES`.
 */
export function parseImapUrl(text: string): ImapUrl | undefined {
  if (text.length > URL_BYTES || !ALLOWED.test(text)) return undefined;
  let from: ImapUrl['server'];
  let path = text;
  if (/^imap:\/\//i.test(text)) {
    const slash = text.indexOf('/', 7);
    if (slash === -1) return undefined;
    from = server(text.slice(7, slash));
    if (from === undefined) return undefined;
    path = text.slice(slash);
  }
  const authAt = path.search(/;(?:expire|urlauth)=/i);
  const auth = authAt === -1 ? undefined : authOf(text, path.slice(authAt));
  if (authAt !== -1 && (auth === undefined || from === undefined)) return undefined;
  if (authAt !== -1) path = path.slice(0, authAt);
  let named: ReturnType<typeof mailboxRef>;
  if (path.startsWith('/') && !path.startsWith('//')) {
    const uidAt = path.search(/\/;uid=/i);
    named = uidAt < 1 ? undefined : mailboxRef(path.slice(1, uidAt));
    if (named === undefined) return undefined;
    path = path.slice(uidAt + 1);
  } else if (from !== undefined) return undefined;
  const where = messagePart(path);
  if (where === undefined) return undefined;
  return { server: from, mailbox: named?.mailbox, uidvalidity: named?.uidvalidity, ...where, auth };
}
