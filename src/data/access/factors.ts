import { Refusal } from '../../base/errors.ts';
import type { WriteTx } from '../db/sql.ts';
import { audit } from '../directory/permission.ts';
import type { Actor } from '../directory/types.ts';
import {
  confirmTotp as confirmSql,
  deletePasskey,
  deletePasskeys,
  deleteRecovery,
  deleteTotp,
  insertPasskey,
  insertRecovery,
  passkeysOf,
  putTotp,
  spendRecovery as spendRecoverySql,
  spendTotp as spendTotpSql,
  totpOf,
  usePasskey as usePasskeySql,
} from './access.sql.ts';
import { needName, needOwnAccount } from './permission.ts';
import { cutSessions } from './sessions.ts';
import { ACCESS_LIMITS } from './types.ts';

interface Own {
  readonly actor: Actor;
  readonly accountId: number;
}

/** A secret that is not in force yet. Refusal 'conflict' when one is. */
export async function beginTotp(tx: WriteTx, args: Own & { secret: string }): Promise<null> {
  const account = await needOwnAccount(tx, args.actor, args.accountId);
  if (account.shared) throw new Refusal('conflict', 'Nobody signs in to a shared account.');
  if ((await tx.run(putTotp, args.accountId, args.secret, tx.now)) === 0)
    throw new Refusal('conflict', 'This account has an authenticator already: remove that first.');
  return null;
}

/** The first code, of `step`, was right. Sessions that had the password alone are cut. */
export async function confirmTotp(
  tx: WriteTx,
  args: Own & { secret: string; step: number; recovery: readonly string[]; keep: number },
): Promise<null> {
  const account = await needOwnAccount(tx, args.actor, args.accountId);
  if ((await tx.run(confirmSql, tx.now, args.step, args.accountId, args.secret)) === 0)
    throw new Refusal('conflict', 'Begin anew: the secret is another one by now.');
  await putRecovery(tx, args.accountId, args.recovery);
  await becomeStricter(tx, args);
  await audit(tx, args.actor, 'account.totp-on', account.address);
  return null;
}

/** Whoever is connected by the password alone is asked for an app password from now on. */
async function becomeStricter(tx: WriteTx, { accountId, keep }: { accountId: number; keep: number }) {
  tx.revoke(accountId);
  await cutSessions(tx, accountId, keep);
}

/** False when this code, or a later one, was taken before (RFC 6238 section 5.2). */
export async function spendTotp(tx: WriteTx, args: { accountId: number; step: number }): Promise<boolean> {
  return (await tx.run(spendTotpSql, args.step, args.accountId, args.step)) > 0;
}

/** False when it is none of the account's codes, or was used before. */
export async function spendRecovery(
  tx: WriteTx,
  args: { accountId: number; digest: string },
): Promise<boolean> {
  return (await tx.run(spendRecoverySql, args.accountId, args.digest)) > 0;
}

async function putRecovery(tx: WriteTx, accountId: number, digests: readonly string[]): Promise<void> {
  await tx.run(deleteRecovery, accountId);
  for (const digest of digests) await tx.run(insertRecovery, accountId, digest);
}

/** New codes; the old ones are worth nothing from here on. */
export async function renewRecovery(tx: WriteTx, args: Own & { recovery: readonly string[] }): Promise<null> {
  const account = await needOwnAccount(tx, args.actor, args.accountId);
  const { totp, passkeys } = await factorsOf(tx, args.accountId);
  if (!totp && passkeys === 0)
    throw new Refusal('conflict', 'Recovery codes are for accounts with a second factor.');
  await putRecovery(tx, args.accountId, args.recovery);
  await audit(tx, args.actor, 'account.recovery-codes', account.address);
  return null;
}

async function factorsOf(tx: WriteTx, accountId: number): Promise<{ totp: boolean; passkeys: number }> {
  const totp = await tx.get(totpOf, accountId);
  const on = totp !== undefined && totp.confirmed_at !== null;
  return { totp: on, passkeys: (await tx.all(passkeysOf, accountId)).length };
}

/** Recovery codes go with the last factor. */
async function tidy(tx: WriteTx, accountId: number): Promise<void> {
  const { totp, passkeys } = await factorsOf(tx, accountId);
  if (!totp && passkeys === 0) await tx.run(deleteRecovery, accountId);
}

export async function removeTotp(tx: WriteTx, args: Own): Promise<null> {
  const account = await needOwnAccount(tx, args.actor, args.accountId);
  await tx.run(deleteTotp, args.accountId);
  await tidy(tx, args.accountId);
  await audit(tx, args.actor, 'account.totp-off', account.address);
  return null;
}

/** `recovery`: digests of codes for an account that has no second factor yet; they are not used otherwise. */
export async function addPasskey(
  tx: WriteTx,
  args: Own & {
    credentialId: string;
    publicKey: Uint8Array;
    counter: number;
    transports: readonly string[];
    name: string;
    recovery: readonly string[];
    keep: number;
  },
): Promise<{ id: number; first: boolean }> {
  const account = await needOwnAccount(tx, args.actor, args.accountId);
  if (account.shared) throw new Refusal('conflict', 'Nobody signs in to a shared account.');
  const had = await factorsOf(tx, args.accountId);
  if (had.passkeys >= ACCESS_LIMITS.passkeys)
    throw new Refusal('limit', `An account has at most ${ACCESS_LIMITS.passkeys} passkeys.`);
  const { credentialId, publicKey, counter } = args;
  const name = needName(args.name, ACCESS_LIMITS.name);
  const transports = args.transports.join(' ');
  const row = await tx.get(
    insertPasskey,
    args.accountId,
    credentialId,
    publicKey,
    counter,
    transports,
    name,
    tx.now,
  );
  if (row === undefined) throw new Refusal('already-exists', 'This passkey is known already.');
  const first = !had.totp && had.passkeys === 0;
  if (first) {
    await putRecovery(tx, args.accountId, args.recovery);
    await becomeStricter(tx, args);
  }
  await audit(tx, args.actor, 'account.passkey-add', account.address, { name });
  return { id: row.id, first };
}

/** It signed; false when its counter has moved meanwhile, so that one answer counts once. */
export async function usePasskey(
  tx: WriteTx,
  args: { id: number; before: number; counter: number },
): Promise<boolean> {
  return (await tx.run(usePasskeySql, args.counter, tx.now, args.id, args.before)) > 0;
}

export async function removePasskey(tx: WriteTx, args: Own & { id: number }): Promise<boolean> {
  const account = await needOwnAccount(tx, args.actor, args.accountId);
  const gone = await tx.get(deletePasskey, args.accountId, args.id);
  if (gone === undefined) return false;
  await tidy(tx, args.accountId);
  await audit(tx, args.actor, 'account.passkey-remove', account.address, { name: gone.name });
  return true;
}

/** For whoever lost telephone and codes: the password alone is enough again. Ends the account's sessions. */
export async function resetFactors(tx: WriteTx, args: Own): Promise<null> {
  const account = await needOwnAccount(tx, args.actor, args.accountId);
  await tx.run(deleteTotp, args.accountId);
  await tx.run(deletePasskeys, args.accountId);
  await tx.run(deleteRecovery, args.accountId);
  tx.revoke(args.accountId);
  await cutSessions(tx, args.accountId, 0);
  await audit(tx, args.actor, 'account.second-factor-reset', account.address);
  return null;
}
