import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { EmailEntry } from '../types.ts';
import { fakePage } from './page-fixture.ts';

describe('what changes ask of emails', () => {
  let page: ReturnType<typeof fakePage>;
  const asked: string[][] = [];
  before(() => {
    page = fakePage((_name, args) => {
      const ids = args['ids'] as string[];
      asked.push(ids);
      return {
        list: ids.map((id) => ({ id, threadId: `T${id}`, mailboxIds: { F1: true }, keywords: {} })),
        state: 's',
      };
    });
  });
  after(() => page.end());

  it('is known of more of them than the store keeps', async () => {
    const { createAccountStore } = await import('./account.ts');
    const { marksOf } = await import('./marks.ts');
    const store = createAccountStore('A1');
    const ids = Array.from({ length: 20_001 }, (_, i) => `M${i}`);
    store.put([
      {
        id: 'M7',
        threadId: 'T7',
        mailboxIds: { F2: true },
        keywords: { $seen: true },
      } as unknown as EmailEntry,
    ]);
    const found = await marksOf(store, ids);
    assert.equal(found.size, ids.length);
    assert.deepEqual(found.get('M20000')?.mailboxIds, { F1: true });
    // As it is shown here, also where the server has not heard of that yet.
    assert.deepEqual(found.get('M7')?.keywords, { $seen: true });
    assert.equal(Math.max(...asked.map(({ length }) => length)), 500);
    assert.equal(asked.flat().length, 20_000);
  });
});
