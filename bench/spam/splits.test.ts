import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sample } from './corpus.ts';
import { runSplit } from './run.ts';
import type { Filter } from './peers/filter.ts';
import { makeSplits, type Split } from './splits.ts';

const COUNT = 1_300;

const all: readonly Sample[] = Array.from({ length: COUNT }, (_, index) => ({
  index,
  label: index % 3 === 0 ? 'spam' : 'ham',
  path: `${index}`,
  source: 'direct',
  sender: `s${index % 7}.example`,
  bytes: Buffer.alloc(0),
}));

function splitOf(name: string): Split {
  const split = makeSplits(all).find((one) => one.name === name);
  assert.ok(split);
  return split;
}

/** Its score for a message is how many labels it had been told by then. */
function counter(): Filter {
  return {
    name: 'counter',
    slow: true,
    missing: () => undefined,
    begin() {
      let told = 0;
      return {
        learn(samples) {
          // In the order of time, none twice.
          for (const { index } of samples) assert.equal(index, told++);
        },
        judge: (samples) => samples.map(() => ({ score: told, junk: false })),
        end() {},
      };
    },
  };
}

test('with immediate feedback every message is judged by a filter that knows all before it, and not itself', async () => {
  const [outcomes = []] = await runSplit(counter(), splitOf('immediate'), false);
  assert.deepEqual(
    outcomes.map(({ index, score }) => [index, score]),
    all.map(({ index }) => [index, index]),
  );
});

test('with delayed feedback a label is told 500 messages later', async () => {
  const [outcomes = []] = await runSplit(counter(), splitOf('delayed'), false);
  assert.deepEqual(
    outcomes.map(({ index, score }) => [index, score]),
    all.slice(1_000).map(({ index }) => [index, index - 499]),
  );
});

test('slow filters are asked where each message is learned once at most', () => {
  const asked = makeSplits(all).filter(({ once }) => once);
  assert.deepEqual(
    asked.map(({ name }) => name),
    ['immediate', 'delayed', 'half-time', 'half-turned', 'half-mixed', 'newsletters'],
  );
});
