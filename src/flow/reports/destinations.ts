import { createLookup, organizationalDomain, walkTree } from '../../mail/dmarc/walk.ts';
import type { Dns } from '../../mail/dns.ts';
import { consentName, reportConsent, reportRequest, type ReportUri } from '../../mail/reports/rua.ts';

type MailUri = Extract<ReportUri, { scheme: 'mailto' }>;

/** Where the reports about a domain go. */
export type Destinations =
  | {
      readonly status: 'ok';
      /** Each address once. */
      readonly to: readonly { readonly address: string; readonly maxBytes: number | undefined }[];
      /** Why others are left out, a clause each. */
      readonly skipped: readonly string[];
    }
  | { readonly status: 'none'; readonly reason: string }
  /** DNS did not say: to be asked again later. */
  | { readonly status: 'temporary'; readonly reason: string };

/** By the DMARC record of a policy domain, addresses elsewhere only with their consent (RFC 9990 section 4). */
export async function dmarcDestinations(dns: Dns, domain: string): Promise<Destinations> {
  const uris = await wanted(dns, `_dmarc.${domain}`, 'DMARC1');
  if (!Array.isArray(uris)) return uris;
  const to: MailUri[] = [];
  const skipped: string[] = [];
  for (const uri of uris) {
    if (uri.scheme === 'other') {
      skipped.push(`${uri.uri}: ${uri.problem}`);
      continue;
    }
    const consent = await consentOf(dns, domain, uri);
    if ('temporary' in consent) return { status: 'temporary', reason: consent.temporary };
    if ('refused' in consent) skipped.push(consent.refused);
    else to.push(consent.uri);
  }
  return collected(to, skipped);
}

/** By the TLS-RPT record of a domain. RFC 8460 asks for nobody's consent. */
export async function tlsDestinations(dns: Dns, domain: string): Promise<Destinations> {
  const uris = await wanted(dns, `_smtp._tls.${domain}`, 'TLSRPTv1');
  if (!Array.isArray(uris)) return uris;
  const to = uris.flatMap((uri) => (uri.scheme === 'mailto' ? [uri] : []));
  const skipped = uris.flatMap((uri) => (uri.scheme === 'other' ? [`${uri.uri}: ${uri.problem}`] : []));
  return collected(to, skipped);
}

function collected(uris: readonly MailUri[], skipped: readonly string[]): Destinations {
  const byAddress = new Map(uris.map(({ address, maxBytes }) => [address, { address, maxBytes }]));
  if (byAddress.size > 0) return { status: 'ok', to: [...byAddress.values()], skipped };
  return { status: 'none', reason: skipped.join('; ') };
}

async function wanted(
  dns: Dns,
  name: string,
  version: 'DMARC1' | 'TLSRPTv1',
): Promise<ReportUri[] | Exclude<Destinations, { status: 'ok' }>> {
  const answer = await dns.query(name, 'TXT');
  if (answer.status === 'temporary') return { status: 'temporary', reason: `${name}: ${answer.reason}` };
  const request = answer.status === 'ok' ? reportRequest(answer.records, version) : undefined;
  return request === undefined ? { status: 'none', reason: 'it asks for no reports' } : [...request.uris];
}

type Consent = { readonly uri: MailUri } | { readonly refused: string } | { readonly temporary: string };

async function consentOf(dns: Dns, policyDomain: string, uri: MailUri): Promise<Consent> {
  const same = await sameOrganisation(dns, policyDomain, uri.domain);
  if (same === undefined) return { temporary: `DNS does not say whose ${uri.domain} is` };
  if (same) return { uri };
  const refused = `${uri.domain} has not agreed to take reports about ${policyDomain}`;
  const name = consentName(policyDomain, uri.domain);
  if (name === undefined) return { refused };
  const answer = await dns.query(name, 'TXT');
  if (answer.status === 'temporary') return { temporary: `${name}: ${answer.reason}` };
  const consent = answer.status === 'ok' ? reportConsent(answer.records, uri.domain) : 'none';
  if (consent === 'none') return { refused };
  return { uri: consent === 'given' ? uri : consent };
}

async function sameOrganisation(dns: Dns, a: string, b: string): Promise<boolean | undefined> {
  if (a === b) return true;
  const lookup = createLookup(dns);
  const [one, other] = await Promise.all(
    [a, b].map(async (name) => organizationalDomain(await walkTree(name, lookup))),
  );
  return one === undefined || other === undefined ? undefined : one === other;
}
