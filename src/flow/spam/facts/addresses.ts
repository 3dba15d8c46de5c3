/** Address fields as facts. */
import { guessText } from '../../../mail/charset.ts';
import { parseAddressList } from '../../../mail/message/addresses.ts';
import { decodeWords } from '../../../mail/message/words.ts';
import { siteOf } from './hosts.ts';
import { factLimits } from './limits.ts';
import type { AddressFact } from './types.ts';

/** Octets of an address field that are read. */
const MAX_OCTETS = 16 * 1024;
/** Characters of a name or an address that are kept. */
const MAX_CHARS = 320;

/** The addresses of raw field values, the fields one behind the other. */
export function addressFacts(values: readonly string[]): AddressFact[] {
  const facts: AddressFact[] = [];
  for (const value of values) {
    for (const entry of parseAddressList(value, factLimits.addresses, MAX_OCTETS)) {
      if (facts.length >= factLimits.addresses) return facts;
      if (entry.kind !== 'mailbox') continue;
      const domain = unicode(entry.domain ?? '')
        .toLowerCase()
        .replace(/\.$/, '');
      const local = unicode(entry.local ?? '');
      facts.push({
        name: entry.name === undefined ? '' : decodeWords(entry.name).slice(0, MAX_CHARS).trim(),
        address: domain === '' ? local : `${local}@${domain}`,
        local,
        domain,
        site: siteOf(domain),
        broken: entry.broken,
      });
    }
  }
  return facts;
}

function unicode(text: string): string {
  const cut = text.slice(0, MAX_CHARS);
  for (let i = 0; i < cut.length; i++) {
    if (cut.charCodeAt(i) > 127) return guessText(Buffer.from(cut, 'latin1'));
  }
  return cut;
}
