import { errorText } from '../../base/errors.ts';
import type { DataDirectory } from '../../data/backup/data-directory.ts';
import type { Actor } from '../../data/directory/types.ts';
import type { OpenStore } from '../../data/open.ts';
import { savedScripts, savedSettings, type SavedScriptRow } from '../../data/sieve/saved.sql.ts';
import type { Place } from '../../data/sieve/types.ts';
import { generate } from '../sieve/generate.ts';
import { storedSettings } from '../sieve/settings.ts';

const SYSTEM: Actor = { name: 'system', role: 'system', domainId: undefined };

/**
 * Put the Sieve scripts and settings of an account in a backup back: those that are not there any more. What is there
 * now is left alone, and so is which of them runs, unless none does. Returns how many came back.
 */
export async function bringBackScripts(
  { read, write }: Pick<OpenStore, 'read' | 'write'>,
  directory: DataDirectory,
  from: string,
  accountId: number,
): Promise<number> {
  const saved = await scriptsIn(directory, from);
  const place: Place = { kind: 'account', accountId };
  const there = await read.run('sieve.list', { place });
  const names = new Set(there.map(({ name }) => name));
  const runs = there.some(({ active }) => active);
  let restored = 0;
  for (const { name, text, active } of saved.scripts) {
    if (names.has(name)) continue;
    await write.run('sieve.put', { actor: SYSTEM, place, name, text, activate: active === 1 && !runs });
    restored += 1;
  }
  if (saved.settings === undefined || (await read.run('sieve.settings', { accountId })) !== undefined)
    return restored;
  const settings = storedSettings(saved.settings);
  const args = { actor: SYSTEM, accountId, settings: JSON.stringify(settings), script: generate(settings) };
  await write.run('sieve.saveSettings', args);
  return restored + 1;
}

async function scriptsIn(
  { tx }: DataDirectory,
  address: string,
): Promise<{ scripts: readonly SavedScriptRow[]; settings: string | undefined }> {
  try {
    const settings = await tx.get(savedSettings, address);
    return { scripts: await tx.all(savedScripts, address), settings: settings?.settings };
  } catch (error) {
    // A backup of a version that knew no scripts.
    if (errorText(error).includes('no such table')) return { scripts: [], settings: undefined };
    throw error;
  }
}
