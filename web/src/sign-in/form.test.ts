import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDomain, isLocalPart, isLongEnough } from './form.ts';

describe('a new account', () => {
  it('has a name and a domain', () => {
    for (const good of ['anna', 'anna.b', 'a-b_c', 'jürg', '用户']) assert.ok(isLocalPart(good), good);
    for (const bad of ['', '.a', 'a.', 'a b', 'a@b', 'a..b', 'x'.repeat(65)])
      assert.ok(!isLocalPart(bad), bad);
    for (const good of ['example.org', 'bücher.example', 'a-b.co.uk']) assert.ok(isDomain(good), good);
    for (const bad of ['example', '-a.org', 'a..org', 'a b.org', '']) assert.ok(!isDomain(bad), bad);
  });
  it('counts characters, not halves of them', () => {
    assert.ok(!isLongEnough('😀😀😀😀'));
    assert.ok(isLongEnough('12345678'));
  });
});
