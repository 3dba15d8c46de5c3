import { randomBytes } from 'node:crypto';
import { deriveScramKeys } from '../../mail/sasl/scram.ts';
import { SCRAM_ITERATIONS, SCRAM_SALT_OCTETS } from '../directory/passwords.ts';
import type { ScramSecret } from '../directory/types.ts';
import type { Store } from '../store.ts';
import { newAppPassword } from './tokens.ts';

/** A new app password with its keys, under the salt that the account's passwords share. */
export async function makeAppPassword(
  { read }: Pick<Store, 'read'>,
  accountId: number,
): Promise<{ readonly password: string; readonly scram: ScramSecret }> {
  const password = newAppPassword();
  const { salt, iterations } = (await read.run('access.scramSalt', { accountId })) ?? {
    salt: randomBytes(SCRAM_SALT_OCTETS),
    iterations: SCRAM_ITERATIONS,
  };
  return { password, scram: await deriveScramKeys(password, Buffer.from(salt), iterations) };
}
