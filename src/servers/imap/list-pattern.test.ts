import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SESSION_LIMITS } from './limits.ts';
import { selectMatching } from './list-match.ts';
import { listPattern } from './list-pattern.ts';
import { createTurns } from './turns.ts';

function matches(pattern: string, name: string): boolean {
  return listPattern(pattern)(name, { steps: 0 });
}

test('wildcards of LIST', () => {
  const cases: [pattern: string, name: string, expected: boolean][] = [
    ['*', 'a/b/c', true],
    ['%', 'a', true],
    ['%', 'a/b', false],
    ['a/%', 'a/b', true],
    ['a/%', 'a/b/c', false],
    ['a/%/c', 'a/b/c', true],
    ['*c', 'a/b/c', true],
    ['%c', 'a/b/c', false],
    ['%/*', 'a/b/c', true],
    ['*%*', 'a/b', true],
    ['a*b%c', 'axx/yb1c', true],
    ['a*b%c', 'axx/yb/c', false],
    ['inbox', 'INBOX', true],
    ['Inbox/%', 'INBOX/x', true],
    ['inboxes', 'inboxes', true],
    ['', '', true],
    ['a', 'b', false],
    ['a.c', 'abc', false],
    ['Entwürfe', 'Entwürfe'.normalize('NFC'), true],
  ];
  for (const [pattern, name, expected] of cases)
    assert.equal(matches(pattern, name), expected, `${pattern} ${name}`);
});

/** The definition: slow, and plainly right. */
function reference(pattern: string, name: string): boolean {
  const [first] = pattern;
  if (first === undefined) return name === '';
  const rest = pattern.slice(1);
  if (first !== '*' && first !== '%') return name.startsWith(first) && reference(rest, name.slice(1));
  if (reference(rest, name)) return true;
  return name !== '' && (first === '*' || !name.startsWith('/')) && reference(pattern, name.slice(1));
}

/** A generator of numbers below `n` that are the same in every run (xorshift). */
function numbers(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

test('every pattern matches what its definition says', () => {
  const below = numbers(20_260_205);
  const text = (alphabet: string, most: number): string =>
    Array.from({ length: below(most + 1) }, () => alphabet.charAt(below(alphabet.length))).join('');
  const seen = { yes: 0, no: 0 };
  for (let round = 0; round < 20_000; round++) {
    const pattern = text('aab/*%%', 8);
    const name = text('aaab/', 9);
    const expected = reference(pattern, name);
    assert.equal(matches(pattern, name), expected, `${pattern} ${name}`);
    seen[expected ? 'yes' : 'no']++;
  }
  assert(seen.yes > 500 && seen.no > 500, JSON.stringify(seen));
});

test('patterns of more than 32 and 64 places match as short ones do', () => {
  for (const length of [30, 31, 32, 33, 62, 63, 64, 65, 100]) {
    const letters = 'a'.repeat(length);
    assert.equal(matches(`*${letters}`, `x/${letters}`), true, `${length}`);
    assert.equal(matches(`*${letters}`, `x/${letters.slice(1)}`), false, `${length}`);
    assert.equal(matches(`*${letters}%`, `x/${letters}yy`), true, `${length}`);
    assert.equal(matches(`*${letters}%`, `x/${letters}/y`), false, `${length}`);
    const dotted = '%a'.repeat(length);
    assert.equal(matches(dotted, letters), true, `${length}`);
    assert.equal(matches(dotted, letters.slice(1)), false, `${length}`);
    assert.equal(matches(`*/${dotted}`, `b/${'xa'.repeat(length)}`), true, `${length}`);
    assert.equal(matches(`*/${dotted}`, `b/${'xa'.repeat(length)}/`), false, `${length}`);
  }
});

const HOSTILE = `${'*a'.repeat(149)}b`;

test('a pattern of 149 wildcards costs a few steps for each character of a name', () => {
  const match = listPattern(HOSTILE);
  const work = { steps: 0 };
  for (let mailbox = 0; mailbox < 90; mailbox++) assert.equal(match('a'.repeat(200), work), false);
  // 300 places are 10 words.
  assert(work.steps <= 90 * 200 * 16, `${work.steps} steps`);
  assert.equal(match(`${'a'.repeat(200)}b`, work), true);
});

test('5,000 mailboxes by 10 hostile patterns let others have a turn all the time', async () => {
  const names = Array.from({ length: 5000 }, (_, i) => ({ name: `${'a'.repeat(50)}${i}` }));
  const patterns = Array.from({ length: SESSION_LIMITS.patterns }, (_, i) => listPattern(`${HOSTILE}${i}`));
  const turns = createTurns();
  let since = 0;
  let most = 0;
  let total = 0;
  let pauses = 0;
  const counting = {
    spend(steps: number) {
      since += steps;
      total += steps;
      most = Math.max(most, since);
      return turns.spend(steps);
    },
  };
  const found = await selectMatching([...names, { name: `${'a'.repeat(160)}b7` }], patterns, counting, () => {
    since = 0;
    pauses++;
    return Promise.resolve();
  });
  assert.deepEqual(found, [{ name: `${'a'.repeat(160)}b7` }]);
  assert(most <= SESSION_LIMITS.stepsPerTurn + 1000, `${most} steps in a row`);
  assert(total <= 5001 * patterns.length * 60 * 16, `${total} steps in all`);
  assert(pauses >= 100, `${pauses} turns`);
});
