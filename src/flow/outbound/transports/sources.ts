import { createHash } from 'node:crypto';
import { isIP } from 'node:net';

/** Which of our addresses a destination sees. */

/**
 * For a pool of addresses, those to connect from to a remote address, in the order they are tried: of its family, the
 * same order each time for one destination, so that it learns to know us by one address (weights by hash: a pool that
 * grows or shrinks moves few destinations). Without a pool the system chooses (undefined). With one, nothing goes out
 * by an address that is not in it.
 */
export function sourcesFor(
  pool: readonly string[],
  destination: string,
): ((remote: string) => readonly string[]) | undefined {
  if (pool.length === 0) return undefined;
  const order = pool
    .map((address) => ({ address, weight: weight(destination, address) }))
    .toSorted((a, b) => (a.weight < b.weight ? -1 : 1))
    .map(({ address }) => address);
  return (remote) => order.filter((address) => isIP(address) === isIP(remote));
}

function weight(destination: string, address: string): string {
  return createHash('sha256').update(`${destination} ${address}`).digest('hex');
}
