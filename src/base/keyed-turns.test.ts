import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KeyedTurns } from './keyed-turns.ts';

describe('turns by key', () => {
  it('lets so many run, so many wait in their order, and refuses the rest', async () => {
    const turns = new KeyedTurns(2, 2);
    const began: string[] = [];
    const enter = (name: string, key = 1) =>
      turns.take(key)?.then((end) => {
        began.push(name);
        return end;
      });
    const [a, b, c, d] = [enter('a'), enter('b'), enter('c'), enter('d')];
    assert.equal(enter('e'), undefined);
    assert.ok(enter('of another', 2));
    const endB = await b;
    await a;
    assert.deepEqual(began, ['a', 'b', 'of another']);
    endB?.();
    endB?.();
    const endC = await c;
    assert.deepEqual(began, ['a', 'b', 'of another', 'c']);
    // There is room to wait again, behind who waits already.
    const f = enter('f');
    endC?.();
    (await d)?.();
    (await f)?.();
    (await a)?.();
    assert.deepEqual(began.slice(4), ['d', 'f']);
    // All of it is free again.
    assert.ok(enter('g') && enter('h') && enter('i') && enter('j'));
    assert.equal(enter('k'), undefined);
  });
});
