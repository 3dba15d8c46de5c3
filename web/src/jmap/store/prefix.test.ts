import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { changedPrefix } from './prefix.ts';

/** What a server answers of a list that was one and is another now, with everything that was touched named. */
function answer(after: readonly string[], touched: ReadonlySet<string>) {
  return after.flatMap((id, index) => (touched.has(id) ? [{ id, index }] : []));
}

describe('the beginning of a list after changes', () => {
  it('has what came at its place, and not what went', () => {
    const next = changedPrefix(['a', 'b', 'c'], new Set(['b', 'new']), [{ id: 'new', index: 0 }]);
    assert.deepEqual(next, ['new', 'a', 'c']);
  });
  it('is the beginning of what there is now, whatever was touched', () => {
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (let round = 0; round < 2000; round++) {
      const before = Array.from({ length: random(12) }, (_, i) => `m${i}`);
      const known = before.slice(0, random(before.length + 1));
      const touched = new Set(before.filter(() => random(3) === 0));
      const after = before.filter((id) => !touched.has(id));
      for (const id of touched) if (random(2) === 0) after.splice(random(after.length + 1), 0, id);
      for (let i = random(3); i > 0; i--) {
        touched.add(`n${i}`);
        after.splice(random(after.length + 1), 0, `n${i}`);
      }
      const added = answer(after, touched).toSorted(() => random(3) - 1);
      const next = changedPrefix(known, touched, added);
      assert.deepEqual(next, after.slice(0, next.length));
      // Nothing of what is known and still there was given up.
      assert.ok(known.every((id) => touched.has(id) || next.includes(id)));
    }
  });
});
