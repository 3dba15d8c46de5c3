import { point } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import { seen } from './memory.ts';
import { owner, running, text } from './running.ts';
import { list, script, space } from './scripts.ts';
import { settingsOf } from './sieve.sql.ts';
import type { StoredSettings } from './types.ts';

export const reads = {
  'sieve.list': point(list),
  'sieve.script': point(script),
  'sieve.space': point(space),
  'sieve.settings': point(
    async (tx: ReadTx, { accountId }: { accountId: number }): Promise<StoredSettings | undefined> => {
      const row = await tx.get(settingsOf, accountId);
      return row && { settings: row.settings, changedAt: row.changed_at };
    },
  ),
  /** What runs when mail comes for these accounts. */
  'sieve.running': point(running),
  'sieve.text': point(text),
  'sieve.owner': point(owner),
  'sieve.seen': point(seen),
} as const;
