import { parsePath } from '../../mail/address/path.ts';
import { displayAddresses } from '../../mail/message/addresses.ts';
import { foldField, formatAddress, formatDate } from '../../mail/message/build.ts';
import { readHeader } from '../../mail/message/headers.ts';
import { randomToken } from '../../base/ids.ts';
import type { FlowDeps } from '../deps.ts';
import { replies } from '../replies.ts';
import type { SessionLogin } from '../service.ts';

/** Authors a message may name. */
const AUTHORS_MAX = 20;

export interface AuthorCheck {
  /** Domain of the (first) author: whose DKIM key signs. */
  readonly fromDomain: string;
  /** Fields that were missing (RFC 6409 8.1 to 8.3), to go before the message. */
  readonly added: string;
}

/**
 * Every author (From) and the Sender must be an address of the account; what RFC 5322 wants and the client left out
 * (Date, Message-ID, From) is added. Throws 553 5.7.1 or 554 5.6.0.
 */
export async function checkAuthors(
  deps: FlowDeps,
  login: SessionLogin,
  displayName: string,
  headerBytes: Buffer,
): Promise<AuthorCheck> {
  const header = readHeader(headerBytes);
  const froms = header.all('from');
  if (froms.length > 1) throw replies.badFrom('it occurs more than once');
  const authors = mailboxes(froms[0] ?? '');
  if (froms.length === 1 && authors.length === 0) throw replies.badFrom('it names no address');
  if (authors.length > AUTHORS_MAX) throw replies.badFrom(`it names more than ${AUTHORS_MAX} addresses`);
  const senders = header.all('sender');
  if (senders.length > 1) throw replies.badFrom('there is more than one Sender');
  for (const address of new Set([...authors, ...mailboxes(senders[0] ?? '')])) {
    if (!(await owns(deps, login, address))) throw replies.fromNotOwned(address.slice(0, 254), login.address);
  }
  const from = authors[0] ?? login.address;
  const domain = domainOf(from) ?? domainOf(login.address) ?? deps.settings.hostname;
  let added = '';
  if (header.first('date') === undefined) added += `Date: ${formatDate(deps.clock.now())}\r\n`;
  if (header.first('message-id') === undefined) added += `Message-ID: <${randomToken(24)}@${domain}>\r\n`;
  if (froms.length === 0) added += foldField('From', formatAddress(displayName, login.address));
  return { fromDomain: domain, added };
}

/** The addresses of a field, groups dissolved; a name without an address counts as one, and is nobody's. */
function mailboxes(value: string): string[] {
  return displayAddresses(value, AUTHORS_MAX + 1).map(({ address }) => address);
}

function domainOf(address: string): string | undefined {
  const parsed = parsePath(address, { smtputf8: true, maxLocalPartOctets: 254 });
  return parsed.kind === 'mailbox' ? parsed.domain : undefined;
}

async function owns(deps: FlowDeps, login: SessionLogin, address: string): Promise<boolean> {
  const parsed = parsePath(address, { smtputf8: true });
  if (parsed.kind !== 'mailbox') return false;
  return deps.store.read.run('directory.maySendAs', {
    accountId: login.accountId,
    localPart: parsed.localPart,
    domain: parsed.domain,
    delimiter: deps.settings.delimiter,
  });
}
