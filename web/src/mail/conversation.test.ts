import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EmailEntry } from '../jmap/types.ts';
import { inScope, movable, shortName, summarize } from './conversation.ts';

const entry = (from: string, keywords: string[], mailbox = 'F1'): EmailEntry => ({
  id: `M${Math.random()}`,
  threadId: 'T1',
  mailboxIds: { [mailbox]: true },
  keywords: Object.fromEntries(keywords.map((each) => [each, true as const])),
  size: 1,
  receivedAt: '2026-01-01T00:00:00Z',
  from: [{ name: from, email: `${from.toLowerCase().replace(' ', '.')}@x.test` }],
  to: [{ name: null, email: 'bob@x.test' }],
  subject: 's',
  preview: 'p',
  hasAttachment: false,
});

describe('conversations', () => {
  it('are summed up', () => {
    const all = [entry('Ann Smith', ['$seen', '$flagged']), entry('Bob', ['$seen']), entry('Ann Smith', [])];
    const found = summarize(all, new Set(['bob@x.test']), false);
    assert.deepEqual(found.people, [
      { name: 'Ann', unread: true, mine: false },
      { name: 'Bob', unread: false, mine: true },
    ]);
    assert.equal(found.count, 3);
    assert.equal(found.unread, true);
    assert.equal(found.starred, true);
    assert.equal(summarize(all.slice(0, 1), new Set(), false).people[0]?.name, 'Ann Smith');
    assert.equal(summarize(all.slice(0, 1), new Set(), true).people[0]?.name, 'bob@x.test');
  });

  it('name people shortly', () => {
    assert.equal(shortName({ name: 'Smith, Ann', email: '' }), 'Ann');
    assert.equal(shortName({ name: null, email: 'ann@x.test' }), 'ann');
  });

  it('leave out rubbish, except where it is looked at', () => {
    const [kept, thrown] = [entry('A', []), entry('B', [], 'F9')];
    const rubbish = new Set(['F9']);
    assert.deepEqual(inScope([kept, thrown], rubbish, 'F1'), [kept]);
    assert.deepEqual(inScope([kept, thrown], rubbish, 'F9'), [thrown]);
    assert.deepEqual(inScope([thrown], rubbish, undefined), [thrown]);
  });

  it('move without what one wrote oneself, except where that is looked at', () => {
    const [got, sent, draft] = [entry('A', []), entry('Me', [], 'F5'), entry('Me', [], 'F6')];
    const ownMail = new Set(['F5', 'F6']);
    const all = [got, sent, draft];
    assert.deepEqual(movable(all, ownMail, 'F1'), [got]);
    assert.deepEqual(movable(all, ownMail, undefined), [got]);
    assert.deepEqual(movable(all, ownMail, 'F6'), [draft]);
    assert.deepEqual(movable([sent], ownMail, undefined), [sent]);
  });
});
