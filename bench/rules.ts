/**
 * How often each rule applies to good and bad mail: `node bench/rules.ts FOLDER`, with folders of messages (ham, hard-ham,
 * spam, ...) in it. Without anything known from outside: the content alone. Prints the cost too.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { extractFacts } from '../src/flow/spam/facts/extract.ts';
import { sampleOfBuffer } from '../src/flow/spam/facts/sample.ts';
import { evaluate, rules, totalScore } from '../src/flow/spam/rules/index.ts';

const root = process.argv[2];
if (root === undefined) {
  console.error('usage: node bench/rules.ts FOLDER [RULE]');
  process.exit(2);
}
/** With a rule's name: which messages it applies to. */
const wanted = process.argv[3];

/** Milliseconds of `work`: the best of several runs, so that what else the machine does leaves little trace. */
function cost(work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 4; run++) {
    const start = performance.now();
    work();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

const folders = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .toSorted();
const counts = new Map<string, Map<string, number>>();
const totals = new Map<string, number[]>();
const costs: number[] = [];
const ruleCosts: number[] = [];

for (const folder of folders) {
  const hits = new Map<string, number>();
  const scores: number[] = [];
  for (const file of readdirSync(join(root, folder)).toSorted()) {
    const sample = sampleOfBuffer(readFileSync(join(root, folder, file)));
    const facts = extractFacts(sample);
    const found = evaluate(facts);
    if (wanted === undefined) {
      costs.push(cost(() => extractFacts(sample)));
      // Facts are made anew, for rules remember what they have looked up.
      const anew = Array.from({ length: 4 }, () => extractFacts(sample));
      ruleCosts.push(cost(() => evaluate(anew.pop() ?? facts)));
    }
    scores.push(totalScore(found));
    for (const { name, text } of found) {
      hits.set(name, (hits.get(name) ?? 0) + 1);
      if (name === wanted) console.log(`${folder}/${file.slice(0, 12)} ${text}`);
    }
  }
  counts.set(folder, hits);
  totals.set(
    folder,
    scores.toSorted((a, b) => a - b),
  );
}

const percent = (part: number, whole: number): string =>
  `${((100 * part) / Math.max(1, whole)).toFixed(2)}`.padStart(8);
const at = (values: readonly number[], share: number): number =>
  values[Math.floor((values.length - 1) * share)] ?? 0;

if (wanted === undefined) {
  console.log(
    `${'percent of'.padEnd(32)}${'score'.padStart(6)}${folders.map((name) => name.padStart(9)).join('')}`,
  );
  for (const { name, score } of rules) {
    const shares = folders.map((folder) =>
      percent(counts.get(folder)?.get(name) ?? 0, totals.get(folder)?.length ?? 0),
    );
    console.log(`${name.padEnd(32)}${score.toFixed(1).padStart(6)} ${shares.join(' ')}`);
  }
  console.log(`\n${rules.length} rules. Sum of scores, median / 95 % / 99 % / highest:`);
  for (const [folder, scores] of totals) {
    const over = [3, 4, 5].map(
      (limit) =>
        `over ${limit}: ${percent(scores.filter((one) => one > limit).length, scores.length).trim()} %`,
    );
    const points = [0.5, 0.95, 0.99, 1].map((share) => at(scores, share).toFixed(1)).join(' / ');
    console.log(`${folder.padEnd(12)}${points}   ${over.join(', ')}`);
  }
}
for (const [what, values] of [
  ['facts', costs],
  ['rules', ruleCosts],
] as const) {
  const sorted = values.toSorted((a, b) => a - b);
  console.log(
    `${what}: median ${at(sorted, 0.5).toFixed(3)} ms, 99 % ${at(sorted, 0.99).toFixed(2)} ms, worst ${at(sorted, 1).toFixed(1)} ms`,
  );
}
