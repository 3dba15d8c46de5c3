import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { isKnownHash } from '../../../data/directory/imported-hashes.ts';
import { importingMail } from './importing-mail.ts';
import { operation } from './operation.ts';
import { account, address } from './schemas.ts';

/** What only an import from another mail system does. */

/** Characters of a password hash. */
const HASH_LENGTH = 2048;

const addAccount = operation({
  method: 'POST',
  path: '/import/accounts',
  summary:
    'Add an account with the password hash it had elsewhere; its first login makes a hash of ours of it',
  access: 'administrator',
  input: z.strictObject({
    address,
    hash: z.string().min(1).max(HASH_LENGTH),
    displayName: z.string().max(200).default(''),
  }),
  output: z.object({ account }),
  async run({ store }, { hash, ...input }, actor) {
    if (!isKnownHash(hash))
      throw new Refusal('bad-input', 'Passwords with a hash of this kind cannot be checked here.');
    const args = { actor, ...input, role: 'user' as const, quota: 0, hash, scram: null };
    return { account: await store.write.run('directory.addAccount', args) };
  },
});

export const importing = { addAccount, ...importingMail };
