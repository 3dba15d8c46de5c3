import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { EmailEntry, Mailbox } from '../types.ts';
import { fakePage } from './page-fixture.ts';

/** An email that somebody else has moved to the trash already, which the page has not heard of. */
const MAILBOXES = [
  { id: 'F1', name: 'Inbox', totalEmails: 0, unreadEmails: 0 },
  { id: 'F2', name: 'Trash', totalEmails: 1, unreadEmails: 1 },
] as unknown as Mailbox[];

function answer(name: string, { ids, accountId }: Record<string, unknown>): object {
  const asked = ids as readonly string[] | null | undefined;
  switch (name) {
    case 'Mailbox/get':
      return {
        accountId,
        state: '1',
        list: asked === undefined ? [] : MAILBOXES.filter(({ id }) => asked?.includes(id) ?? true),
        notFound: [],
      };
    case 'Email/set':
      // Nothing is different by it, so nobody is told of anything.
      return { accountId, oldState: '1', newState: '1', updated: { M1: null } };
    default:
      return {
        accountId,
        oldState: '1',
        newState: '1',
        hasMoreChanges: false,
        created: [],
        updated: [],
        destroyed: [],
      };
  }
}

describe('counts of mailboxes', () => {
  let page: ReturnType<typeof fakePage>;
  before(() => (page = fakePage(answer)));
  after(() => page.end());

  it('are those of the server again where others had done the same before', async () => {
    const { createAccountStore } = await import('./account.ts');
    const { changeEmails } = await import('./change.ts');
    const store = createAccountStore('A1');
    await store.loadMailboxes();
    const shown = { id: 'M1', threadId: 'T1', mailboxIds: { F1: true }, keywords: {} };
    store.put([shown as unknown as EmailEntry], [], '1');
    await changeEmails(store, new Map([['M1', { 'mailboxIds/F1': null, 'mailboxIds/F2': true }]]));
    for (let turns = 0; turns < 20; turns++) await setImmediate();
    const { totalEmails, unreadEmails } = store.mailboxes.value.get('F2') ?? {};
    assert.deepEqual({ totalEmails, unreadEmails }, { totalEmails: 1, unreadEmails: 1 });
  });
});
