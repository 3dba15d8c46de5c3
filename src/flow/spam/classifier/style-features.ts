/** How a message is made: links, markup, the look of its text, the rules that applied. */
import type { MessageFacts } from '../facts/types.ts';
import type { RuleHit } from './features.ts';
import { classifierLimits } from './limits.ts';
import type { FeatureSink } from './sink.ts';
import { hasSignature, magnitude } from './text.ts';

const LETTERS = /[a-z]{2,20}/g;

export function styleFeatures(
  facts: MessageFacts,
  subject: string,
  rules: readonly RuleHit[],
  sink: FeatureSink,
): void {
  for (const { name } of rules) sink.add('style', `rule ${name}`);
  linkFeatures(facts, sink);
  if (facts.html) markupFeatures(facts.html, sink);
  lookFeatures(facts, subject, sink);
}

function linkFeatures(facts: MessageFacts, sink: FeatureSink): void {
  sink.add('link', `links ${magnitude(facts.urls.length)}`);
  for (const url of facts.urls.slice(0, classifierLimits.urls)) {
    sink.add('host', url.host);
    sink.add('host', url.site);
    const end = url.ipHost ? 'address' : url.host.slice(url.host.lastIndexOf('.') + 1);
    sink.add('link', `ends in ${end}`);
    sink.add('link', `${url.source} ${url.scheme}${url.ipHost ? ' address' : ''}`);
    sink.add('link', `path ${magnitude(url.pathLength)}`);
    const slash = url.url.indexOf('/', url.scheme.length + 3);
    const path = slash < 0 ? '' : url.url.slice(slash, slash + classifierLimits.headerChars).toLowerCase();
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

function lookFeatures(facts: MessageFacts, subject: string, sink: FeatureSink): void {
  const { text } = facts;
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
