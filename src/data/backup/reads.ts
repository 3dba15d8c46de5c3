import { point } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import { settingByName } from '../directory/directory.sql.ts';
import type { BackupState } from './state.ts';

export const SETTING = 'backup';
export const STATE = 'backup.state';

export const reads = {
  /** JSON; undefined: nothing was ever changed. */
  'backup.settings': point(async (tx: ReadTx, _args: null) => (await tx.get(settingByName, SETTING))?.value),
  'backup.state': point(async (tx: ReadTx, _args: null): Promise<BackupState> => {
    const row = await tx.get(settingByName, STATE);
    return row === undefined ? {} : (JSON.parse(row.value) as BackupState);
  }),
} as const;
