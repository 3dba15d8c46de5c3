import { parsePath } from '../../mail/address/path.ts';
import { displayAddresses } from '../../mail/message/addresses.ts';
import { foldField, formatAddress, formatDate } from '../../mail/message/build.ts';
import { readHeader } from '../../mail/message/headers.ts';
import { randomToken } from '../../base/ids.ts';
import type { FlowDeps } from '../deps.ts';
import { maySendAs } from '../ownership.ts';
import { replies } from '../replies.ts';
import type { SessionLogin } from '../service.ts';

/** Addresses that the From of a message may name, and all its Resent-From together. */
const AUTHORS_MAX = 20;

export interface AuthorCheck {
  /** Domain of the (first) author: whose DKIM key signs. */
  readonly fromDomain: string;
  /** Fields that were missing (RFC 6409 8.1 to 8.3), to go before the message. */
  readonly added: string;
}

/**
 * Every author (From), the Sender, and whoever resent the message (RFC 5322 3.6.6: Resent-From and Resent-Sender, in
 * each block of them) must be an address of the account (RFC 6409 6.1); what RFC 5322 wants and the client left out
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
  if (froms.length > 1) throw replies.badAuthor('From', 'it occurs more than once');
  const authors = mailboxes(froms[0] ?? '');
  const senders = header.all('sender');
  if (senders.length > 1) throw replies.badAuthor('Sender', 'it occurs more than once');
  const named = [
    ...checked('From', froms),
    ...checked('Resent-From', header.all('resent-from')),
    ...checked('Sender', senders),
    ...checked('Resent-Sender', header.all('resent-sender')),
  ];
  await requireOwned(deps, login, named);
  const from = authors[0] ?? login.address;
  const domain = domainOf(from) ?? domainOf(login.address) ?? deps.settings.hostname;
  let added = '';
  if (header.first('date') === undefined) added += `Date: ${formatDate(deps.clock.now())}\r\n`;
  if (header.first('message-id') === undefined) added += `Message-ID: <${randomToken(24)}@${domain}>\r\n`;
  if (froms.length === 0) added += foldField('From', formatAddress(displayName, login.address));
  return { fromDomain: domain, added };
}

interface Named {
  readonly field: string;
  readonly address: string;
}

/** All addresses in the occurrences of a field. Throws 554 5.6.0 for an author's that names none, and for too many. */
function checked(field: string, values: readonly string[]): Named[] {
  const found: Named[] = [];
  for (const value of values) {
    const addresses = mailboxes(value);
    if (addresses.length === 0 && field.endsWith('From'))
      throw replies.badAuthor(field, 'it names no address');
    for (const address of addresses) found.push({ field, address });
    if (found.length > AUTHORS_MAX)
      throw replies.badAuthor(field, `it names more than ${AUTHORS_MAX} addresses`);
  }
  return found;
}

/** Throws 553 5.7.1 at the first address that is not the account's; each is looked up once. */
async function requireOwned(deps: FlowDeps, login: SessionLogin, named: readonly Named[]): Promise<void> {
  const owned = new Set<string>();
  for (const { field, address } of named) {
    if (owned.has(address)) continue;
    if (!(await owns(deps, login, address)))
      throw replies.authorNotOwned(field, address.slice(0, 254), login.address);
    owned.add(address);
  }
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
  return maySendAs(deps, login, parsed);
}
