import { point } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import { seen } from './memory.ts';
import { owner, running, text } from './running.ts';
import { list, script, space, toInfo } from './scripts.ts';
import { scriptsOf, settingsOf, textOfAccount } from './sieve.sql.ts';
import type { AccountScript, StoredSettings } from './types.ts';

export const reads = {
  'sieve.list': point(list),
  'sieve.script': point(script),
  /** The account's own scripts with their numbers, by name. */
  'sieve.ofAccount': point(
    async (tx: ReadTx, { accountId }: { accountId: number }): Promise<AccountScript[]> => {
      const rows = await tx.all(scriptsOf, 'account', accountId);
      return rows.map((row) => ({ id: row.id, ...toInfo(row) }));
    },
  ),
  'sieve.textOfAccount': point(
    (
      tx: ReadTx,
      { accountId, id }: { accountId: number; id: number },
    ): Promise<{ text: string; digest: string } | undefined> => tx.get(textOfAccount, id, accountId),
  ),
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
