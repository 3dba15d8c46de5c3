import type { ReadTx, WriteTx } from '../db/sql.ts';
import { putSetting, settingByName } from '../directory/directory.sql.ts';
import { settingChange } from '../directory/setting-change.ts';
import { audit, requireAdmin } from '../directory/permission.ts';
import type { Actor } from '../directory/types.ts';

/** Under this name the settings table has what the site wants of its filter, as JSON. */
const NAME = 'filter';

/** Undefined: nothing was ever changed, the defaults hold. */
export async function settings(tx: ReadTx): Promise<string | undefined> {
  return (await tx.get(settingByName, NAME))?.value;
}

/** The JSON must have been checked. Refusal 'not-permitted'. */
export async function saveSettings(tx: WriteTx, args: { actor: Actor; json: string }): Promise<null> {
  requireAdmin(args.actor);
  const before = await settings(tx);
  const undo = await settingChange(tx, NAME, args.json);
  await tx.run(putSetting, NAME, args.json);
  await audit(
    tx,
    args.actor,
    'filter.settings',
    'the site',
    { before: before ?? null, after: args.json },
    undo,
  );
  return null;
}
