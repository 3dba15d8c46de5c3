import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Refusal } from '../../base/errors.ts';
import { setErrorFrom, SetError } from './errors.ts';
import { SetResult } from './methods/standard.ts';

it('a full disk ends a whole /set only while nothing of it has been done', () => {
  const result = new SetResult();
  const full = new Refusal('storage-full', 'The disk is full.');
  assert.throws(() => setErrorFrom(full, result.isBegun), full);
  result.notCreated['a'] = setErrorFrom(new SetError('tooLarge'), result.isBegun);
  assert.throws(() => setErrorFrom(full, result.isBegun), full);
  result.created['b'] = { id: 'M1' };
  const told = { type: 'serverUnavailable', description: 'The disk is full.' };
  assert.deepEqual(setErrorFrom(full, result.isBegun), told);
  const bug = new Error('what nobody expected');
  assert.throws(() => setErrorFrom(bug, result.isBegun), bug);
});
