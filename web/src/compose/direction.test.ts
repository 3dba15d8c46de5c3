import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isRightToLeft } from './direction.ts';

it('a paragraph is read as its first letter is', () => {
  for (const text of ['שלום', '12. "مرحبا" ok', '\u{1E900} x']) assert.ok(isRightToLeft(text), text);
  for (const text of ['', '123 !', 'Hello שלום', '日本', '🎉 Ünder']) assert.ok(!isRightToLeft(text), text);
});
