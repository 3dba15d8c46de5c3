import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomToken } from '../../base/ids.ts';
import { caseNumberOf } from './case-number.ts';

test('a case number is known however it is typed', () => {
  for (const typed of ['7K2QF-M9XHT', '7k2qf-m9xht', '7K2QFM9XHT', ' 7k2qf m9xht\n'])
    assert.equal(caseNumberOf(typed), '7K2QF-M9XHT');
  assert.equal(
    caseNumberOf('1O0IL-00000'),
    '10011-00000',
    'letters that are none for the digits they look like',
  );
  for (let i = 0; i < 200; i++) {
    const token = randomToken(10).toUpperCase();
    assert.equal(caseNumberOf(token), `${token.slice(0, 5)}-${token.slice(5)}`);
  }
});

test('nothing else is one', () => {
  for (const text of [
    '',
    '7K2QF',
    '7K2QF-M9XHTT',
    '7K2QF-M9XH!',
    'alice@example.org',
    'u'.repeat(10),
    '7'.repeat(5000),
  ])
    assert.equal(caseNumberOf(text), undefined, text.slice(0, 20));
});
