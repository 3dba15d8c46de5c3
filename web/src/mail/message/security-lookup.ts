import type { Key } from 'openpgp';
import { fromBase64 } from './security-find.ts';
import type { KeyServer } from './security-keys.ts';
import type { KeySource } from './security-verdict.ts';

/**
 * Ask an address's domain for its keys and keep those that name the address (Web Key Directory section 5); how many they are.
 * The domain learns that somebody asks: only when a person wants it.
 */
export async function lookUp(server: KeyServer, address: string): Promise<number> {
  const { octets } = await server.askDomain(address);
  const found = octets === undefined ? undefined : fromBase64(octets);
  if (found === undefined) return 0;
  const { describeKey, readPgpKeys } = await import('./pgp.ts');
  let kept = 0;
  for (const key of await readPgpKeys(found)) {
    const { addresses } = await describeKey(key);
    if (!addresses.includes(address.toLowerCase())) continue;
    await keepPgpKey(server, key, address, 'domain');
    kept++;
  }
  return kept;
}

/** Keep a key with what a copy that is there already says besides: that it was taken back is never forgotten. */
export async function keepPgpKey(
  { keysOf, keepKey }: KeyServer,
  key: Key,
  address: string,
  source: KeySource,
  trusted = false,
): Promise<void> {
  const { describeKey, mergeKeys, readPgpKeys } = await import('./pgp.ts');
  const before: Key[] = [];
  for (const { kind, fingerprint, octets } of await keysOf(address))
    if (kind === 'pgp' && fingerprint === key.getFingerprint())
      before.push(...(await readPgpKeys(fromBase64(octets ?? '') ?? new Uint8Array())));
  const [merged = key] = await mergeKeys([key, ...before]);
  await keepKey(await describeKey(merged), address, source, trusted);
}
