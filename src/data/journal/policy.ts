import { createHmac } from 'node:crypto';
import type { ReadTx } from '../db/sql.ts';
import { settingByName } from '../directory/directory.sql.ts';
import {
  defaultJournalSettings,
  type Hiding,
  type JournalSettings,
  journalSettingsSchema,
  KEY_SETTING,
  SETTING,
} from './privacy.ts';

/** What holds for events that are being written, read with them: so a change holds from the next commit on. */

/** The last text that was read, and what it says: it changes hardly ever. */
let known: { readonly json: string; readonly settings: JournalSettings } | undefined;

/** What a later version wrote and this one does not know must not keep the journal from being written. */
export function settingsOf(json: string | undefined): JournalSettings {
  if (json === undefined) return defaultJournalSettings;
  if (known?.json === json) return known.settings;
  let settings = defaultJournalSettings;
  try {
    const parsed = journalSettingsSchema.safeParse(JSON.parse(json));
    if (parsed.success) settings = parsed.data;
  } catch {
    // Not JSON: the defaults hold.
  }
  known = { json, settings };
  return settings;
}

/** What events are written without; undefined: they are written as they are. */
export async function hidingOf(tx: ReadTx): Promise<Hiding | undefined> {
  const row = await tx.get(settingByName, SETTING);
  if (row === undefined) return undefined;
  const { client_ips: ips, words } = settingsOf(row.value);
  if (ips === 'full' && words) return undefined;
  return { addresses: false, ips, words, key: await keyOf(tx) };
}

export async function keyOf(tx: ReadTx): Promise<string> {
  return (await tx.get(settingByName, KEY_SETTING))?.value ?? '';
}

/** A fold key has the network of a client in it. */
export function hideFold(fold: string, { ips, key }: Hiding): string {
  return ips === 'full' ? fold : createHmac('sha256', key).update(fold).digest('base64url').slice(0, 24);
}
