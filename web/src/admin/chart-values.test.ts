import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lonely, summaryOf } from './chart-values.ts';

describe('what a chart says of its lines', () => {
  it('adds what is counted, and has the last of what is measured', () => {
    assert.equal(summaryOf([null, 2, 3, null], true), 5);
    // Eight wait in the queue, however long one looks at it.
    assert.equal(summaryOf([7, 8, 8, null], false), 8);
    assert.equal(summaryOf([null, null], true), undefined);
    assert.equal(summaryOf([], false), undefined);
  });

  it('knows the values that no line goes through', () => {
    assert.deepEqual(lonely([null, 4, null, 1, 2, null, 0]), [1, 6]);
    assert.deepEqual(lonely([3]), [0]);
    assert.deepEqual(lonely([null, null]), []);
  });
});
