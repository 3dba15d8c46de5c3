import { randomBytes } from 'node:crypto';

/**
 * Setting that names the history which the states of this store are of. A restored store goes on from an older moment: what
 * clients have seen since then never happened to it, so no state from before the restore may be compared with one of now.
 */
export const EPOCH = 'jmap.epoch';

export function newEpoch(): string {
  return randomBytes(4).toString('hex');
}
