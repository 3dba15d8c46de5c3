import type { WriteFunction } from '../catalogue.ts';
import type { WriteTx } from '../db/sql.ts';
import { putSetting } from '../directory/directory.sql.ts';
import { saveSetting } from '../directory/site-settings.ts';
import { audit, requireAdmin } from '../directory/permission.ts';
import type { Actor } from '../directory/types.ts';
import { SETTING, STATE } from './reads.ts';
import type { BackupState } from './state.ts';

type W<A, R> = WriteFunction<A, R>;

function saveSettings(tx: WriteTx, { actor, json }: { actor: Actor; json: string }): Promise<null> {
  return saveSetting(tx, { actor, name: SETTING, json, action: 'backup.settings', subject: 'backup' });
}

async function saveState(tx: WriteTx, { state }: { state: BackupState }): Promise<null> {
  await tx.run(putSetting, STATE, JSON.stringify(state));
  return null;
}

/** Somebody has mail of a backup put into an account. */
async function note(
  tx: WriteTx,
  { actor, account, what }: { actor: Actor; account: string; what: Record<string, string | number> },
): Promise<null> {
  requireAdmin(actor);
  await audit(tx, actor, 'backup.restore', account, what);
  return null;
}

export const writes = {
  'backup.saveSettings': saveSettings as W<{ actor: Actor; json: string }, null>,
  'backup.saveState': saveState as W<{ state: BackupState }, null>,
  'backup.note': note as W<{ actor: Actor; account: string; what: Record<string, string | number> }, null>,
} as const;
