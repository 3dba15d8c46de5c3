import type { WriteFunction } from '../catalogue.ts';
import type { JournalEvent } from './types.ts';

type W<A, R> = WriteFunction<A, R>;
const todo = async (): Promise<never> => { throw new Error('to be written'); };

export const writes = {
  /** Background events. `fold`: rows with the same fold key within the hour are counted in one row. */
  'journal.append': todo as W<{ events: readonly (JournalEvent & { foldKey?: string; count?: number })[] }, null>,
  /** Delete what is older than `before`, then oldest first until the estimated size is under `maxBytes`; at most `limit` rows a call. */
  'journal.prune': todo as W<{ before: number; maxBytes: number; limit: number }, { deleted: number; more: boolean }>,
} as const;
