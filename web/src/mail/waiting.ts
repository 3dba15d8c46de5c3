import { dropChange, readChanges } from '../jmap/changes.ts';
import type { AccountStore } from '../jmap/store/account.ts';
import { queuedOf, type Wish } from '../jmap/store/outbox.ts';

/** Take a wish out of what waits for the connection; false: it does not wait any more, or never did. */
export async function dropWaiting(store: AccountStore, wish: Wish): Promise<boolean> {
  const wanted = JSON.stringify(queuedOf(store, wish));
  const run = async (): Promise<boolean> => {
    const found = (await readChanges()).find(({ value }) => JSON.stringify(value) === wanted);
    if (found !== undefined) await dropChange(found.key);
    return found !== undefined;
  };
  // Not while it is being done. Browsers have locks only where pages come by TLS.
  const locks = (navigator as Partial<Navigator>).locks;
  return locks === undefined ? run() : locks.request('postern-changes', run);
}
