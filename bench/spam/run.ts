/** Runs filters over splits. What a peer said is kept under the temporary directory, for it does not change. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Label, Sample } from './corpus.ts';
import type { Filter } from './peers/filter.ts';
import type { Split } from './splits.ts';

/** Folder under the temporary directory. */
export const CACHE = 'postern-spam-cache';

export interface Outcome {
  readonly index: number;
  readonly label: Label;
  readonly score: number;
  readonly junk: boolean;
}

/** Outcomes of each run of the split. `cached`: look for and keep them under the temporary directory. */
export async function runSplit(filter: Filter, split: Split, cached: boolean): Promise<Outcome[][]> {
  const file = cached ? cacheFile(filter, split) : '';
  if (cached && existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Outcome[][];
  const runs: Outcome[][] = [];
  for (const steps of split.runs) {
    const dir = mkdtempSync(join(tmpdir(), `postern-spam-${filter.name}-`));
    try {
      const session = await filter.begin(dir);
      const outcomes: Outcome[] = [];
      try {
        for (const step of steps) {
          if (step.learn.length > 0) await session.learn(step.learn);
          const verdicts = await session.judge(step.judge);
          for (const [i, sample] of step.judge.entries()) outcomes.push(outcome(sample, verdicts[i]));
        }
      } finally {
        await session.end();
      }
      runs.push(outcomes);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
  if (cached) writeFileSync(file, JSON.stringify(runs));
  return runs;
}

function outcome(sample: Sample, verdict: { score: number; junk: boolean } | undefined): Outcome {
  if (!verdict) throw new Error(`no score for ${sample.path}`);
  return { index: sample.index, label: sample.label, score: verdict.score, junk: verdict.junk };
}

/** The name holds what the split is made of, so that another corpus or another cut is another file. */
function cacheFile(filter: Filter, split: Split): string {
  const hash = createHash('sha256');
  for (const steps of split.runs) {
    for (const step of steps) {
      hash.update(step.learn.map((one) => one.path).join('\n'));
      hash.update('\0');
      hash.update(step.judge.map((one) => one.path).join('\n'));
      hash.update('\0\0');
    }
  }
  const folder = join(tmpdir(), CACHE);
  mkdirSync(folder, { recursive: true });
  return join(folder, `${filter.name}-${split.name}-${hash.digest('hex').slice(0, 16)}.json`);
}
