import { randomBytes } from 'node:crypto';
import { Refusal } from '../../../base/errors.ts';
import { Right } from '../../../data/sharing/rights.ts';
import { parseImapUrl } from '../../../mail/imap-url.ts';
import { renderBody } from '../../../mail/message/imap-text.ts';
import { findPart } from '../../../mail/message/section.ts';
import { needMailbox } from '../access.ts';
import { binaryItem, checkEncoding, sectionItem } from '../fetch-response.ts';
import { SESSION_LIMITS } from '../limits.ts';
import { refuse } from '../replies.ts';
import { flushIfFull, loginOf, type Session, SessionEnd } from '../session.ts';
import { findUrl, isOurs, urlMailbox, urlOwner, type UrlTarget } from '../url-content.ts';
import { URL_KEY_BYTES, URL_MECHANISM, urlToken } from '../url-token.ts';
import type { Decoder } from '../wire/decoder.ts';
import { string } from '../wire/encoder.ts';
import { type Command, LOGGED_IN } from './command.ts';

/** A URL as a client writes it. */
function urlText(d: Decoder): string {
  return d.astring('a URL').toString('latin1');
}

function tooMany(): Refusal {
  return refuse('limit', 'LIMIT', `At most ${SESSION_LIMITS.urls} URLs at once`);
}

/** GENURLAUTH (RFC 4467 section 7): URLs that let others in. */
export const genUrlAuth: Command = {
  name: 'GENURLAUTH',
  states: LOGGED_IN,
  capabilities: ['URLAUTH', 'URLAUTH=BINARY', 'URL-PARTIAL'],
  async run(session, d) {
    const asked: string[] = [];
    do {
      d.sp();
      const url = urlText(d);
      d.sp();
      const mechanism = d.keyword('a mechanism');
      if (mechanism !== URL_MECHANISM)
        throw refuse('bad-input', `URLMECH ${URL_MECHANISM}`, 'This mechanism is not known here');
      // Neither authorized yet nor with anything behind the access identifier.
      if (parseImapUrl(url)?.auth?.rump !== url)
        d.fail('before this an IMAP URL that ends in ;URLAUTH= and an access identifier');
      if (asked.length === SESSION_LIMITS.urls) throw tooMany();
      asked.push(url);
    } while (!d.atEnd);
    d.end();
    const made: string[] = [];
    for (const url of asked) made.push(await authorize(session, url));
    session.out.line(`* GENURLAUTH ${made.map((url) => string(url)).join(' ')}`);
    return undefined;
  },
};

/** The URL with its token. */
async function authorize(session: Session, text: string): Promise<string> {
  const { accountId } = loginOf(session);
  const url = parseImapUrl(text);
  const user = url?.server?.user;
  // RFC 4467 section 7: only of one's own.
  const own = url !== undefined && isOurs(session, url) && user !== undefined;
  if (!own || (await urlOwner(session, user)) !== accountId)
    throw refuse('not-permitted', 'NOPERM', 'The URL must be of this server and of your account');
  const mailbox = await urlMailbox(session, url, accountId);
  if (mailbox === undefined)
    throw refuse('no-such-mailbox', 'NONEXISTENT', 'There is no mailbox of that name');
  const { secret } = await session.options.store.write.run('mailstore.needUrlKey', {
    mailboxId: mailbox.mailboxId,
    accountId,
    secret: randomBytes(URL_KEY_BYTES),
  });
  return `${text}:${URL_MECHANISM.toLowerCase()}:${urlToken(secret, text)}`;
}

/** RESETKEY (RFC 4467 section 7): what was let in by a mailbox's key, or by all of an account's, is out again. */
export const resetKey: Command = {
  name: 'RESETKEY',
  states: LOGGED_IN,
  async run(session, d) {
    const { accountId } = loginOf(session);
    const { write } = session.options.store;
    if (d.atEnd) {
      await write.run('mailstore.resetUrlKeys', { accountId });
      return undefined;
    }
    d.sp();
    const name = d.mailbox();
    while (!d.atEnd) {
      d.sp();
      if (d.keyword('a mechanism') !== URL_MECHANISM)
        throw refuse('bad-input', `URLMECH ${URL_MECHANISM}`, 'This mechanism is not known here');
    }
    d.end();
    const { mailbox } = await needMailbox(session, name, Right.Read);
    await write.run('mailstore.resetUrlKeys', { accountId, mailboxId: mailbox.id });
    return { code: `URLMECH ${URL_MECHANISM}`, text: 'URLs of this mailbox are void' };
  },
};

