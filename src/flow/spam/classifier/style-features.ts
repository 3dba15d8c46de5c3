/** How a message is made: links, markup, the look of its text, the rules that applied. */
import type { MessageFacts, UrlFact } from '../facts/types.ts';
import type { RuleHit } from './features.ts';
import { classifierLimits } from './limits.ts';
import { layoutFeatures } from './layout-features.ts';
import type { FeatureSink } from './sink.ts';
import { hasSignature, magnitude, withoutAddresses } from './text.ts';

const LETTERS = /[a-z]{2,20}/g;
const DIGIT = /\d/g;

/** A message as its author made it. */
export interface Made {
  readonly facts: MessageFacts;
  /** Without the tag of a list. */
  readonly subject: string;
  /** Text without the footer of a list. */
  readonly body: string;
  /** Links that count. */
  readonly links: readonly UrlFact[];
}

export function styleFeatures(made: Made, rules: readonly RuleHit[], sink: FeatureSink): void {
  for (const { name } of rules) sink.add('style', `rule ${name}`);
  linkFeatures(made.links, sink);
  if (made.facts.html) markupFeatures(made.facts.html, sink);
  lookFeatures(made, sink);
  layoutFeatures(made.body, sink);
}

function linkFeatures(links: readonly UrlFact[], sink: FeatureSink): void {
  sink.add('link', `links ${magnitude(links.length)}`);
  for (const url of links) {
    sink.add('host', url.host);
    sink.add('host', url.site);
    const end = url.ipHost ? 'address' : url.host.slice(url.host.lastIndexOf('.') + 1);
    sink.add('link', `ends in ${end}`);
    sink.add('link', `${url.source} ${url.scheme}${url.ipHost ? ' address' : ''}`);
    sink.add('link', `path ${magnitude(url.pathLength)}`);
    const slash = url.url.indexOf('/', url.scheme.length + 3);
    // Links that carry the reader's address tell who it is.
    const path = withoutAddresses(
      slash < 0 ? '' : url.url.slice(slash, slash + classifierLimits.headerChars).replaceAll('%40', '@'),
    ).toLowerCase();
    sink.grams('path', `${path.slice(0, classifierLimits.pathChars).replace(DIGIT, '0')}$`);
    for (const word of (path.match(LETTERS) ?? []).slice(0, classifierLimits.urlWords))
      sink.add('link', `/${word}`);
    for (const word of (url.host.match(LETTERS) ?? []).slice(0, classifierLimits.urlWords))
      sink.add('link', word);
  }
}

function markupFeatures(html: NonNullable<MessageFacts['html']>, sink: FeatureSink): void {
  for (const [tag, count] of Object.entries(html.tags))
    sink.add('markup', `<${tag}> ${magnitude(count) >> 1}`);
  sink.add('markup', `comments ${magnitude(html.comments)}`);
  sink.add('markup', `images ${magnitude(html.images)}`);
  sink.add('markup', `hidden ${magnitude(html.hiddenChars) >> 1}`);
}

function lookFeatures({ facts, subject, body: text }: Made, sink: FeatureSink): void {
  const unicode = facts.unicode.text;
  const share = Math.min(10, Math.floor((20 * unicode.upper) / (unicode.letters + 1)));
  sink.add('style', `upper ${share}`);
  sink.add('style', `length ${magnitude(text.trim().length)}`);
  const head = text.slice(0, classifierLimits.gramChars * 2);
  const count = { '!': 0, $: 0, '>': 0 };
  let lineStart = true;
  for (let i = 0; i < head.length; i++) {
    const char = head[i];
    if (char === '!' || char === '$') count[char]++;
    else if (char === '>' && lineStart) count['>']++;
    lineStart = char === '\n';
  }
  sink.add('style', `! ${magnitude(count['!'])}`);
  sink.add('style', `$ ${magnitude(count.$)}`);
  sink.add('style', `quoted ${magnitude(count['>'])}`);
  const lower = /\p{Ll}/u.test(subject);
  sink.add('style', `subject ${subject === '' ? 'none' : lower ? 'mixed' : 'upper'}`);
  sink.add(
    'style',
    `subject ends ${/[!?.]$/.exec(subject)?.[0] ?? (/\s{3,}\S+$/.test(subject.slice(-60)) ? 'far' : '')}`,
  );
  if (/^re:/i.test(subject)) sink.add('style', `re ${facts.isReply}`);
  if (/\b(?:wrote|writes|said):/.test(head)) sink.add('style', 'wrote');
  if (hasSignature(text)) sink.add('style', 'signature');
  sink.add('style', `language ${facts.language.guess ?? '?'}`);
}
