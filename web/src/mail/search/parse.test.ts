import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Mailbox } from '../../jmap/types.ts';
import { dayOf, parseSearch, sizeOf } from './parse.ts';

const mailboxes = new Map(
  [
    { id: 'F1', role: 'inbox', name: 'Inbox', parentId: null },
    { id: 'F2', role: 'junk', name: 'Junk', parentId: null },
    { id: 'F3', role: null, name: 'Work', parentId: null },
    { id: 'F4', role: null, name: 'Bills', parentId: 'F3' },
  ].map((each) => [each.id, each as Mailbox]),
);
const now = new Date(2026, 4, 3, 12).getTime();
const context = { mailboxes, labels: [{ keyword: 'l-family', name: 'Family' }], now };
const filter = (text: string) => parseSearch(text, context).filter;
const utc = (...at: [number, number, number]) => new Date(...at).toISOString().replace('.000', '');

describe('searches', () => {
  it('are words, phrases and what is not wanted', () => {
    assert.deepEqual(filter('fox'), { text: 'fox' });
    assert.deepEqual(filter('  "brown fox" -dog '), {
      operator: 'AND',
      conditions: [{ text: '"brown fox"' }, { operator: 'NOT', conditions: [{ text: 'dog' }] }],
    });
    assert.equal(filter('   '), undefined);
    assert.deepEqual(filter('a - b'), {
      operator: 'AND',
      conditions: [{ text: 'a' }, { text: '-' }, { text: 'b' }],
    });
  });

  it('have operators', () => {
    assert.deepEqual(filter('from:ann'), { from: 'ann' });
    assert.deepEqual(filter('FROM:"Ann B"'), { from: '"Ann B"' });
    assert.deepEqual(filter('is:unread'), { notKeyword: '$seen' });
    assert.deepEqual(filter('-is:starred'), { operator: 'NOT', conditions: [{ hasKeyword: '$flagged' }] });
    assert.deepEqual(filter('has:attachment'), { hasAttachment: true });
    assert.deepEqual(filter('larger:5M'), { minSize: 5_000_000 });
    assert.deepEqual(filter('label:family'), { hasKeyword: 'l-family' });
    assert.deepEqual(filter('label:other'), { hasKeyword: 'other' });
    assert.deepEqual(filter('http://x'), { text: 'http://x' });
    assert.deepEqual(filter('a OR b c'), {
      operator: 'AND',
      conditions: [{ operator: 'OR', conditions: [{ text: 'a' }, { text: 'b' }] }, { text: 'c' }],
    });
  });

  it('name mailboxes, which then count instead of the open one', () => {
    assert.deepEqual(parseSearch('in:work/bills x', context), {
      filter: { operator: 'AND', conditions: [{ inMailbox: 'F4' }, { text: 'x' }] },
      everywhere: true,
      named: ['F4'],
      unknown: [],
    });
    assert.deepEqual(filter('in:spam'), { inMailbox: 'F2' });
    assert.deepEqual(parseSearch('in:junk OR in:work -in:bills', context).named, ['F2', 'F3']);
    assert.deepEqual(parseSearch('in:anywhere', context), {
      filter: undefined,
      everywhere: true,
      named: [],
      unknown: [],
    });
  });

  it('know days', () => {
    assert.deepEqual(filter('before:2026-05-03'), { before: utc(2026, 4, 3) });
    assert.deepEqual(filter('on:3.5.2026'), { after: utc(2026, 4, 3), before: utc(2026, 4, 4) });
    assert.deepEqual(filter('after:yesterday'), { after: utc(2026, 4, 2) });
    assert.deepEqual(dayOf('2026-02', now), {
      from: new Date(2026, 1, 1).getTime(),
      to: new Date(2026, 2, 1).getTime(),
    });
    assert.equal(dayOf('2026-02-30', now), undefined);
    assert.deepEqual(filter('newer:2d'), {
      after: new Date(now - 172_800_000).toISOString().replace('.000', ''),
    });
  });

  it('say what they do not understand', () => {
    assert.deepEqual(parseSearch('is:blue larger:x in:nowhere y', context), {
      filter: { text: 'y' },
      everywhere: false,
      named: [],
      unknown: ['is:blue', 'larger:x', 'in:nowhere'],
    });
  });

  it('know sizes', () => {
    assert.equal(sizeOf('1,000'), 1000);
    assert.equal(sizeOf('1.5mb'), 1_500_000);
    assert.equal(sizeOf('much'), undefined);
  });
});
