import { Refusal } from '../../../base/errors.ts';
import type { Actor, DkimKey } from '../../../data/directory/types.ts';
import type { Store } from '../../../data/store.ts';
import type { Clock } from '../../../base/clock.ts';
import { generateKeyPair } from '../../../mail/dkim/keys.ts';

export type DkimAlgorithm = DkimKey['algorithm'];

/** Every receiver knows RSA; Ed25519 is short and for those who do (RFC 8463). */
const BOTH: readonly DkimAlgorithm[] = ['rsa-sha256', 'ed25519-sha256'];
/** Selectors tried when those of the month are taken. */
const ATTEMPTS = 20;

/** Make signing keys of a domain, one per algorithm, under selectors nobody has used yet. Returns them without secrets. */
export async function makeDkimKeys(
  deps: { readonly store: Pick<Store, 'read' | 'write'>; readonly clock: Clock },
  actor: Actor,
  domain: string,
  algorithms: readonly DkimAlgorithm[] = BOTH,
  state: 'pending' | 'active' = 'active',
): Promise<Omit<DkimKey, 'privateKey'>[]> {
  const known = await deps.store.read.run('directory.dkimKeys', { domain });
  const used = new Set(known.map(({ selector }) => selector));
  const made: Omit<DkimKey, 'privateKey'>[] = [];
  for (const algorithm of algorithms) {
    const selector = freeSelector(algorithm, deps.clock.now(), used);
    const pair = await generateKeyPair(algorithm);
    const { privateKey: _secret, ...key } = await deps.store.write.run('directory.addDkimKey', {
      actor,
      domain,
      selector,
      algorithm,
      privateKey: pair.privatePem,
      publicKey: pair.publicKeyBase64,
      state,
    });
    used.add(selector);
    made.push(key);
  }
  return made;
}

/** "202601r": the month tells how old a key is, the letter its algorithm. */
function freeSelector(algorithm: DkimAlgorithm, nowMs: number, used: ReadonlySet<string>): string {
  const month = new Date(nowMs).toISOString().slice(0, 7).replace('-', '');
  const base = `${month}${algorithm === 'rsa-sha256' ? 'r' : 'e'}`;
  for (let i = 1; i <= ATTEMPTS; i++) {
    const selector = i === 1 ? base : `${base}${i}`;
    if (!used.has(selector)) return selector;
  }
  throw new Refusal('limit', `There are ${ATTEMPTS} keys of this month already: name a selector yourself.`);
}
