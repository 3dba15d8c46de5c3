import type { WriteTx } from '../db/sql.ts';
import { putSetting } from './directory.sql.ts';
import { audit, requireAdmin } from './permission.ts';
import { settingChange } from './setting-change.ts';
import type { Actor } from './types.ts';

export type SiteSetting = 'doctor' | 'housekeeping' | 'alerts' | 'journal' | 'admin' | 'setup';

/** Settings that administrators change at run time, kept as JSON; the schema is the business of whoever reads them. */
export async function saveSiteSettings(
  tx: WriteTx,
  { actor, name, json }: { actor: Actor; name: SiteSetting; json: string },
): Promise<null> {
  requireAdmin(actor);
  const undo = await settingChange(tx, name, json);
  await tx.run(putSetting, name, json);
  await audit(tx, actor, `settings.${name}`, name, { json }, undo);
  return null;
}
