import type { Dns, TlsaRecord } from '../../../mail/dns.ts';
import { tlsaName, usableTlsa } from '../../../mail/dane/tlsa.ts';
import type { NextHost } from './hosts.ts';

/** What a host's TLSA records ask of us (RFC 7672 section 2.2). Nothing unless DNSSEC vouches for every step. */
export type DaneState =
  | { readonly status: 'none' }
  /** `base`: TLSA base domain, the name for SNI and first reference identifier. */
  | {
      readonly status: 'usable';
      readonly base: string;
      readonly records: readonly TlsaRecord[];
      readonly all: readonly TlsaRecord[];
    }
  /** Records that no sender can use: TLS without authentication (RFC 7672 section 2.2). */
  | { readonly status: 'unusable'; readonly base: string; readonly all: readonly TlsaRecord[] }
  /** DNS gave no validated answer where the zone is signed: this host must not be used now (section 2.1.2). */
  | { readonly status: 'bogus'; readonly base: string; readonly reason: string };

/** Look up a host's TLSA records. `mxSecure`: the answer that led to the host was validated. */
export async function lookUpDane(
  dns: Dns,
  host: NextHost,
  options: { readonly mxSecure: boolean; readonly port: number },
): Promise<DaneState> {
  if (!options.mxSecure) return { status: 'none' };
  for (const base of await baseDomains(dns, host)) {
    const answer = await dns.query(tlsaName(base, options.port), 'TLSA');
    if (answer.status === 'temporary') return { status: 'bogus', base, reason: answer.reason };
    // Records in a zone that is not signed are as good as none; so is a denial, whoever vouches for it.
    if (answer.status !== 'ok' || !answer.authenticated) continue;
    const records = usableTlsa(answer.records);
    if (records.length === 0) return { status: 'unusable', base, all: answer.records };
    return { status: 'usable', base, records, all: answer.records };
  }
  return { status: 'none' };
}

/**
 * Names under which TLSA records count (section 2.2.2): with a chain of CNAMEs that is signed throughout, its end and
 * then the name itself; with one that leads into an unsigned zone the name itself, if that is an alias in a signed zone.
 */
async function baseDomains(dns: Dns, host: NextHost): Promise<string[]> {
  if (host.secure === true)
    return host.canonicalName === undefined ? [host.name] : [host.canonicalName, host.name];
  if (host.canonicalName === undefined) return [];
  const alias = await dns.query(host.name, 'CNAME');
  return alias.status === 'ok' && alias.authenticated ? [host.name] : [];
}
