import assert from 'node:assert/strict';
import { test } from 'node:test';
import { facts } from '../facts/fixtures.ts';
import { groupsIn, phraseIn, phrases } from './phrases.ts';

const MONEY = phrases(`zfund|zshare of
  profits|z%|0z% off`);

test('phrases are found where a word begins, and over line ends', () => {
  const found = (body: string): string | undefined => phraseIn(facts({ body }), MONEY);
  assert.equal(found('the zfunding round'), 'zfund');
  assert.equal(found('a rezfund'), undefined);
  assert.equal(found('Zshare of\r\nPROFITS'), 'zshare of profits');
  assert.equal(found('up to 0z% off'), '0z% off');
  assert.equal(found('z%'), 'z%');
});

test('disguised letters are seen through', () => {
  assert.equal(phraseIn(facts({ body: 'the zf\u200bund' }), MONEY), 'zfund');
  assert.equal(phraseIn(facts({ body: 'zsh\u0430re of profits' }), MONEY), 'zshare of profits');
});

test('groups count once each', () => {
  const groups = [phrases('zalpha|zbeta'), phrases('zgamma')];
  assert.equal(groupsIn(facts({ body: 'zalpha zbeta' }), groups), 1);
  assert.equal(groupsIn(facts({ body: 'zalpha zgamma' }), groups), 2);
});
