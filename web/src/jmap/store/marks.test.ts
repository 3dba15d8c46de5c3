import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { EmailEntry } from '../types.ts';

/** What the modules look at when they are loaded, and the server. */
function fakePage(): { readonly asked: string[][]; end(): void } {
  const asked: string[][] = [];
  const fakes: Record<string, unknown> = {
    localStorage: { getItem: () => null },
    document: { documentElement: {}, addEventListener() {} },
    location: { pathname: '/mail', search: '', hash: '' },
    addEventListener() {},
    fetch: (_url: string, { body }: { body: string }) => {
      const { methodCalls } = JSON.parse(body) as { methodCalls: [string, { ids: string[] }, string][] };
      const methodResponses = methodCalls.map(([name, { ids }, id]) => {
        asked.push(ids);
        const list = ids.map((each) => ({
          id: each,
          threadId: `T${each}`,
          mailboxIds: { F1: true },
          keywords: {},
        }));
        return [name, { list, state: 's' }, id];
      });
      return Promise.resolve(Response.json({ methodResponses, sessionState: 's' }));
    },
  };
  const real = Object.keys(fakes).map(
    (name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const,
  );
  for (const [name, value] of Object.entries(fakes))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  return {
    asked,
    end() {
      for (const [name, before] of real) {
        if (before === undefined) Reflect.deleteProperty(globalThis, name);
        else Object.defineProperty(globalThis, name, before);
      }
    },
  };
}

describe('what changes ask of emails', () => {
  let page: ReturnType<typeof fakePage>;
  before(() => (page = fakePage()));
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
    assert.equal(Math.max(...page.asked.map(({ length }) => length)), 500);
    assert.equal(page.asked.flat().length, 20_000);
  });
});
