import { createHash } from 'node:crypto';
import type { ReadTx } from '../db/sql.ts';
import { settingByName } from './directory.sql.ts';
import type { Undo } from './undo-types.ts';

/** What takes a change of a setting back. Call it before the change. */
export async function settingChange(
  tx: ReadTx,
  name: string,
  json: string,
): Promise<Extract<Undo, { kind: 'setting' }>> {
  const before = (await tx.get(settingByName, name))?.value ?? null;
  return { kind: 'setting', name, before, after: digestOf(json) };
}

export function digestOf(json: string): string {
  return createHash('sha256').update(json).digest('hex');
}
