import {
  type ContentReader,
  contentReader,
  sizeOf,
  slicePieces,
} from '../../data/mailstore/content-reader.ts';
import { hasRights, Right } from '../../data/sharing/rights.ts';
import { type ImapUrl, parseImapUrl } from '../../mail/imap-url.ts';
import { type Section, selectFields } from '../../mail/message/section.ts';
import { SESSION_LIMITS } from './limits.ts';
import { loginOf, type Session } from './session.ts';
import { tokenIsGood } from './url-token.ts';
import { SyntaxFault } from './wire/decoder.ts';
import { type Partial, sectionOf } from './wire/fetch-att.ts';

/** What a URL names, of a message that the session may read. */
export interface UrlTarget {
  readonly content: ContentReader;
  readonly section: Section;
  readonly partial: Partial | undefined;
}

/** A mailbox that a URL means and the account through whose eyes it is seen. */
export interface UrlMailbox {
  readonly mailboxId: number;
  readonly uidvalidity: number;
}

/** The mailbox of a URL as an account sees it, if it may read it. */
export async function urlMailbox(
  session: Session,
  url: ImapUrl,
  accountId: number,
): Promise<UrlMailbox | undefined> {
  const { read } = session.options.store;
  let found: UrlMailbox | undefined;
  if (url.mailbox === undefined) {
    const { view } = session;
    if (view !== undefined && hasRights(view.rights, Right.Read)) found = view;
  } else {
    const name = url.mailbox.toUpperCase() === 'INBOX' ? 'INBOX' : url.mailbox;
    const known = await read.run('sharing.resolve', { accountId, name });
    if (known !== undefined && hasRights(known.rights, Right.Read))
      found = { mailboxId: known.mailbox.id, uidvalidity: known.mailbox.uidvalidity };
  }
  // RFC 5092 section 3: UIDs of another UIDVALIDITY are other messages.
  return url.uidvalidity === undefined || url.uidvalidity === found?.uidvalidity ? found : undefined;
}

/** Whether a URL is of this server: another one is never asked. */
export function isOurs(session: Session, url: ImapUrl): boolean {
  return url.server === undefined || url.server.host === session.options.hostname.toLowerCase();
}

/** The account that a URL is of. */
export async function urlOwner(session: Session, user: string): Promise<number | undefined> {
  const account = await session.options.store.read.run('directory.account', { address: user });
  return account?.status === 'active' ? account.id : undefined;
}

/**
 * Whose eyes a URL is read with: of one without authorization those who have logged in, else the account that made it,
 * when it lets this session in. Undefined: nobody's.
 */
async function readerOf(session: Session, url: ImapUrl): Promise<number | undefined> {
  const { accountId, address } = loginOf(session);
  if (!isOurs(session, url)) return undefined;
  const { server, auth } = url;
  if (auth === undefined) {
    // RFC 4469 section 3: URLs without authorization are of the session's own user.
    if (server?.user === undefined || server.user.toLowerCase() === address.toLowerCase()) return accountId;
    return (await urlOwner(session, server.user)) === accountId ? accountId : undefined;
  }
  if (server?.user === undefined || !(await isLetIn(session, auth.access))) return undefined;
  if (auth.expires !== undefined && auth.expires <= session.options.clock.now()) return undefined;
  const owner = await urlOwner(session, server.user);
  if (owner === undefined) return undefined;
  const mailbox = await urlMailbox(session, url, owner);
  if (mailbox === undefined) return undefined;
  const { mailboxId } = mailbox;
  const key = await session.options.store.read.run('mailstore.urlKey', { mailboxId, accountId: owner });
  return key !== undefined && tokenIsGood(key.secret, auth) ? owner : undefined;
}

/** RFC 4467 section 3: whether an access identifier means this session. */
async function isLetIn(session: Session, access: NonNullable<ImapUrl['auth']>['access']): Promise<boolean> {
  if (access.kind === 'anonymous' || access.kind === 'authuser') return true;
  // "submit+" is for whoever submits mail for others: nobody who logs in here.
  return access.kind === 'user' && (await urlOwner(session, access.user)) === loginOf(session).accountId;
}

/**
 * What a URL names; undefined when it names nothing that may be read, whyever: nobody is told whether it would be there.
 * `authorized`: only URLs that carry an authorization (URLFETCH).
 */
export async function findUrl(
  session: Session,
  text: string,
  authorized: boolean,
): Promise<UrlTarget | undefined> {
  const url = parseImapUrl(text);
  if (url === undefined || (authorized && url.auth?.verifier === undefined)) return undefined;
  let section: Section;
  try {
    section = sectionOf(url.section);
  } catch (error) {
    if (error instanceof SyntaxFault) return undefined;
    throw error;
  }
  const reader = await readerOf(session, url);
  const mailbox = reader === undefined ? undefined : await urlMailbox(session, url, reader);
  if (mailbox === undefined) return undefined;
  const { read, blobs } = session.options.store;
  const [row] = await read.run('mailstore.fetch', {
    mailboxId: mailbox.mailboxId,
    ranges: [{ from: url.uid, to: url.uid }],
    want: ['content'],
    limit: 1,
  });
  if (row?.content === undefined) return undefined;
  const { partial } = url;
  return {
    content: contentReader(blobs, row.content),
    section,
    partial: partial && { offset: partial.offset, count: partial.count ?? Number.MAX_SAFE_INTEGER },
  };
}

/** Octets at a URL, for CATENATE: how many, and all of them. */
export async function openUrl(
  session: Session,
  text: string,
): Promise<{ readonly size: number; octets(): AsyncIterable<Buffer> } | undefined> {
  const target = await findUrl(session, text, false);
  const found = target?.content.section(target.section);
  if (target === undefined || found === undefined) return undefined;
  const { content, partial } = target;
  const { offset, count } = partial ?? { offset: 0, count: Number.MAX_SAFE_INTEGER };
  const { filter } = found;
  if (filter === undefined) {
    const pieces = slicePieces(found.pieces, offset, count);
    return { size: sizeOf(pieces), octets: () => content.read(pieces) };
  }
  const header = await content.bytes(slicePieces(found.pieces, 0, SESSION_LIMITS.headerBytes));
  const fields = selectFields(header, filter.names, filter.not).subarray(offset, offset + count);
  return {
    size: fields.length,
    async *octets() {
      yield fields;
    },
  };
}
