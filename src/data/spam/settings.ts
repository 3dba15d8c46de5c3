import type { ReadTx, WriteTx } from '../db/sql.ts';
import { settingByName } from '../directory/directory.sql.ts';
import { saveSetting } from '../directory/site-settings.ts';
import type { Actor } from '../directory/types.ts';

/** Under this name the settings table has what the site wants of its filter, as JSON. */
const NAME = 'filter';

/** Undefined: nothing was ever changed, the defaults hold. */
export async function settings(tx: ReadTx): Promise<string | undefined> {
  return (await tx.get(settingByName, NAME))?.value;
}

/** The JSON must have been checked. Refusal 'not-permitted'. */
export function saveSettings(tx: WriteTx, { actor, json }: { actor: Actor; json: string }): Promise<null> {
  return saveSetting(tx, { actor, name: NAME, json, action: 'filter.settings', subject: 'the site' });
}
