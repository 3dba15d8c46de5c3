/**
 * What is known of newsletters before any was seen. Whoever publishes links many times to few sites, mostly to the own
 * one: articles, the archive, the settings of the subscription. Unwanted mail mostly has one place to go to, and that is
 * not its From, which is borrowed. A classifier cannot learn this where nobody has sent it a newsletter yet, so it is
 * told beforehand, and less so the more of them it has learned.
 */
import type { MessageFacts, UrlFact } from '../facts/types.ts';
import { readLinks } from './links.ts';

/** Doublings of the links for each site that say nothing: one or two links to a site are in any mail. */
const USUAL_DOUBLINGS = 0.5;
/** Doublings beyond these that count: whoever repeats links for the sake of it gains no more. */
const MOST_DOUBLINGS = 2.5;

/** Value of `ownLinks` from which a good message is a newsletter. */
export const NEWSLETTER = 2;

/** From 0, few links or as many sites as links, to 5, where eight times as many links as sites are all the author's. */
export function ownLinks(facts: MessageFacts, all: readonly UrlFact[] = readLinks(facts)): number {
  const links = followed(all);
  if (links.length === 0) return 0;
  const own = ownShare(facts, links);
  const sites = new Set(links.map((link) => link.site)).size;
  const doublings = Math.log2((1 + links.length) / (1 + sites)) - USUAL_DOUBLINGS;
  return (1 + own) * Math.min(Math.max(doublings, 0), MOST_DOUBLINGS);
}

/** Whether more links than not lead to the site of its From: how the sign above is told in words. */
export function linksLeadHome(facts: MessageFacts): boolean {
  return ownShare(facts, followed(readLinks(facts))) > 0.5;
}

/** Links for the reader to follow. */
function followed(links: readonly UrlFact[]): UrlFact[] {
  return links.filter(({ source }) => source === 'href' || source === 'text');
}

function ownShare({ from }: MessageFacts, links: readonly UrlFact[]): number {
  const site = from[0]?.site ?? '';
  if (site === '' || links.length === 0) return 0;
  return links.filter((link) => link.site === site).length / links.length;
}
