import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Store } from '../store.ts';
import { SearchEngine } from './engine.ts';
import type { SearchIndex } from './types.ts';

/** The index without a thread, over any store: for tests. `idle` resolves when it has nothing to do. */
export function inlineSearch(options: {
  directory: string;
  store: Pick<Store, 'read' | 'blobs'>;
  clock: Clock;
  logger: Logger;
  delayMs?: number;
  vacuumMs?: number;
}): SearchIndex & { idle(): Promise<void>; changed(accountId: number): void } {
  const { store, ...rest } = options;
  const engine = new SearchEngine({ ...rest, read: store.read, blobs: store.blobs });
  return {
    find: (accountId, query) => engine.find(accountId, query),
    rebuild: (accountId) => engine.rebuild(accountId),
    states: (ids) => Promise.resolve(engine.states(ids)),
    totals: () => Promise.resolve(engine.totals()),
    close: () => engine.close(),
    idle: () => engine.idle(),
    changed: (accountId) => engine.changed(accountId),
  };
}