type Wanted = 'BODY' | 'BINARY' | 'BODYPARTSTRUCTURE';

interface Asked {
  readonly url: string;
  /** Of the extended form (RFC 5524). */
  readonly wanted: ReadonlySet<Wanted> | undefined;
}

function urlFetchArgument(d: Decoder): Asked {
  if (!d.skip('(')) return { url: urlText(d), wanted: undefined };
  const url = urlText(d);
  const wanted = new Set<Wanted>();
  while (d.skip(' ')) {
    const name = d.keyword('BODY, BINARY or BODYPARTSTRUCTURE');
    if (name !== 'BODY' && name !== 'BINARY' && name !== 'BODYPARTSTRUCTURE')
      d.fail('BODY, BINARY or BODYPARTSTRUCTURE before this');
    wanted.add(name);
  }
  d.need(')');
  if (wanted.has('BODY') && wanted.has('BINARY')) d.fail('BODY or BINARY, not both, before this');
  return { url, wanted };
}

/** URLFETCH (RFC 4467 section 7, RFC 5524): what is at authorized URLs, whoever made them. */
export const urlFetch: Command = {
  name: 'URLFETCH',
  states: LOGGED_IN,
  async run(session, d) {
    const asked: Asked[] = [];
    do {
      d.sp();
      if (asked.length === SESSION_LIMITS.urls) throw tooMany();
      asked.push(urlFetchArgument(d));
    } while (!d.atEnd);
    d.end();
    for (const each of asked) {
      await tellUrl(session, each);
      await flushIfFull(session);
    }
    return undefined;
  },
};

/** A response for each URL. What cannot be read is NIL, like what is not there. */
async function tellUrl(session: Session, { url, wanted }: Asked): Promise<void> {
  const { out } = session;
  const label = string(url);
  const target = await findUrl(session, url, true);
  const mark = out.mark();
  try {
    if (target === undefined) out.line(`* URLFETCH ${label} NIL`);
    else if (wanted === undefined) {
      out.text('* URLFETCH ');
      await body(session, target, label);
      out.text('\r\n');
    } else {
      out.text(`* URLFETCH ${label}`);
      await extended(session, target, wanted);
      out.text('\r\n');
    }
  } catch (error) {
    if (!out.rollBack(mark)) session.inLiteral = true;
    if (session.inLiteral || error instanceof SessionEnd || !(error instanceof Refusal)) throw error;
    out.line(`* URLFETCH ${label} NIL`);
  }
}

async function extended(session: Session, target: UrlTarget, wanted: ReadonlySet<Wanted>): Promise<void> {
  const { out } = session;
  if (wanted.has('BODYPARTSTRUCTURE')) {
    out.text(' (BODYPARTSTRUCTURE ');
    out.bytes(partStructure(target));
    out.text(')');
  }
  if (!wanted.has('BODY') && !wanted.has('BINARY') && wanted.size > 0) return;
  out.text(' (');
  if (wanted.has('BINARY')) await binary(session, target);
  else await body(session, target, 'BODY');
  out.text(')');
}

/** RFC 5524 section 3.2: of what is no part there is none. */
function partStructure({ content, section }: UrlTarget): Buffer {
  const part = section.text === undefined ? findPart(content.structure, section.part) : undefined;
  return part === undefined ? Buffer.from('NIL') : renderBody({ ...content.structure, root: part }, true);
}

function body(session: Session, { content, section, partial }: UrlTarget, label: string): Promise<void> {
  return sectionItem(session, { kind: 'section', section, partial, peek: true, label }, content);
}

async function binary(session: Session, target: UrlTarget): Promise<void> {
  const { content, section, partial } = target;
  // A header has no encoding to undo.
  if (section.text !== undefined) return body(session, target, 'BINARY');
  const att = { kind: 'binary', section, partial, peek: true, label: 'BINARY' } as const;
  checkEncoding(att, content);
  return binaryItem(session, att, content);
}
