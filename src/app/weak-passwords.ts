import type { Clock } from '../base/clock.ts';
import { Refusal } from '../base/errors.ts';
import { createHashThread } from '../data/directory/hash-thread.ts';
import { isOwnHash, matchesOwn } from '../data/directory/passwords.ts';
import type { StoredCredential } from '../data/directory/types.ts';
import type { Store } from '../data/store.ts';
import { deriveScramKeys } from '../mail/sasl/scram.ts';

/** The password of every try-out: no account of a real server may have it. */
const TRY_PASSWORD = 'postern';
/** Milliseconds (since the epoch) of the newest password that was checked, so that a start checks new ones only. */
const CHECKED = 'passwords.checked';
/** Accounts that are named. */
const NAMED = 10;

/** Throws a `Refusal` that names the accounts whose password is `postern`. */
export async function refuseTryOutPasswords(
  store: Pick<Store, 'read' | 'write'>,
  clock: Clock,
): Promise<void> {
  const since = Number((await store.read.run('directory.setting', { name: CHECKED })) ?? 0);
  const imported = createHashThread(clock);
  const weak: string[] = [];
  let newest = since;
  for (const { address } of await store.read.run('directory.accounts', {})) {
    const credential = await store.read.run('directory.credential', { login: address });
    if (credential === undefined || credential.changedAt <= since) continue;
    newest = Math.max(newest, credential.changedAt);
    if (await isTryPassword(credential, imported)) weak.push(address);
  }
  if (weak.length > 0) {
    const more = weak.length > NAMED ? ` and ${weak.length - NAMED} more` : '';
    throw new Refusal(
      'not-permitted',
      `the password of ${weak.slice(0, NAMED).join(', ')}${more} is "${TRY_PASSWORD}", which everybody knows: set another with "postern serve --set-password ${weak[0] ?? 'ADDRESS'}" (and the same --config), then start again`,
    );
  }
  if (newest > since) await store.write.run('directory.setSetting', { name: CHECKED, value: String(newest) });
}

/** SCRAM keys are quicker to check than slow hashes; whoever set a password has both. */
async function isTryPassword(
  { hash, scram }: StoredCredential,
  imported: (password: string, hash: string) => Promise<boolean>,
): Promise<boolean> {
  if (scram !== undefined) {
    const keys = await deriveScramKeys(TRY_PASSWORD, Buffer.from(scram.salt), scram.iterations);
    return keys.storedKey.equals(scram.storedKey);
  }
  return isOwnHash(hash) ? matchesOwn(TRY_PASSWORD, hash) : imported(TRY_PASSWORD, hash);
}
