import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unicodeCasemap } from './casemap.ts';

test('i;unicode-casemap: case, composed and compatible forms are alike, other letters are not', () => {
  for (const [a, b] of [
    ['abc', 'ABC'],
    ['\u00e9', 'E\u0301'],
    ['\uff37\uff49', 'wi'],
    ['\u01c6', '\u01c4'],
    ['\u01c5', '\u01c4'],
    ['\u01f3', '\u01f1'],
    ['\u1f80', '\u1f88'],
    ['\u1fb3', '\u1fbc'],
    ['\u03c2', '\u03a3'],
    ['\u{10428}', '\u{10400}'],
  ] as const)
    assert.equal(unicodeCasemap(a), unicodeCasemap(b), `${a} ${b}`);
  // RFC 5051 maps one character to one: the sharp s has no capital there. Georgian letters keep their form.
  assert.equal(unicodeCasemap('stra\u00dfe'), 'STRA\u00dfE');
  assert.equal(unicodeCasemap('\u10d0'), '\u10d0');
  assert.notEqual(unicodeCasemap('a'), unicodeCasemap('\u00e4'));
});
