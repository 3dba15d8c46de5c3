import { type AttachmentPolicy, judgeAttachments } from './attachments/policy.ts';
import {
  coldStart,
  createModel,
  explainedFeatures,
  type Features,
  type FeatureText,
  features as featuresOf,
  learn as learnSite,
  learnPersonal,
  linksLeadHome,
  linksPart,
  loadModel,
  type Model,
  ModelError,
  saveModel,
  score,
  strongest,
  threshold,
} from './classifier/index.ts';
import { extractFacts } from './facts/extract.ts';
import type { MessageFacts } from './facts/types.ts';
import { evaluate, evaluateWith } from './rules/index.ts';
import type { Hit } from './rules/types.ts';
import type { ContentScore, Learn, Question, Scanned } from './scan-types.ts';
import type { Reason } from './types.ts';

/** Judges content: facts, rules, classifier. Pure computing, for a thread of its own; the command line uses it in place. */
export interface Engine {
  judge(question: Question): Scanned;
  learn(lesson: Learn): void;
  /** Models as they are now, to be stored: the site's is some hundred kilobytes, so not after each lesson. */
  save(owners: readonly number[]): readonly TaughtModel[];
  /** The stored model of an owner; undefined, or one that cannot be read: it begins anew. */
  load(owner: number, model: Uint8Array | undefined): void;
  forget(owner: number): void;
}

/** A model after a lesson, to be saved. */
export interface TaughtModel {
  readonly owner: number;
  readonly model: Uint8Array;
  readonly ham: number;
  readonly spam: number;
}

const SITE = 0;
/** What administrators send themselves to see a filter at work; no mail holds it by accident. */
const GTUBE = 'XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X';
/** Domains handed on for lists. */
const SITES_MAX = 40;
/** How much one person's word counts for everybody. */
const SITE_WEIGHT = 0.3;
/** Nats below the threshold from which the words behind a score are looked up. */
const EXPLAIN_BELOW = 1;
const WORDS_MAX = 5;
/** Words that move the score by less say nothing. */
const WORD_LEAST = 0.005;

/** Nats of the links from which they are told by themselves. */
const LINKS_LEAST = 0.1;

/**
 * Nats that a message of a few words without links, pictures and attachments can have at most: "Welcome! Hello" is
 * written by advertisers and by friends alike, and does no harm. With something else against it, it still goes to Junk.
 */
const LITTLE_TEXT_MAX = 3;
/** Characters of text and subject together up to which that holds. */
const LITTLE_TEXT = 60;

function saysLittle({ text, subject, urls, html, attachments, truncated }: MessageFacts): boolean {
  if (truncated || urls.length > 0 || html !== undefined || attachments.length > 0) return false;
  return text.trim().length + subject.length <= LITTLE_TEXT;
}

/** Features that mean something to a reader. */
const SAID: ReadonlySet<string> = new Set(['word', 'capital', 'pair', 'subject', 'host', 'from']);

export function createEngine(): Engine {
  return new ContentEngine();
}

class ContentEngine implements Engine {
  readonly #models = new Map<number, Model>();

