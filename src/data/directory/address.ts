import { Refusal } from '../../base/errors.ts';
import { normalizeDomain } from '../../mail/address/domain.ts';
import { normalizeLocalPart } from '../../mail/address/local-part.ts';
import { type EnvelopeAddress, formatAddress, parseMailbox } from '../../mail/address/path.ts';
import type { ReadTx } from '../db/sql.ts';
import { type DomainRow, domainById, domainByName } from './directory.sql.ts';

/** Domain aliases that are followed; addDomain lets them lead to real domains only, so one step is all there is. */
const DOMAIN_ALIAS_STEPS = 2;

/** An address in words of the envelope, or undefined for what is none. */
export function parseAddress(text: string): EnvelopeAddress | undefined {
  const parsed = parseMailbox(text, { smtputf8: true });
  return parsed.kind === 'mailbox' ? { localPart: parsed.localPart, domain: parsed.domain } : undefined;
}

/** Like `parseAddress`, with Refusal 'bad-input'. */
export function needAddress(text: string): EnvelopeAddress {
  const parsed = parseMailbox(text, { smtputf8: true });
  if (parsed.kind === 'mailbox') return { localPart: parsed.localPart, domain: parsed.domain };
  const why = parsed.kind === 'error' ? parsed.reason : 'it has no domain';
  throw new Refusal('bad-input', `"${text.slice(0, 300)}" is not an address: ${why}.`);
}

/** Refusal 'bad-input' for what is no domain name. Returns its A-labels in lower case. */
export function needDomainName(text: string): string {
  const name = normalizeDomain(text);
  if (name === undefined) throw new Refusal('bad-input', `"${text.slice(0, 300)}" is not a domain name.`);
  return name;
}

/** The one spelling of an address of ours. */
export function ownAddress(localPart: string, domain: string): string {
  return formatAddress({ localPart: normalizeLocalPart(localPart), domain });
}

/** One of our domains, or the one it is an alias of; undefined for other people's. */
export async function baseDomain(tx: ReadTx, name: string): Promise<DomainRow | undefined> {
  let domain = await tx.get(domainByName, name);
  for (let i = 0; i < DOMAIN_ALIAS_STEPS && domain !== undefined && domain.alias_of_id !== null; i++) {
    domain = await tx.get(domainById, domain.alias_of_id);
  }
  return domain;
}

/**
 * An address as it is stored: ours in the one spelling and in its real domain, others' with the local part as given,
 * because only their host knows which letters mean the same (RFC 5321 2.4).
 */
export async function storedAddress(tx: ReadTx, text: string): Promise<string> {
  const address = needAddress(text);
  const domain = await baseDomain(tx, address.domain);
  return domain === undefined ? formatAddress(address) : ownAddress(address.localPart, domain.name);
}
