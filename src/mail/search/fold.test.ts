import assert from 'node:assert/strict';
import { test } from 'node:test';

import { finderOf, fold, foldedPieces, needleOf } from './fold.ts';

/** Steps that a session does between turns of the others. */
const STEPS_PER_TURN = 100_000;

test('a text folded in pieces is the text folded whole', () => {
  const texts = [
    'Straße, CAFÉ, ﬁn, Ⅷ, ｆｕｌｌ '.repeat(100),
    'e\u0301\u0323'.repeat(1000),
    '한글 텍스트'.repeat(300),
    '\u{1d400}\u{1f600}'.repeat(1000),
    `${'a'.repeat(2047)}e\u0301${'b'.repeat(255)}\u0301`,
  ];
  for (const text of texts) {
    const whole = text.normalize('NFKD').toLowerCase();
    assert.equal(fold(text), whole);
    // Wherever the first piece begins.
    for (let skip = 1; skip < 20; skip++) {
      const before = 'x'.repeat(skip);
      assert.equal(fold(before + text), before + whole);
    }
  }
  assert.equal(fold('ΟΔΟΣ'), fold('οδοσ'));
  assert.equal(fold('ΟΔΟΣ'), fold('οδος'));
});

test('no piece takes long, whatever the text; all of them together take as long as the text is', () => {
  for (const text of ['\u0301\u0323'.repeat(50_000), '\ufdfa'.repeat(100_000), 'Ab '.repeat(40_000)]) {
    let total = 0;
    let characters = 0;
    for (const { text: folded, steps } of foldedPieces(text)) {
      assert(steps <= STEPS_PER_TURN / 10, `${steps} steps`);
      // U+FDFA becomes 18 characters, the most that one can become.
      assert(folded.length <= 256 * 18, `${folded.length} characters`);
      total += steps;
      characters += folded.length;
    }
    assert(total <= text.length * 24, `${total} steps`);
    assert(characters >= text.length);
  }
});

test('what is searched for is found wherever pieces are cut', () => {
  const letters = ['a', 'ab', 'aab', 'abab', 'aabaa', 'abcab', 'babba'];
  const text = 'aabaabababbaabcabcababaabbbabaabaaab';
  for (const wanted of [...letters, 'x', 'aaaa', 'bcabcaba']) {
    for (let first = 0; first <= text.length; first++) {
      for (const size of [1, 3, 7]) {
        const find = finderOf(needleOf(wanted));
        const pieces = [text.slice(0, first)];
        for (let at = first; at < text.length; at += size) pieces.push(text.slice(at, at + size));
        const found = pieces.some((piece) => find(piece));
        assert.equal(found, text.includes(wanted), `${wanted} at ${first}, ${size}`);
      }
    }
  }
});
