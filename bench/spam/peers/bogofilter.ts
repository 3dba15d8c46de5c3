/** Bogofilter of Debian, as it comes, with a word list of its own. */
import { execFileSync, spawnSync } from 'node:child_process';
import type { Sample } from '../corpus.ts';
import { byLabel, type Filter, type Session, type Verdict } from './filter.ts';

const OUTPUT_LIMIT = 64 * 1024 * 1024;
/** Bogofilter's own default for "Spam". */
const CUTOFF = 0.99;

export const bogofilter: Filter = {
  name: 'bogofilter',
  slow: false,
  missing: () => (spawnSync('bogofilter', ['-V']).error ? 'not installed' : undefined),
  begin: (dir) => session(dir),
};

/** One file name a line. */
function names(samples: readonly Sample[]): string {
  return samples.map((one) => `${one.path}\n`).join('');
}

function session(dir: string): Session {
  // No configuration file of the machine.
  const base = ['-C', '-d', dir];
  const run = (args: readonly string[], input: string): string =>
    execFileSync('bogofilter', [...base, ...args], {
      input,
      encoding: 'utf8',
      maxBuffer: OUTPUT_LIMIT,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
  return {
    learn(samples) {
      const { ham, spam } = byLabel(samples);
      if (ham.length > 0) run(['-n', '-b'], names(ham));
      if (spam.length > 0) run(['-s', '-b'], names(spam));
    },
    judge(samples) {
      // "-TT": name and score in full. It ends with 1 for ham and 2 for unsure, so only the output counts.
      const result = spawnSync('bogofilter', [...base, '-TT', '-b'], {
        input: names(samples),
        encoding: 'utf8',
        maxBuffer: OUTPUT_LIMIT,
      });
      const scores = new Map<string, number>();
      for (const line of result.stdout.split('\n')) {
        const space = line.lastIndexOf(' ');
        if (space > 0) scores.set(line.slice(0, space), Number(line.slice(space + 1)));
      }
      // Without a word list nothing is printed: nothing is known yet.
      return samples.map((sample): Verdict => {
        const score = scores.get(sample.path) ?? 0.5;
        return { score, junk: score >= CUTOFF };
      });
    },
    end() {},
  };
}
