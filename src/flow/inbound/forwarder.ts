/** Known forwarders: when a DMARC fail is their doing and their word stands for the author (RFC 8617 section 7.2.1). */
import { parseAuthenticationResults, propertyOf } from '../../mail/authentication-results/parse.ts';
import type { MethodResult } from '../../mail/authentication-results/build.ts';
import { isWithin } from '../../mail/dkim/names.ts';
import type { ArcLink } from '../../mail/arc/verify.ts';
import type { Evidence } from './authenticate.ts';

/** Whose word is taken and what it was. */
export interface ForwarderWord {
  /** `d=` of the seal. */
  readonly domain: string;
  readonly instance: number;
  /** e.g. "dmarc=pass". */
  readonly said: string;
}

/** Is the domain of a property the author's, or of its organisation? */
function ofAuthor(value: string | undefined, author: string, org: string): boolean {
  const domain = value?.slice(value.lastIndexOf('@') + 1).toLowerCase();
  return domain !== undefined && (domain === author || domain === org || isWithin(domain, org));
}

/** One result that speaks for the author. */
function speaksFor(result: MethodResult, author: string, org: string): string | undefined {
  if (result.result !== 'pass') return undefined;
  const about = (name: string): boolean => ofAuthor(propertyOf(result, name), author, org);
  switch (result.method) {
    case 'dmarc':
      return propertyOf(result, 'header.from')?.toLowerCase() === author ? 'dmarc=pass' : undefined;
    case 'dkim':
      return about('header.d') || about('header.i') ? 'dkim=pass' : undefined;
    case 'spf':
      return about('smtp.mailfrom') || about('smtp.mfrom') ? 'spf=pass' : undefined;
    default:
      return undefined;
  }
}

function wordOf(link: ArcLink, author: string, org: string): ForwarderWord | undefined {
  const results = parseAuthenticationResults(link.resultsText)?.results ?? [];
  const said = results.map((result) => speaksFor(result, author, org)).find((each) => each !== undefined);
  return said === undefined ? undefined : { domain: link.domain, instance: link.instance, said };
}

/**
 * Whether a DMARC fail may be overlooked: the ARC chain passes, its last signature covers From, and a sealer that `known` accepts
 * saw the author authenticated; everyone who sealed after that has to be known as well. Returns whose word it is. Never
 * where it cannot be told who the author is.
 */
export function trustedForwarder(
  evidence: Pick<Evidence, 'arc' | 'dmarc' | 'author'>,
  known: (domain: string) => boolean,
): ForwarderWord | undefined {
  const { arc, dmarc, author } = evidence;
  const [domain, ...others] = author.domains;
  if (dmarc.result !== 'fail' || arc.status !== 'pass') return undefined;
  if (author.doubt !== undefined || domain === undefined || others.length > 0) return undefined;
  if (arc.links.at(-1)?.signedNames.includes('from') !== true) return undefined;
  for (const link of arc.links.toReversed()) {
    if (!known(link.domain)) return undefined;
    const word = wordOf(link, domain, dmarc.orgDomain ?? domain);
    if (word !== undefined) return word;
  }
  return undefined;
}
