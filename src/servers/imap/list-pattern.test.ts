import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listPattern } from './list-pattern.ts';

test('wildcards of LIST', () => {
  const cases: [pattern: string, name: string, matches: boolean][] = [
    ['*', 'a/b/c', true],
    ['%', 'a', true],
    ['%', 'a/b', false],
    ['a/%', 'a/b', true],
    ['a/%', 'a/b/c', false],
    ['a/%/c', 'a/b/c', true],
    ['*c', 'a/b/c', true],
    ['%c', 'a/b/c', false],
    ['%/*', 'a/b/c', true],
    ['*%*', 'a/b', true],
    ['a*b%c', 'axx/yb1c', true],
    ['a*b%c', 'axx/yb/c', false],
    ['inbox', 'INBOX', true],
    ['Inbox/%', 'INBOX/x', true],
    ['inboxes', 'inboxes', true],
    ['', '', true],
    ['a', 'b', false],
    ['a.c', 'abc', false],
    ['Entwürfe', 'Entwürfe'.normalize('NFC'), true],
  ];
  for (const [pattern, name, matches] of cases)
    assert.equal(listPattern(pattern)(name), matches, `${pattern} ${name}`);
});

test('hundreds of wildcards take no time to speak of', () => {
  const match = listPattern(`${'*a%'.repeat(200)}b`);
  assert.equal(match('a'.repeat(1000)), false);
  assert.equal(match(`${'a'.repeat(1000)}b`), true);
});
