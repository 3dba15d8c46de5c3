import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Mailbox } from '../jmap/types.ts';
import { filterOf, isGone, mailboxOf, NO_CHIPS, readPlace, writePlace } from './place.ts';

const mailbox = (id: string, role: Mailbox['role']): [string, Mailbox] => [id, { id, role } as Mailbox];
const mailboxes = new Map([
  mailbox('F1', 'inbox'),
  mailbox('F2', 'trash'),
  mailbox('F3', 'junk'),
  mailbox('F4', null),
]);
const at = (path: string) => {
  const url = new URL(path, 'http://x');
  return readPlace(url.pathname.split('/').filter(Boolean).map(decodeURIComponent), url.searchParams);
};

describe('places', () => {
  it('are read from paths and written to the same', () => {
    for (const path of ['/mail/inbox', '/mail/F4/T9', '/mail/A2.F8/T1?q=from%3Aann', '/mail/starred']) {
      assert.equal(writePlace(at(path)), path);
    }
    assert.equal(at('/').mailbox, 'inbox');
    assert.equal(at('/mail/A2.F8').accountId, 'A2');
  });

  it('name mailboxes by role or id', () => {
    assert.equal(mailboxOf(at('/mail/inbox'), mailboxes)?.id, 'F1');
    assert.equal(mailboxOf(at('/mail/F4'), mailboxes)?.id, 'F4');
    assert.equal(mailboxOf(at('/mail/all'), mailboxes), undefined);
    assert.equal(isGone(at('/mail/all'), mailboxes), false);
    assert.equal(isGone(at('/mail/F4'), mailboxes), false);
    assert.equal(isGone(at('/mail/F5'), mailboxes), true);
    // Nothing is known yet.
    assert.equal(isGone(at('/mail/F5'), new Map()), false);
  });

  it('are filters', () => {
    assert.deepEqual(filterOf(at('/mail/inbox'), mailboxes, undefined, NO_CHIPS), { inMailbox: 'F1' });
    assert.deepEqual(filterOf(at('/mail/all'), mailboxes, { text: 'x' }, { ...NO_CHIPS, unread: true }), {
      inMailboxOtherThan: ['F2', 'F3'],
      text: 'x',
      notKeyword: '$seen',
    });
    // Where the search names rubbish, it is about that.
    assert.deepEqual(filterOf(at('/mail/all'), mailboxes, { inMailbox: 'F3' }, NO_CHIPS, true), {
      inMailbox: 'F3',
    });
    assert.deepEqual(filterOf(at('/mail/starred'), mailboxes, { hasKeyword: 'work' }, NO_CHIPS), {
      operator: 'AND',
      conditions: [{ inMailboxOtherThan: ['F2', 'F3'] }, { hasKeyword: '$flagged' }, { hasKeyword: 'work' }],
    });
  });
});