  /** Read from the program's files at the first use, where a site has none of its own yet. */
  get #site(): Model {
    const known = this.#models.get(SITE);
    if (known !== undefined) return known;
    const model = coldStart();
    this.#models.set(SITE, model);
    return model;
  }

  judge({ sample, evidence, owners, goodPerJunked, policy }: Question): Scanned {
    const facts = extractFacts(sample);
    // What the content alone says, as it was when the model learned; what more is known counts beside it.
    const inside = evaluate(facts);
    const known = new Set(inside.map(({ name }) => name));
    const beside = evaluateWith(facts, evidence).filter(({ name }) => !known.has(name));
    return {
      content: this.#content(facts, inside, owners, goodPerJunked),
      facts: beside.map(reasonOf),
      ...described(facts, policy),
    };
  }

  /** The site's score first, then those of the owners that have a model. */
  #content(
    facts: MessageFacts,
    inside: readonly Hit[],
    owners: readonly number[],
    goodPerJunked: number,
  ): ContentScore[] {
    const site = this.#site;
    const { features: given, texts } = explainedFeatures(facts, inside);
    const scores = [SITE, ...owners].flatMap((owner) => {
      const own = owner === SITE ? undefined : this.#models.get(owner);
      if (owner !== SITE && own === undefined) return [];
      const { logit, personal } = score(site, given, own);
      return [{ owner, personal, logit: saysLittle(facts) ? Math.min(logit, LITTLE_TEXT_MAX) : logit }];
    });
    const worst = Math.max(...scores.map(({ logit }) => logit));
    const line = threshold(site, goodPerJunked);
    const explained = worst >= Math.log(line / (1 - line)) - EXPLAIN_BELOW;
    const words = explained ? wordsOf(site, given, texts) : [];
    const links = linksReason(facts, linksPart(site, given));
    return scores.map(({ owner, logit, personal }) => ({
      owner,
      score: logit,
      threshold: line,
      because: because(logit - personal, personal, links, inside, words),
    }));
  }

  learn({ sample, label, owners, goodPerJunked }: Learn): void {
    const facts = extractFacts(sample);
    const given = featuresOf(facts, evaluate(facts));
    const before = score(this.#site, given).logit;
    const line = threshold(this.#site, goodPerJunked);
    for (const owner of owners) {
      if (owner === SITE) {
        learnSite(this.#site, given, label, SITE_WEIGHT);
        continue;
      }
      const own = this.#models.get(owner) ?? createModel('personal');
      this.#models.set(owner, own);
      learnPersonal(own, given, label, before, Math.log(line / (1 - line)));
    }
  }

  save(owners: readonly number[]): readonly TaughtModel[] {
    return owners.flatMap((owner) => {
      const model = owner === SITE ? this.#site : this.#models.get(owner);
      return model === undefined ? [] : [taught(owner, model)];
    });
  }

  load(owner: number, octets: Uint8Array | undefined): void {
    const stored = octets === undefined ? undefined : readable(octets);
    if (stored !== undefined) this.#models.set(owner, stored);
    else this.#models.delete(owner);
  }

  forget(owner: number): void {
    this.#models.delete(owner);
  }
}

function taught(owner: number, model: Model): TaughtModel {
  return { owner, model: saveModel(model), ham: model.ham, spam: model.spam };
}

/** A model of an older version has learned other features: it begins anew, as the shipped one has. */
function readable(octets: Uint8Array): Model | undefined {
  try {
    return loadModel(octets);
  } catch (error) {
    if (error instanceof ModelError) return undefined;
    throw error;
  }
}

/** What the score of the content rests on, in reasons that are about as large as their part in it. */
function because(
  site: number,
  lessons: number,
  links: Reason | undefined,
  hits: readonly Hit[],
  words: readonly { readonly text: string; readonly weight: number }[],
): Reason[] {
  // The links are told beside the rest, so that the two make up the score.
  const rest = site - (links?.score ?? 0);
  const spam = rest > 0;
  const named = words.filter(({ weight }) => weight > 0 === spam).map(({ text }) => text);
  const like = spam ? 'it reads like unwanted mail' : 'it reads like good mail';
  const text = named.length === 0 ? like : `${like}, above all ${named.join(', ')}`;
  const reasons: Reason[] = [
    {
      name: 'CONTENT',
      score: rest,
      text,
      ...(spam && { lever: 'it were written and built otherwise' }),
    },
    ...(links === undefined ? [] : [links]),
    // What these are worth is in the score of the content already; they say it in words.
    ...hits.slice(0, WORDS_MAX).map(reasonOf),
  ];
  if (Math.abs(lessons) > WORD_LEAST) {
    reasons.push({
      name: 'YOUR_LESSONS',
      score: lessons,
      text:
        lessons > 0 ? 'you have put such mail into Junk' : 'you have taken such mail out of Junk, or kept it',
    });
  }
  return reasons;
}

/** The one sign of the classifier that no word and no rule tells: whom the links lead to. It speaks for good mail only. */
function linksReason(facts: MessageFacts, nats: number): Reason | undefined {
  if (Math.abs(nats) < LINKS_LEAST) return undefined;
  return linksLeadHome(facts)
    ? { name: 'OWN_LINKS', score: nats, text: "the links lead to the author's own site" }
    : { name: 'FEW_SITES', score: nats, text: 'many links lead to few sites, as in a newsletter' };
}

function wordsOf(
  model: Model,
  given: Features,
  texts: readonly (readonly FeatureText[])[],
): { text: string; weight: number }[] {
  return strongest(model, given, texts, WORDS_MAX, isSaid).filter(
    ({ weight }) => Math.abs(weight) >= WORD_LEAST,
  );
}

/** Words too long to be kept are told by their length, which means nothing to a reader. */
function isSaid({ group, text }: FeatureText): boolean {
  return SAID.has(group) && !/\blong\d/i.test(text);
}

function reasonOf({ name, score: own, text, lever }: Hit): Reason {
  return { name, score: own, text, ...(lever !== undefined && { lever }) };
}

/** What others need to know of the message, small. */
function described(facts: MessageFacts, policy: AttachmentPolicy): Omit<Scanned, 'content' | 'facts'> {
  return {
    sites: sitesOf(facts),
    attachments: judgeAttachments(facts, policy),
    testPattern: facts.text.includes(GTUBE) || facts.plain.includes(GTUBE),
    author: authorText(facts),
    subject: facts.subject.slice(0, 500),
  };
}

/** Registrable domains of the links, each once, without addresses. */
function sitesOf({ urls }: MessageFacts): string[] {
  const sites = new Set<string>();
  for (const { site, ipHost } of urls) {
    if (site !== '' && !ipHost) sites.add(site);
    if (sites.size >= SITES_MAX) break;
  }
  return [...sites];
}

function authorText({ from }: MessageFacts): string {
  const [first] = from;
  if (first === undefined) return '';
  return (first.name === '' ? first.address : `${first.name} <${first.address}>`).slice(0, 320);
}
