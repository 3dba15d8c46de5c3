import { Refusal } from '../../base/errors.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { putSetting, settingOf } from './settings.sql.ts';

/** Octets of JSON that an account may keep of each kind. */
export const SETTING_BYTES = { labels: 64 * 1024, preferences: 16 * 1024 } as const;
export type SettingKind = keyof typeof SETTING_BYTES;

/** JSON; undefined: never set. */
export async function accountSetting(
  tx: ReadTx,
  { accountId, kind }: { accountId: number; kind: SettingKind },
): Promise<string | undefined> {
  return (await tx.get(settingOf, accountId, kind))?.data;
}

/** Refusal 'too-large'. */
export async function setAccountSetting(
  tx: WriteTx,
  { accountId, kind, json }: { accountId: number; kind: SettingKind; json: string },
): Promise<null> {
  const most = SETTING_BYTES[kind];
  if (Buffer.byteLength(json) > most) throw new Refusal('too-large', `That may have at most ${most} octets.`);
  // A database of text keeps no NUL; JSON has it escaped.
  await tx.run(putSetting, accountId, kind, json.toWellFormed(), tx.now);
  return null;
}
