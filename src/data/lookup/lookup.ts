import { point, type WriteFunction } from '../catalogue.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { putSetting, settingByName } from '../directory/directory.sql.ts';
import { audit, requireAdmin } from '../directory/permission.ts';
import { digestOf } from '../directory/setting-change.ts';
import type { Actor } from '../directory/types.ts';

/**
 * Lookup tables: what the site wants of them (JSON, flow/lookup/settings.ts), and the texts that are kept here, each
 * under its own name so that the settings stay small: they are looked at all the time.
 */
const NAME = 'lookup';
const textName = (table: string): string => `lookup.text.${table}`;

export async function settings(tx: ReadTx): Promise<string | undefined> {
  return (await tx.get(settingByName, NAME))?.value;
}

/** The JSON must have been checked. `texts`: of tables that are new or changed. Refusal 'not-permitted'. */
export async function saveSettings(
  tx: WriteTx,
  args: {
    actor: Actor;
    json: string;
    what: string;
    texts?: readonly { readonly table: string; readonly text: string }[];
  },
): Promise<null> {
  requireAdmin(args.actor);
  const before = await settings(tx);
  const texts: { table: string; before: string }[] = [];
  for (const { table } of args.texts ?? [])
    texts.push({ table, before: (await tx.get(settingByName, textName(table)))?.value ?? '' });
  const undo = { kind: 'lookup', before: before ?? null, after: digestOf(args.json), texts } as const;
  for (const { table, text } of args.texts ?? []) await tx.run(putSetting, textName(table), text);
  await tx.run(putSetting, NAME, args.json);
  const data = { before: before ?? null, after: args.json };
  await audit(tx, args.actor, 'lookup.settings', args.what, data, undo);
  return null;
}

export const reads = {
  /** Undefined: nothing was ever wanted. */
  'lookup.settings': point((tx: ReadTx, _args: null) => settings(tx)),
  'lookup.text': point(
    async (tx: ReadTx, args: { table: string }): Promise<string | undefined> =>
      (await tx.get(settingByName, textName(args.table)))?.value,
  ),
} as const;

export const writes = {
  'lookup.saveSettings': saveSettings as WriteFunction<Parameters<typeof saveSettings>[1], null>,
} as const;
