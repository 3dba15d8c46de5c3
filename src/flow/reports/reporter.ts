import { readHeader } from '../../mail/message/headers.ts';
import { parseAuthenticationResults, propertyOf } from '../../mail/authentication-results/parse.ts';
import { claimsAuthservId } from '../../mail/authentication-results/authserv-id.ts';
import type { ReportEvidence } from '../report-hooks.ts';

/** Who sent a report, as far as that is proven. */
export interface Reporter {
  /** Domain of From; '' when it is not known. */
  readonly domain: string;
  /** DMARC passed, or a signature of that domain. */
  readonly genuine: boolean;
}

export function reporterOf(evidence: ReportEvidence | undefined): Reporter {
  if (evidence === undefined || evidence.state === 'unchecked') return { domain: '', genuine: false };
  const { dmarc, dkim } = evidence;
  const signed = dkim.some(({ status, domain }) => status === 'pass' && signs(domain ?? '', dmarc.domain));
  return { domain: dmarc.domain, genuine: dmarc.domain !== '' && (dmarc.result === 'pass' || signed) };
}

/** Stricter than relaxed alignment: the domain itself or one above it, never a top-level one. */
function signs(signer: string, author: string): boolean {
  return signer.includes('.') && (author === signer || author.endsWith(`.${signer}`));
}

/**
 * The same of a stored message, by the fields that we put before it: our own Authentication-Results; or, where it never
 * came in from outside (we delivered it, and received it from nobody), ourselves.
 */
export function reporterOfPrefix(prefix: Buffer, hostname: string): Reporter {
  const header = readHeader(prefix);
  const returnPath = header.first('return-path');
  if (returnPath !== undefined && header.first('received') === undefined) {
    const domain = /@([^@>\s]+)>?\s*$/.exec(returnPath)?.[1]?.toLowerCase() ?? '';
    return { domain, genuine: domain !== '' };
  }
  for (const value of header.all('authentication-results')) {
    if (!claimsAuthservId(value, hostname)) continue;
    const results = parseAuthenticationResults(value)?.results ?? [];
    const dmarc = results.find(({ method }) => method === 'dmarc');
    const domain = (dmarc && propertyOf(dmarc, 'header.from'))?.toLowerCase() ?? '';
    const signed = results.some(
      (one) =>
        one.method === 'dkim' &&
        one.result === 'pass' &&
        signs(propertyOf(one, 'header.d')?.toLowerCase() ?? '', domain),
    );
    return { domain, genuine: domain !== '' && (dmarc?.result === 'pass' || signed) };
  }
  return { domain: '', genuine: false };
}

/** The organisation as it is kept: with the domain behind it that is proven, unless its name says the same. */
export function reporterName(organisation: string, { domain }: Reporter): string {
  const name = organisation.toLowerCase();
  const same =
    domain === '' ||
    name === domain ||
    (name.includes('.') && (domain.endsWith(`.${name}`) || name.endsWith(`.${domain}`)));
  return same ? organisation : `${organisation} (by ${domain})`;
}
