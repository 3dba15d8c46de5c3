import { long, point, type WriteFunction } from '../catalogue.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { type Accept, accept } from '../delivery/accept.ts';
import { settingByName } from '../directory/directory.sql.ts';
import type { SpecialUse } from '../mailstore/types.ts';
import {
  deleteTold,
  fillingAccounts,
  mailboxesOfUse,
  putTold,
  type QuotaRow,
  savedBefore,
  toldOf,
} from './housekeeping.sql.ts';

/** Mailboxes that empty themselves, and who was told that a quota fills. */

export const SETTING = 'housekeeping';

export interface UsedMailbox {
  readonly id: number;
  readonly accountId: number;
  readonly address: string;
}

export interface FillingAccount {
  readonly accountId: number;
  readonly address: string;
  /** Octets. */
  readonly quota: number;
  readonly used: number;
  /** Percent the owner was told of last. */
  readonly told: number | undefined;
}

function toFilling({ id, address, quota, used, told }: QuotaRow): FillingAccount {
  return { accountId: id, address, quota, used, told: told ?? undefined };
}

/** What was told, in the commit that tells it. Somebody else was faster: nothing is done. */
async function tellQuota(
  tx: WriteTx,
  args: {
    accountId: number;
    /** As it was read. */
    before: number | undefined;
    /** Undefined: below all marks again. */
    percent: number | undefined;
    notices: readonly Accept[];
  },
): Promise<{ done: boolean }> {
  const { accountId, before, percent } = args;
  if ((await tx.get(toldOf, accountId))?.percent !== before) return { done: false };
  if (percent === undefined) await tx.run(deleteTold, accountId);
  else await tx.run(putTold, accountId, percent, tx.now);
  for (const notice of args.notices) await accept(tx, notice);
  return { done: true };
}

export const reads = {
  /** JSON; undefined: nothing was ever changed. */
  'housekeeping.settings': point(
    async (tx: ReadTx, _args: null): Promise<string | undefined> =>
      (await tx.get(settingByName, SETTING))?.value,
  ),
  /** Mailboxes of a use that hold anything, by ascending id from `after` on. */
  'housekeeping.mailboxes': long(
    async (
      tx: ReadTx,
      args: { specialUse: SpecialUse; after: number; limit: number },
    ): Promise<readonly UsedMailbox[]> =>
      (await tx.all(mailboxesOfUse, args.specialUse, args.after, args.limit)).map(
        ({ id, account_id: accountId, address }) => ({ id, accountId, address }),
      ),
  ),
  /** UIDs of what came into a mailbox before a time, ascending. */
  'housekeeping.savedBefore': long(
    async (
      tx: ReadTx,
      args: { mailboxId: number; before: number; limit: number },
    ): Promise<readonly number[]> =>
      (await tx.all(savedBefore, args.mailboxId, args.before, args.limit)).map(({ uid }) => uid),
  ),
  /** Accounts that have filled so much of their quota, and those who were told of it once. */
  'housekeeping.filling': long(
    async (
      tx: ReadTx,
      args: { percent: number; after: number; limit: number },
    ): Promise<readonly FillingAccount[]> =>
      (await tx.all(fillingAccounts, args.percent, args.after, args.limit)).map(toFilling),
  ),
} as const;

export const writes = {
  'housekeeping.tellQuota': tellQuota as WriteFunction<Parameters<typeof tellQuota>[1], { done: boolean }>,
} as const;
