/** Which links of a message are its author's. */
import type { MessageFacts, UrlFact } from '../facts/types.ts';
import { classifierLimits } from './limits.ts';
import { isListPage, withoutFooter } from './text.ts';

/**
 * The links that are looked at: none to a list's page at its manager's, and none that stand only in a list's footer,
 * for they tell which lists the reader is on. `body`: the text without such a footer.
 */
export function readLinks(facts: MessageFacts, body: string = withoutFooter(facts.text)): readonly UrlFact[] {
  const footer = facts.text.slice(body.length);
  const links: UrlFact[] = [];
  for (const link of facts.urls) {
    if (links.length === classifierLimits.urls) break;
    if (isListPage(link.url)) continue;
    if (footer !== '' && link.source === 'text' && footer.includes(link.url) && !body.includes(link.url))
      continue;
    links.push(link);
  }
  return links;
}
