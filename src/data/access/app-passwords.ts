import { Refusal } from '../../base/errors.ts';
import type { WriteTx } from '../db/sql.ts';
import { credentialOf, putCredential } from '../directory/credentials.sql.ts';
import { audit } from '../directory/permission.ts';
import type { Actor, ScramSecret } from '../directory/types.ts';
import {
  appPasswordsOf,
  deleteAppPassword,
  deleteScramKeys,
  insertAppPassword,
  noteAppPassword,
} from './access.sql.ts';
import { cutGrants } from './oauth.ts';
import { needName, needOwnAccount } from './permission.ts';
import { cutSessions } from './sessions.ts';
import { ACCESS_LIMITS, type AppScope } from './types.ts';

export interface NewAppPassword {
  readonly actor: Actor;
  readonly accountId: number;
  readonly name: string;
  readonly scopes: readonly AppScope[];
  readonly expiresAt: number | null;
  readonly scram: ScramSecret;
}

export async function addAppPassword(tx: WriteTx, args: NewAppPassword): Promise<{ id: number }> {
  const account = await needOwnAccount(tx, args.actor, args.accountId);
  if (account.shared) throw new Refusal('conflict', 'Nobody signs in to a shared account.');
  if (args.scopes.length === 0) throw new Refusal('bad-input', 'It needs at least one scope.');
  if (args.expiresAt !== null && args.expiresAt <= tx.now)
    throw new Refusal('bad-input', 'It would have ended already.');
  const others = await tx.all(appPasswordsOf, args.accountId);
  if (others.length >= ACCESS_LIMITS.appPasswords) {
    throw new Refusal('limit', `An account has at most ${ACCESS_LIMITS.appPasswords} app passwords.`);
  }
  const { salt, iterations, storedKey, serverKey } = args.scram;
  // One salt for all, as SCRAM names one before it knows which password will come.
  const [other] = others;
  if (other !== undefined && !sameSalt(args.scram, { salt: other.salt, iterations: other.iterations }))
    throw new Refusal('conflict', 'Another one was made at the same time: try again.');
  const scopes = args.scopes.join(' ');
  const name = needName(args.name, ACCESS_LIMITS.name);
  const row = await tx.get(
    insertAppPassword,
    args.accountId,
    name,
    scopes,
    salt,
    iterations,
    storedKey,
    serverKey,
    tx.now,
    args.expiresAt,
  );
  if (row === undefined) throw new Error('an INSERT returned no row');
  const main = await tx.get(credentialOf, args.accountId);
  // Keys under another salt would never be asked for; the next login with the password makes new ones.
  if (
    main !== undefined &&
    !sameSalt(args.scram, { salt: main.scram_salt, iterations: main.scram_iterations })
  )
    await tx.run(deleteScramKeys, args.accountId);
  await audit(tx, args.actor, 'account.app-password-add', account.address, { name, scopes });
  return row;
}

export function sameSalt(
  one: { readonly salt: Uint8Array; readonly iterations: number },
  other: { readonly salt: Uint8Array | null; readonly iterations: number | null },
): boolean {
  return (
    other.salt !== null && one.iterations === other.iterations && Buffer.from(one.salt).equals(other.salt)
  );
}

/** What uses it is cut off. False when there is none. */
export async function removeAppPassword(
  tx: WriteTx,
  args: { actor: Actor; accountId: number; id: number },
): Promise<boolean> {
  const account = await needOwnAccount(tx, args.actor, args.accountId);
  const gone = await tx.get(deleteAppPassword, args.accountId, args.id);
  if (gone === undefined) return false;
  tx.revoke(`app:${args.id}`);
  await audit(tx, args.actor, 'account.app-password-remove', account.address, { name: gone.name });
  return true;
}

export async function noteUse(tx: WriteTx, args: { id: number; address: string }): Promise<null> {
  await tx.run(noteAppPassword, tx.now, args.address, args.id);
  return null;
}

/** The SCRAM keys of a new password, where they can be asked for beside those of the app passwords. */
export async function usableScram(
  tx: WriteTx,
  accountId: number,
  scram: ScramSecret | null,
): Promise<ScramSecret | null> {
  const [other] = await tx.all(appPasswordsOf, accountId);
  if (scram === null || other === undefined) return scram;
  return sameSalt(scram, { salt: other.salt, iterations: other.iterations }) ? scram : null;
}

/**
 * The account sets its own password. All web sessions but `keep` and all connections end; app passwords and grants stay
 * unless `everything`.
 */
export async function changePassword(
  tx: WriteTx,
  args: {
    actor: Actor;
    accountId: number;
    keep: number;
    everything: boolean;
    hash: string;
    scram: ScramSecret | null;
  },
): Promise<null> {
  const { actor, accountId, keep } = args;
  const account = await needOwnAccount(tx, actor, accountId);
  if (account.shared) throw new Refusal('conflict', 'Nobody signs in to a shared account.');
  if (args.everything) {
    for (const { id } of await tx.all(appPasswordsOf, accountId))
      await removeAppPassword(tx, { actor, accountId, id });
    await cutGrants(tx, accountId);
  }
  const scram = await usableScram(tx, accountId, args.scram);
  const { salt = null, iterations = null, storedKey = null, serverKey = null } = scram ?? {};
  await tx.run(putCredential, accountId, args.hash, salt, iterations, storedKey, serverKey, tx.now);
  tx.revoke(accountId);
  await cutSessions(tx, accountId, keep);
  await audit(tx, actor, 'account.password', account.address, args.everything ? { everything: 1 } : {});
  return null;
}
