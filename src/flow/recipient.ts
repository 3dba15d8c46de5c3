import type { Resolution } from '../data/directory/types.ts';
import { formatAddress, type Mailbox, parsePath } from '../mail/address/path.ts';
import type { FlowDeps } from './deps.ts';
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

/** Ask the directory where an address leads; `size` is what the message was declared to take. */
export function resolve(deps: FlowDeps, mailbox: Mailbox, size: number): Promise<Resolution> {
  return deps.store.read.run('directory.resolve', {
    localPart: mailbox.localPart,
    domain: mailbox.domain,
    delimiter: deps.settings.delimiter,
    size,
  });
}

/** The canonical text of an address for journals, headers and comparisons. */
export function addressText(mailbox: Mailbox): string {
  return formatAddress(mailbox);
}
