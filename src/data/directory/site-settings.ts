import type { WriteTx } from '../db/sql.ts';
import { putSetting } from './directory.sql.ts';
import { audit, requireAdmin } from './permission.ts';
import type { Actor } from './types.ts';

/** Settings that administrators change at run time, kept as JSON; the schema is the business of whoever reads them. */
export async function saveSiteSettings(
  tx: WriteTx,
  {
    actor,
    name,
    json,
  }: { actor: Actor; name: 'doctor' | 'housekeeping' | 'alerts' | 'journal'; json: string },
): Promise<null> {
  requireAdmin(actor);
  await tx.run(putSetting, name, json);
  await audit(tx, actor, `settings.${name}`, name, { json });
  return null;
}
