/** DMARC for a whole message: the worst of all domains its author could be taken to be of. */
import type { AuthorReading } from '../author/author.ts';
import { checkDmarc, type DmarcInput, type DmarcResult } from './check.ts';
import { createLookup } from './walk.ts';

/** How bad a result is: the highest counts. */
function badness({ result, disposition }: DmarcResult): number {
  if (result === 'fail') return disposition === 'reject' ? 8 : disposition === 'quarantine' ? 7 : 4;
  return { permerror: 3, temperror: 5, none: 2, pass: 1 }[result];
}

/** The result where there is no domain to judge, or no telling which. */
function cannotTell(reason: string): DmarcResult {
  return {
    result: 'permerror',
    reason,
    domain: '',
    orgDomain: undefined,
    policy: undefined,
    disposition: 'none',
    testing: false,
    alignedBy: { dkim: undefined, spf: undefined },
    record: undefined,
    recordDomain: undefined,
  };
}

/**
 * Judge a message by the strictest reading of its author (RFC 9989 section 5.3.1 leaves several authors to the receiver): every
 * domain a reader could take for the author's is checked and the worst result counts. Where it cannot be told who the author
 * is (`author.doubt`), a message that nothing worse is known of is a permerror, never a pass.
 */
export async function judgeAuthor(
  author: Pick<AuthorReading, 'domains' | 'doubt'>,
  input: Omit<DmarcInput, 'domain'>,
): Promise<DmarcResult> {
  const lookup = input.lookup ?? createLookup(input.dns, input.signal);
  const results = await Promise.all(author.domains.map((domain) => checkDmarc({ ...input, domain, lookup })));
  const [worst] = results.toSorted((a, b) => badness(b) - badness(a));
  if (worst === undefined) return cannotTell(author.doubt ?? 'From names no domain');
  if (author.doubt === undefined) return worst;
  if (worst.result === 'fail' || worst.result === 'temperror') {
    return { ...worst, reason: `${worst.reason}; ${author.doubt}` };
  }
  return {
    ...worst,
    result: 'permerror',
    disposition: 'none',
    alignedBy: { dkim: undefined, spf: undefined },
    reason: `cannot tell who the author is: ${author.doubt}`,
  };
}
