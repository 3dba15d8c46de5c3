import type { Resolution } from '../data/directory/types.ts';
import { sameDomain } from '../mail/address/domain.ts';
import { formatAddress, type Mailbox, parsePath } from '../mail/address/path.ts';
import type { FlowDeps } from './deps.ts';
import { resolveByTables } from './lookup/resolve.ts';
import { replies } from './replies.ts';

/** Parse a RCPT address, Postmaster without a domain included; throws the refusal to give. */
export function parseRecipient(address: string, smtputf8: boolean, hostname: string): Mailbox {
  const path = parsePath(address, { smtputf8 });
  if (path.kind === 'mailbox') return path;
  // RFC 5321 4.5.1: "RCPT TO:<Postmaster>" must be accepted; it is that of our own host.
  if (path.kind === 'postmaster') {
    return { kind: 'mailbox', localPart: 'postmaster', domain: hostname, ip: undefined, needsUtf8: false };
  }
  if (path.kind === 'null') throw replies.badAddress('it is empty');
  throw path.problem === 'needs-smtputf8' ? replies.needsSmtpUtf8() : replies.badAddress(path.reason);
}

/** Local parts of our host's own name that reach whoever runs it (RFC 5321 4.5.1, RFC 2142). */
const HOST_CONTACTS: ReadonlySet<string> = new Set(['postmaster', 'abuse']);

/**
 * Where an address leads, by the directory and by the site's lookup tables; `size` is what the message was declared to
 * take. Throws 451 4.3.0 when a table cannot be asked.
 */
export async function resolve(deps: FlowDeps, mailbox: Mailbox, size: number): Promise<Resolution> {
  const mode = await deps.lookup?.mode('recipients', mailbox.domain);
  if (mode === undefined) return resolveByDirectory(deps, mailbox, size);
  const { delimiter } = deps.settings;
  const { localPart, domain } = mailbox;
  if (mode === 'also') {
    const own = await deps.store.read.run('directory.resolve', {
      localPart,
      domain,
      delimiter,
      size,
      own: true,
    });
    if (own.status !== 'unknown') return resolveByDirectory(deps, mailbox, size);
  } else if ((await deps.store.read.run('directory.domain', { name: domain })) === undefined) {
    // A table alone makes no domain ours: nobody is to become an open relay by a slip in it.
    return resolveByDirectory(deps, mailbox, size);
  }
  const found = await resolveByTables(deps, mailbox, size);
  if (found.status !== 'unknown') return found;
  // RFC 5321 4.5.1: postmaster is always reached.
  const [user = ''] = delimiter === '' ? [localPart] : localPart.split(delimiter, 1);
  if (mode === 'only' && !HOST_CONTACTS.has(user.toLowerCase())) return found;
  return resolveByDirectory(deps, mailbox, size);
}

async function resolveByDirectory(deps: FlowDeps, mailbox: Mailbox, size: number): Promise<Resolution> {
  const { delimiter, hostname } = deps.settings;
  const { localPart, domain } = mailbox;
  const found = await deps.store.read.run('directory.resolve', { localPart, domain, delimiter, size });
  const contact = found.status === 'not-local' && HOST_CONTACTS.has(localPart.toLowerCase());
  if (!contact || !sameDomain(domain, hostname)) return found;
  // The host's name is often no mail domain; then the first domain's people answer for it.
  const domains = await deps.store.read.run('directory.domains', null);
  const first = domains.toSorted((a, b) => a.id - b.id)[0];
  if (first === undefined) return found;
  return deps.store.read.run('directory.resolve', { localPart, domain: first.name, delimiter, size });
}

/** The canonical text of an address for journals, headers and comparisons. */
export function addressText(mailbox: Mailbox): string {
  return formatAddress(mailbox);
}
