import { categoriesOf } from './attachments/categories.ts';
import { extractFacts } from './facts/extract.ts';
import type { MessageFacts } from './facts/types.ts';
import { evaluate } from './rules/index.ts';
import type { ContentScore, Learn, Question, Scanned } from './scan-types.ts';
import type { Reason } from './types.ts';

/** Judges content: facts, rules, classifier. Pure computing, for a thread of its own; the command line uses it in place. */
export interface Engine {
  judge(question: Question): Scanned;
  learn(lesson: Learn): readonly { owner: number; model: Uint8Array; ham: number; spam: number }[];
  /** The stored model of an owner; undefined: it begins anew. */
  load(owner: number, model: Uint8Array | undefined): void;
  forget(owner: number): void;
}

/** Domains handed on for lists. */
const SITES_MAX = 40;

export function createEngine(): Engine {
  return {
    judge(question) {
      const facts = extractFacts(question.sample);
      const hits = evaluate(facts, question.evidence);
      const content: ContentScore[] = [
        {
          owner: 0,
          score: hits.filter(({ outside }) => !outside).reduce((sum, { score }) => sum + score, -2),
          threshold: 0.95,
          because: hits.filter(({ outside }) => !outside).map(reasonOf),
        },
      ];
      return {
        content,
        facts: hits.filter(({ outside }) => outside).map(reasonOf),
        sites: sitesOf(facts),
        attachments: facts.attachments.flatMap((attachment) =>
          categoriesOf(attachment).map((category) => ({ category, name: attachment.name.slice(0, 200) })),
        ),
        author: authorText(facts),
        subject: facts.subject.slice(0, 500),
      };
    },
    learn: () => [],
    load() {},
    forget() {},
  };
}

function reasonOf({
  name,
  score,
  text,
  lever,
}: {
  name: string;
  score: number;
  text: string;
  lever: string | undefined;
}): Reason {
  return { name, score, text, ...(lever !== undefined && { lever }) };
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
