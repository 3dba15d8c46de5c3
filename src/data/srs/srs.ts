import { point, type WriteFunction } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import { forgetTokens, keepToken, tokenAddress } from './srs.sql.ts';

/** Senders whose rewritten address would not fit 64 octets, under the token that stands for them (mail/srs.ts). */
export const writes = {
  'srs.keep': (async (tx, { token, address }) => {
    await tx.run(keepToken, token, address, tx.now);
    return null;
  }) as WriteFunction<{ token: string; address: string }, null>,
  /** Forget tokens last used before a time: bounces to them are no longer taken. */
  'srs.forget': ((tx, { before }) => tx.run(forgetTokens, before)) as WriteFunction<
    { before: number },
    number
  >,
} as const;

export const reads = {
  'srs.address': point(
    async (tx: ReadTx, { token }: { token: string }): Promise<string | undefined> =>
      (await tx.get(tokenAddress, token))?.address,
  ),
} as const;
