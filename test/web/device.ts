import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { eventually } from './support.ts';

/** What the browser of a test keeps on its device. */

/** Until what this device keeps of a kind has such words in it: it is written down a moment after it is shown. */
export async function keptOnDevice(
  page: Page,
  [database, kind]:
    | readonly ['postern-mail', 'bodies' | 'entries']
    | readonly ['postern-compose', 'drafts']
    | readonly ['postern-changes', 'changes'],
  words: string,
): Promise<void> {
  await eventually(async () => {
    const all = await page.evaluate(
      async ([name, store]) => {
        const done = <T>(request: IDBRequest<T>): Promise<T> =>
          new Promise((resolve, reject) => {
            request.onsuccess = () => resolve(request.result);
            request.onerror = () => reject(request.error ?? new Error('it cannot be read'));
          });
        const names = (await indexedDB.databases()).map((each) => each.name);
        // To open what is not there would make it, and empty.
        if (!names.includes(name)) return '';
        const db = await done(indexedDB.open(name));
        try {
          return JSON.stringify(await done(db.transaction(store).objectStore(store).getAll()));
        } finally {
          db.close();
        }
      },
      [database, kind] as const,
    );
    assert.ok(all.includes(words), `“${words}” is not among ${kind} on the device`);
  });
}
