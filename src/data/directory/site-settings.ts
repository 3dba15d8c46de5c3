import type { WriteTx } from '../db/sql.ts';
import { putSetting } from './directory.sql.ts';
import { audit, requireAdmin } from './permission.ts';
import { settingChange } from './setting-change.ts';
import type { Actor } from './types.ts';

export type SiteSetting = 'doctor' | 'housekeeping' | 'alerts' | 'journal' | 'admin' | 'setup';

export interface NewSetting {
  readonly actor: Actor;
  readonly name: string;
  /** Checked by whoever reads it. */
  readonly json: string;
  /** What the audit calls it, and what it says was changed. */
  readonly action: string;
  readonly subject: string;
}

/** A setting that administrators change at run time, with its line in the audit and the way back. Refusal 'not-permitted'. */
export async function saveSetting(
  tx: WriteTx,
  { actor, name, json, action, subject }: NewSetting,
): Promise<null> {
  requireAdmin(actor);
  const undo = await settingChange(tx, name, json);
  await tx.run(putSetting, name, json);
  await audit(tx, actor, action, subject, { before: undo.before, after: json }, undo);
  return null;
}

/** Settings that are kept as JSON; the schema is the business of whoever reads them. */
export function saveSiteSettings(
  tx: WriteTx,
  { actor, name, json }: { actor: Actor; name: SiteSetting; json: string },
): Promise<null> {
  return saveSetting(tx, { actor, name, json, action: `settings.${name}`, subject: name });
}
