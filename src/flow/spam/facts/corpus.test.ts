/** Real mail, cut and changed at random: facts, rules and policy come out of anything, within their limits. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { judgeAttachments } from '../attachments/policy.ts';
import { evaluate, rules, totalScore } from '../rules/index.ts';
import { extractFacts } from './extract.ts';
import { factLimits } from './limits.ts';
import { sampleOfBuffer } from './sample.ts';

const shared = process.env.POSTERN_CORPUS ?? join(import.meta.dirname, '../../../../../shared');
const archive = join(shared, 'corpus', 'mail.tar.xz');
const skip = existsSync(archive) ? false : 'the mail corpus is not there (POSTERN_CORPUS)';
let folder = '';

before(() => {
  if (skip !== false) return;
  folder = mkdtempSync(join(tmpdir(), 'postern-facts-'));
  execFileSync('tar', ['xf', archive, '-C', folder]);
});
after(() => {
  if (folder !== '') rmSync(folder, { recursive: true });
});

/** Every `step`-th message of a folder. */
function some(kind: string, step: number): Buffer[] {
  const base = join(folder, 'spam-dev', kind);
  const files = readdirSync(base).toSorted();
  return files.filter((_, i) => i % step === 0).map((file) => readFileSync(join(base, file)));
}

/** A small generator, so that a failure can be had again. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const NASTY = [
  '\0',
  '\r',
  '\n',
  '\r\n\r\n',
  '--',
  '=?',
  '?=',
  '<',
  '>',
  '"',
  '(',
  '@',
  'http://',
  '\xff\xfe',
  '=',
  'base64',
  'Content-Type: multipart/mixed; boundary=',
  '<!--',
  '&#',
  'PK\x03\x04',
  'begin 644 x\n',
];

function mutated(octets: Buffer, random: () => number): Buffer {
  let out = Buffer.from(octets.subarray(0, 60_000));
  for (let i = 0; i < 1 + random() * 8; i++) {
    const at = Math.floor(random() * out.length);
    const what = random();
    if (what < 0.4) out[at] = Math.floor(random() * 256);
    else if (what < 0.7) {
      const piece = Buffer.from(NASTY[Math.floor(random() * NASTY.length)] ?? '', 'latin1');
      out = Buffer.concat([out.subarray(0, at), piece, out.subarray(at)]);
    } else if (what < 0.85)
      out = Buffer.concat([out.subarray(0, at), out.subarray(at + Math.floor(random() * 200))]);
    else
      out = Buffer.concat([out.subarray(0, at), out.subarray(Math.max(0, at - 500), at), out.subarray(at)]);
  }
  return out;
}

test('changed at random, nothing throws and nothing grows', { skip }, () => {
  const random = generator(7);
  const originals = [...some('hard-ham', 8), ...some('spam', 30), ...some('ham', 80)];
  let count = 0;
  for (const original of originals) {
    for (let round = 0; round < 6; round++) {
      const sample = sampleOfBuffer(mutated(original, random));
      assert.ok(sample.structure.length <= factLimits.sampleStructure);
      const found = extractFacts(sample);
      assert.ok(found.text.length <= factLimits.textChars && found.urls.length <= factLimits.urls);
      for (const { text } of evaluate(found)) assert.ok(text.length < 400);
      judgeAttachments(found);
      count++;
    }
  }
  assert.ok(count > 400);
});

test('content alone puts next to no good mail far towards spam', { skip }, () => {
  const share = (kind: string, step: number, limit: number): number => {
    const scores = some(kind, step).map((octets) =>
      totalScore(evaluate(extractFacts(sampleOfBuffer(octets)))),
    );
    return scores.filter((score) => score > limit).length / scores.length;
  };
  assert.ok(share('ham', 10, 2) <= 0.01);
  assert.ok(share('hard-ham', 2, 3) <= 0.02);
  assert.ok(share('spam', 6, 2) >= 0.35);
});

test('no rule is common in good mail, except those that say so by a score near nothing', { skip }, () => {
  const ham = [...some('ham', 8), ...some('hard-ham', 3)].map((octets) =>
    extractFacts(sampleOfBuffer(octets)),
  );
  for (const rule of rules.filter(({ score }) => score >= 1)) {
    const hits = ham.filter((found) => {
      const result = rule.test(found, {});
      return result !== false && result !== '';
    });
    assert.ok(hits.length / ham.length <= 0.01, `${rule.name}: ${hits.length} of ${ham.length}`);
  }
});
