import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  actionKind,
  actionOf,
  type ActionKind,
  conditionKind,
  conditionOf,
  type ConditionKind,
  moved,
} from './rule-types.ts';

const CONDITIONS: readonly ConditionKind[] = ['from', 'to', 'subject', 'header', 'list', 'larger', 'smaller'];
const ACTIONS: readonly ActionKind[] = ['file', 'read', 'flagged', 'keyword', 'forward', 'discard', 'stop'];

describe('rules of the form', () => {
  it('are of the kind that was chosen', () => {
    for (const kind of CONDITIONS) assert.equal(conditionKind(conditionOf(kind)), kind);
    for (const kind of ACTIONS) assert.equal(actionKind(actionOf(kind)), kind);
  });

  it('keep what was written when the kind changes', () => {
    const from = { field: 'from', how: 'is', value: 'shop.example', not: true } as const;
    assert.deepEqual(conditionOf('subject', from), { ...from, field: 'subject' });
    assert.deepEqual(conditionOf('list', from), { list: 'shop.example', not: true });
    assert.deepEqual(conditionOf('from', conditionOf('list', from)), {
      field: 'from',
      how: 'contains',
      value: 'shop.example',
      not: true,
    });
  });

  it('move up and down, and no further than the ends', () => {
    assert.deepEqual(moved(['a', 'b', 'c'], 2, 0), ['c', 'a', 'b']);
    assert.deepEqual(moved(['a', 'b', 'c'], 0, 1), ['b', 'a', 'c']);
    assert.deepEqual(moved(['a', 'b'], 1, 2), ['a', 'b']);
    assert.deepEqual(moved(['a', 'b'], 0, -1), ['a', 'b']);
  });
});
