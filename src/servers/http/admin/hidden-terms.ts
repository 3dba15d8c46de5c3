import { hideTerm } from '../../../data/journal/privacy.ts';

/** The same terms, and what stands for them in events that have lost their addresses: networks, pseudonyms. */
export function hiddenTerms(terms: readonly string[], key: string): string[] {
  const hiding = { addresses: true, ips: 'network', words: true, key } as const;
  return [...new Set(terms.flatMap((term) => [term, hideTerm(term, hiding) ?? term]))];
}
