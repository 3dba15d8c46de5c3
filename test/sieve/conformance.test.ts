/** The conformance set: a folder for each extension, a `.sieve` and a `.json` for each case, `.eml` files beside them or in `messages/`. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { SIEVE_EXTENSIONS } from '../../src/mail/sieve/index.ts';
import { type Case, type Outcome, runCase } from './run-case.ts';

const HERE = import.meta.dirname;
const folders = readdirSync(HERE, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'messages')
  .map((entry) => entry.name)
  .toSorted();

/** Messages are kept with LF, as editors like it; mail has CRLF. */
function messageOf(folder: string, name: string, one: Case): Buffer {
  const beside = join(HERE, folder, `${name}.eml`);
  const path = existsSync(beside) ? beside : join(HERE, 'messages', `${one.message ?? 'plain'}.eml`);
  return Buffer.from(readFileSync(path, 'latin1').replace(/\r?\n/g, '\r\n'), 'latin1');
}

/** "3:4 part of the message" against "3:4 the whole message". */
function begins(actual: string | undefined, expected: string): boolean {
  if (actual === undefined) return false;
  const [place = '', ...words] = expected.split(' ');
  return actual.startsWith(`${place} `) && actual.includes(words.join(' '));
}

function compareLists(what: string, actual: readonly string[], expected: readonly string[]): void {
  const fits = actual.length === expected.length && expected.every((one, i) => begins(actual[i], one));
  if (!fits) assert.deepEqual(actual, expected, what);
}

function judge(one: Case, outcome: Outcome): void {
  compareLists('errors of the script', outcome.errors, one.errors ?? []);
  if (one.errors !== undefined) return;
  compareLists('warnings', outcome.warnings, one.warnings ?? []);
  if (one.error === undefined) assert.equal(outcome.error, undefined);
  else assert.ok(begins(outcome.error, one.error), `error ${outcome.error}, expected ${one.error}`);
  assert.deepEqual(outcome.actions, one.actions ?? ['keep implicit']);
  assert.deepEqual(outcome.remember, one.remember ?? []);
  for (const text of one.has ?? [])
    assert.ok(outcome.edited?.includes(text), `${text} is not in ${outcome.edited}`);
  for (const text of one.hasNot ?? [])
    assert.ok(!outcome.edited?.includes(text), `${text} is in ${outcome.edited}`);
  if (one.has === undefined && one.hasNot === undefined) assert.equal(outcome.edited, undefined);
  for (const text of one.log ?? []) {
    const found = outcome.log.some((line) => line.includes(text));
    assert.ok(found, `no ${JSON.stringify(text)} in ${JSON.stringify(outcome.log)}`);
  }
}

const counts: [string, number][] = [];
for (const folder of folders) {
  const names = readdirSync(join(HERE, folder))
    .filter((file) => file.endsWith('.sieve'))
    .map((file) => basename(file, '.sieve'))
    .toSorted();
  counts.push([folder, names.length]);
  describe(`sieve ${folder}`, () => {
    for (const name of names) {
      const one = JSON.parse(readFileSync(join(HERE, folder, `${name}.json`), 'utf8')) as Case;
      it(`${name}: ${one.about}`, async () => {
        const source = readFileSync(join(HERE, folder, `${name}.sieve`), 'utf8');
        judge(one, await runCase(source, messageOf(folder, name, one), one));
      });
    }
  });
}

describe('the conformance set', () => {
  it('has cases for every extension', (t) => {
    const all = counts.reduce((sum, [, count]) => sum + count, 0);
    t.diagnostic(`${all} cases: ${counts.map(([folder, count]) => `${folder} ${count}`).join(', ')}`);
    const missing = SIEVE_EXTENSIONS.filter(
      (name) => !folders.includes(name.replace(/^comparator-.*/, 'comparators')),
    );
    assert.deepEqual(missing, []);
    assert.ok(all >= 250);
  });
});
