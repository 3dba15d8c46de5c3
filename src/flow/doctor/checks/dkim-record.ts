import { zoneLine } from '../../../mail/dns-records.ts';
import type { DoctorKey } from '../types.ts';

/** The record of a key as it should be in its state, as a line of the zone. */
export function recordsOfKey(domain: string, { selector, algorithm, publicKey, state }: DoctorKey): string[] {
  const type = algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519';
  const value = state === 'revoked' ? 'v=DKIM1; p=' : `v=DKIM1; k=${type}; p=${publicKey}`;
  return [zoneLine({ name: `${selector}._domainkey.${domain}`, type: 'TXT', value })];
}
