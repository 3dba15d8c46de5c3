import assert from 'node:assert/strict';
import { it } from 'node:test';
import { flatten, fromText, toText } from './setting-values.ts';

it('names settings as the command line does', () => {
  const settings = { enabled: true, lists: { dns: ['a', 'b'], none: {} }, score: 5 };
  assert.deepEqual(flatten(settings), [
    ['enabled', true],
    ['lists.dns', ['a', 'b']],
    ['lists.none', {}],
    ['score', 5],
  ]);
});

it('gives back what was typed as what it was before', () => {
  assert.equal(fromText('12', 'a text'), '12');
  assert.equal(fromText('12', 5), 12);
  assert.deepEqual(fromText(toText(['a', 'b']), []), ['a', 'b']);
  assert.equal(fromText('no number', 5), 'no number', 'the server says what is wrong with it');
});
