import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainLatin, unicodeFacts } from './unicode.ts';

test('scripts are shares of the letters', () => {
  const { scripts, letters } = unicodeFacts('abcd абвг 12');
  assert.equal(letters, 8);
  assert.deepEqual(scripts, { latin: 0.5, cyrillic: 0.5 });
  assert.deepEqual(unicodeFacts('日本語です').scripts, { han: 0.6, kana: 0.4 });
  assert.equal(unicodeFacts('שלום').scripts.hebrew, 1);
});

test('words of two alphabets are counted, those that read as Latin apart', () => {
  assert.deepEqual(pick(unicodeFacts('p\u0430yp\u0430l')), [1, 1]);
  assert.deepEqual(pick(unicodeFacts('Windows\u0436')), [1, 0]);
  assert.deepEqual(pick(unicodeFacts('привет Anna и Путин')), [0, 0]);
  assert.deepEqual(pick(unicodeFacts('\u03bc-meter and \u03b1 particles')), [0, 0]);
});

function pick(one: ReturnType<typeof unicodeFacts>): number[] {
  return [one.mixedWords, one.confusableWords];
}

test('zero-width characters count inside Latin words, not where scripts need them', () => {
  assert.equal(unicodeFacts('vi\u200bag\u200dra').zeroWidth, 2);
  assert.equal(unicodeFacts('one \u200b two\u200c').zeroWidth, 0);
  assert.equal(unicodeFacts('می\u200cخواهم').zeroWidth, 0);
  assert.equal(unicodeFacts('\u{1f469}\u200d\u{1f4bb}').zeroWidth, 0);
  assert.equal(unicodeFacts('Donau\u00addampf').zeroWidth, 0);
});

test('letters in costume', () => {
  assert.equal(unicodeFacts('\u{1d405}\u{1d411}\u{1d404}\u{1d404}').mathematical, 4);
  assert.equal(unicodeFacts('ＦＲＥＥ').fullwidth, 4);
  assert.equal(unicodeFacts('5\u2103 \u2122 \u2116').mathematical, 0);
  assert.equal(unicodeFacts('a\u0301 e\u0301').stacked, 0);
  assert.ok(unicodeFacts(`a${'\u0301'.repeat(9)}`).stacked > 5);
  assert.equal(unicodeFacts('x\u202ey').bidi, 1);
  assert.equal(unicodeFacts('\u{1f600}\u{1f600}').emoji, 2);
  assert.equal(unicodeFacts('a\ufffdb').replacement, 1);
  assert.equal(unicodeFacts('a\u0001\tb\r\n').controls, 1);
  assert.equal(unicodeFacts('ABc ÄÖ').upper, 4);
});

test('disguised text is read as what it looks like', () => {
  assert.equal(plainLatin('p\u0430yp\u0430l'), 'paypal');
  assert.equal(plainLatin('\u{1d405}\u{1d411}\u{1d404}\u{1d404}'), 'FREE');
  assert.equal(plainLatin('vi\u200bagra'), 'viagra');
});
