import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeUtf8Addr,
  decodeXtext,
  encodeUtf8AddressUnitext,
  encodeUtf8AddressXtext,
  encodeXtext,
} from './xtext.ts';

test('xtext encodes what RFC 3461 names and decodes strictly', () => {
  assert.equal(encodeXtext('a+b=c d'), 'a+2Bb+3Dc+20d');
  assert.equal(decodeXtext('a+2Bb+3Dc+20d'), 'a+b=c d');
  const bad = [
    '',
    '+',
    '+2',
    '+ZZ',
    '+2b',
    'a b',
    'a=b',
    '+0D+0A',
    '+00',
    '+7F',
    '+E9',
    'é',
    'a\tb',
    'x'.repeat(513),
  ];
  for (const text of bad) assert.equal(decodeXtext(text), undefined, JSON.stringify(text));
  assert.equal(decodeXtext('abc', 2), undefined);
});

test('addresses beyond ASCII have an ASCII and a UTF-8 form', () => {
  assert.equal(encodeUtf8AddressXtext('ü+😀=\\@x.test'), '\\x{FC}\\x{2B}\\x{1F600}\\x{3D}\\x{5C}@x.test');
  assert.equal(encodeUtf8AddressUnitext('ü+ x@x.test'), 'ü\\x{2B}\\x{20}x@x.test');
  assert.equal(decodeUtf8Addr('\\x{FC}\\x{10FFFD}', { unitext: false }), 'ü\u{10fffd}');
  assert.equal(decodeUtf8Addr('ü', { unitext: false }), undefined);
  assert.equal(decodeUtf8Addr('ü', { unitext: true }), 'ü');
  const bad = [
    '',
    '\\',
    '\\x{}',
    '\\x{0A}',
    '\\x{0D}',
    '\\x{41}',
    '\\x{00FC}',
    '\\x{D800}',
    '\\x{110000}',
    '\\x{fc}',
  ].concat(['\\u{FC}', '\\x{FC', 'a+b', 'a=b', 'a b', '\r\n', '\ufffd', '\ud800', '\u0085']);
  for (const text of bad)
    assert.equal(decodeUtf8Addr(text, { unitext: true }), undefined, JSON.stringify(text));
});

test('what is encoded decodes to itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), (text) => {
      if (/^[ -~]+$/.test(text)) assert.equal(decodeXtext(encodeXtext(text)), text);
      assert.equal(decodeUtf8Addr(encodeUtf8AddressXtext(text), { unitext: false }), text);
      assert.equal(decodeUtf8Addr(encodeUtf8AddressUnitext(text), { unitext: true }), text);
      assert.match(encodeUtf8AddressXtext(text), /^[!-~]+$/);
    }),
  );
});
