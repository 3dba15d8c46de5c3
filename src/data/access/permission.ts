import { Refusal } from '../../base/errors.ts';
import type { WriteTx } from '../db/sql.ts';
import { accountById } from '../directory/directory.sql.ts';
import { requireAccount } from '../directory/permission.ts';
import { toAccount } from '../directory/rows.ts';
import type { Account, Actor } from '../directory/types.ts';

/** The account, for itself or for who administers it. Refusal 'no-such-account', 'not-permitted'. */
export async function needOwnAccount(tx: WriteTx, actor: Actor, accountId: number): Promise<Account> {
  const row = await tx.get(accountById, accountId);
  if (row === undefined || row.status === 'removed')
    throw new Refusal('no-such-account', 'There is no such account.');
  const account = toAccount(row);
  if (actor.name !== account.address) requireAccount(actor, account);
  return account;
}

/** A name that a person gave something, fit to be shown. Refusal 'bad-input' for an empty one. */
export function needName(text: string, length: number): string {
  const name = text
    .toWellFormed()
    .replace(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, length)
    .toWellFormed();
  if (name === '') throw new Refusal('bad-input', 'It needs a name.');
  return name;
}
