/**
 * Accuracy of the spam filter beside bogofilter, SpamAssassin and rspamd on the same splits of the same mail:
 * `node bench/spam/accuracy.ts PATH [--only SPLIT,...] [--filter NAME,...] [--fresh]`. PATH: the corpus, a folder with
 * ham/, hard-ham/ and spam/ or the .tar.xz. docs/spam-accuracy.md explains the splits and keeps a run's figures.
 */
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readCorpus } from './corpus.ts';
import { type Interval, type Judged, measure, ratio } from './metrics.ts';
import { bogofilter } from './peers/bogofilter.ts';
import type { Filter } from './peers/filter.ts';
import { postern } from './peers/postern.ts';
import { rspamd } from './peers/rspamd.ts';
import { spamassassin } from './peers/spamassassin.ts';
import { CACHE, type Outcome, runSplit } from './run.ts';
import { makeSplits, type Split } from './splits.ts';

const FILTERS: readonly Filter[] = [postern, bogofilter, spamassassin, rspamd];

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: '' },
    filter: { type: 'string', default: '' },
    fresh: { type: 'boolean', default: false },
  },
});

await main(positionals[0]);

async function main(path: string | undefined): Promise<void> {
  if (path === undefined) throw new Error('usage: node bench/spam/accuracy.ts PATH [--only SPLIT,...]');
  if (flags.fresh) rmSync(join(tmpdir(), CACHE), { recursive: true, force: true });
  const all = readCorpus(path);
  const ham = all.filter((one) => one.label === 'ham').length;
  console.log(`${all.length} messages: ${ham} ham, ${all.length - ham} spam\n`);
  for (const split of makeSplits(all)) {
    if (!chosen(flags.only, split.name)) continue;
    await table(split);
  }
}

function chosen(list: string, name: string): boolean {
  return list === '' || list.split(',').includes(name);
}

async function table(split: Split): Promise<void> {
  console.log(`### ${split.name}: ${split.about}\n`);
  heading();
  const done = new Map<string, readonly Outcome[][]>();
  for (const filter of FILTERS) {
    if (!chosen(flags.filter, filter.name)) continue;
    const missing = filter.missing();
    if (missing !== undefined) {
      console.log(`| ${filter.name} | ${missing} | | | | |`);
      continue;
    }
    if (filter.slow && !split.once) {
      console.log(
        `| ${filter.name} | left out: it would learn each message many times, which takes hours | | | | |`,
      );
      continue;
    }
    const runs = await runSplit(filter, split, filter !== postern);
    done.set(filter.name, runs);
    console.log(row(filter.name, runs));
  }
  compare(done);
  const { settled } = split;
  if (settled === undefined) return;
  console.log(
    `Of these, from message ${settled.toLocaleString('en')} on, when each has learned something:\n`,
  );
  heading();
  const later = new Map([...done].map(([name, runs]) => [name, runs.map((run) => from(run, settled))]));
  for (const [name, runs] of later) console.log(row(name, runs));
  compare(later);
}

function from(outcomes: readonly Outcome[], first: number): Outcome[] {
  return outcomes.filter(({ index }) => index >= first);
}

function heading(): void {
  console.log(
    '| filter | 1-ROCA % | ham lost % at 98 % catch | at 99 % catch | default: ham lost % | caught % |',
  );
  console.log('|---|---|---|---|---|---|');
}

function row(name: string, runs: readonly Outcome[][]): string {
  const measures = measure(runs);
  const outcomes = runs.flat();
  const share = (label: 'ham' | 'spam'): string => {
    const own = outcomes.filter((one) => one.label === label);
    return ((100 * own.filter((one) => one.junk).length) / own.length).toFixed(label === 'ham' ? 2 : 1);
  };
  const cells = [
    show(measures.roca, 3),
    show(measures.loss98, 2),
    show(measures.loss99, 2),
    share('ham'),
    share('spam'),
  ];
  return `| ${name} | ${cells.join(' | ')} |`;
}

function show({ value, low, high }: Interval, digits: number): string {
  return `${value.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

function compare(done: ReadonlyMap<string, readonly (readonly Judged[])[]>): void {
  const ours = done.get('postern');
  const theirs = done.get('bogofilter');
  if (ours && theirs) {
    const [area, loss] = [ratio(ours, theirs, 'roca'), ratio(ours, theirs, 'loss98')];
    console.log(
      `\nPostern's share of bogofilter's: 1-ROCA ${show(area, 2)}, ham lost at 98 % catch ${show(loss, 2)}`,
    );
  }
  console.log('');
}
