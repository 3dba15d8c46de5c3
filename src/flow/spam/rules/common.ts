/** What several rules ask. */
import { plainLatin } from '../facts/unicode.ts';
import type { AddressFact, FieldFact, MessageFacts, UrlFact } from '../facts/types.ts';
import type { RuleEvidence } from './types.ts';

/** Characters of the text that rules over words look at. */
const MAX_TEXT = 5000;

const texts = new WeakMap<MessageFacts, string>();

/** The start of the subject and the text: lower case, look-alikes seen through, white space folded. Made once. */
export function plainText(facts: MessageFacts): string {
  let text = texts.get(facts);
  if (text === undefined) {
    const raw = `${facts.subject}\n${facts.text}`.slice(0, MAX_TEXT);
    text = (isPlain(facts) ? raw : plainLatin(raw)).toLowerCase().replace(/[’‘]/g, "'").replace(/\s+/g, ' ');
    texts.set(facts, text);
  }
  return text;
}

function isPlain({ unicode: { text, subject } }: MessageFacts): boolean {
  return [text, subject].every(
    (one) => one.mixedWords + one.zeroWidth + one.mathematical + one.fullwidth + one.bidi === 0,
  );
}

export function field(facts: MessageFacts, name: string): FieldFact | undefined {
  return facts.fields.find((one) => one.name === name);
}

export function has(facts: MessageFacts, name: string): boolean {
  return facts.fieldCounts.has(name);
}

export function fromOf(facts: MessageFacts): AddressFact | undefined {
  return facts.from[0];
}

/** Links that a reader may follow. */
export function linksOf(facts: MessageFacts): UrlFact[] {
  return facts.urls.filter(({ source }) => source === 'href' || source === 'text' || source === 'form');
}

/** The To and Cc addresses and, where known, the envelope recipients; lower case. */
export function recipientsOf(facts: MessageFacts, evidence: RuleEvidence): string[] {
  const named = [...facts.to, ...facts.cc].slice(0, 20).map(({ address }) => address.toLowerCase());
  return [...new Set([...(evidence.recipients ?? []), ...named])].filter((address) => address.includes('@'));
}

/** Does anything prove that the mail comes from the From domain (or a trusted forwarder says that it did)? */
export function isProven(facts: MessageFacts, evidence: RuleEvidence): boolean {
  const site = fromOf(facts)?.site;
  if (evidence.authenticated === true || evidence.dmarc?.result === 'pass') return true;
  if (evidence.arc?.result === 'pass' && evidence.arc.trusted) return true;
  if (site === undefined || site === '') return false;
  const covers = (domain: string): boolean => domain === site || domain.endsWith(`.${site}`);
  if (evidence.spf?.result === 'pass' && covers(evidence.spf.domain)) return true;
  return evidence.dkim?.some(({ result, domain }) => result === 'pass' && covers(domain)) === true;
}

/** Was anything asked that could prove it? */
export function wasChecked(evidence: RuleEvidence): boolean {
  return evidence.spf !== undefined || evidence.dkim !== undefined || evidence.dmarc !== undefined;
}

/** Registrable names that cost little and are thrown away. */
const CHEAP = new Set(
  'top xyz icu click link buzz rest cyou cfd sbs monster quest bond gdn loan win bid date download stream trade party review science racing men work zip mov surf hair beauty makeup lol autos boats homes yachts pics rugby'.split(
    ' ',
  ),
);

export function isCheapName(domain: string): boolean {
  return CHEAP.has(domain.slice(domain.lastIndexOf('.') + 1));
}
