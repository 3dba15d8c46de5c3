import { createHmac, randomBytes } from 'node:crypto';
import type { ScramKeys } from '../../mail/sasl/types.ts';
import type { Store } from '../store.ts';
import { SCRAM_ITERATIONS, SCRAM_SALT_OCTETS } from './passwords.ts';

const DECOY_KEY = 'auth.decoy-key';

/** Keys of a login that has none: always the same ones for a name, and nobody's password fits them. */
export type DecoyKeys = (login: string) => Promise<ScramKeys>;

export function createDecoyKeys(store: Pick<Store, 'write'>): DecoyKeys {
  let kept: Promise<string> | undefined;
  return async (login) => {
    kept ??= store.write
      .run('directory.ensureSetting', { name: DECOY_KEY, value: randomBytes(32).toString('hex') })
      .catch((error: unknown) => {
        kept = undefined;
        throw error;
      });
    const key = Buffer.from(await kept, 'hex');
    const name = login.trim().normalize('NFC').toLowerCase();
    const make = (what: string): Buffer => createHmac('sha256', key).update(`${what}\0${name}`).digest();
    return {
      salt: make('salt').subarray(0, SCRAM_SALT_OCTETS),
      iterations: SCRAM_ITERATIONS,
      storedKey: make('stored key'),
      serverKey: make('server key'),
    };
  };
}
