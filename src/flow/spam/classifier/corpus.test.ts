import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { extractFacts } from '../facts/extract.ts';
import { sampleOfBuffer } from '../facts/sample.ts';
import { createModel, type Example, features, score, threshold, train } from './index.ts';

const shared =
  process.env['POSTERN_CORPUS'] ?? fileURLToPath(new URL('../../../../../shared', import.meta.url));
const archive = join(shared, 'corpus', 'mail.tar.xz');

/** Every how manyth message is read: the whole corpus is for the benchmark. */
const EVERY = 8;

test('half of a real corpus teaches to tell the other half', (t) => {
  if (!existsSync(archive)) {
    t.skip(`no corpus at ${archive}`);
    return;
  }
  const dir = mkdtempSync(join(tmpdir(), 'postern-classifier-'));
  try {
    execFileSync('tar', ['xJf', archive, '-C', dir]);
    const all = [...read(dir, 'ham', 'ham'), ...read(dir, 'hard-ham', 'ham'), ...read(dir, 'spam', 'spam')];
    const model = createModel();
    train(
      model,
      all.filter((_, i) => i % 2 === 0),
      { folds: 2, passes: 5 },
    ); // prettier-ignore
    const unseen = all.filter((_, i) => i % 2 === 1);
    const line = threshold(model, 1000);
    const verdicts = unseen.map((one) => ({ label: one.label, p: score(model, one.features).probability }));
    const junked = (label: string): number =>
      verdicts.filter((one) => one.label === label && one.p >= line).length;
    const count = (label: string): number => verdicts.filter((one) => one.label === label).length;
    assert.ok(junked('ham') <= 1, `${junked('ham')} of ${count('ham')} good messages junked`);
    const caught = verdicts.filter((one) => one.label === 'spam' && one.p >= 0.5).length;
    assert.ok(caught > 0.9 * count('spam'), `${caught} of ${count('spam')} caught at an even chance`);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

function read(dir: string, folder: string, label: Example['label']): Example[] {
  const base = join(dir, existsSync(join(dir, folder)) ? '' : 'spam-dev', folder);
  const names = readdirSync(base)
    .toSorted()
    .filter((_, i) => i % EVERY === 0); // prettier-ignore
  return names.map((name) => {
    const octets = readFileSync(join(base, name));
    const start = octets.toString('latin1', 0, 5) === 'From ' ? octets.indexOf(10) + 1 : 0;
    return { features: features(extractFacts(sampleOfBuffer(octets.subarray(start)))), label };
  });
}
