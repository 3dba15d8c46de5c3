import type { ReadTx, WriteTx } from '../db/sql.ts';
import { addReputation, reputationOf } from './reputation.sql.ts';
import type { Label, Reputation, ReputationKind } from './types.ts';

/** UTF-16 units of a name: a domain's. */
const NAME_LENGTH = 255;

export interface ReputationNote {
  readonly kind: ReputationKind;
  readonly name: string;
  readonly label: Label;
}

/** Count messages seen of domains and networks; alike ones of a batch cost one statement. */
export async function noteReputation(
  tx: WriteTx,
  { notes }: { notes: readonly ReputationNote[] },
): Promise<null> {
  const sums = new Map<string, { kind: ReputationKind; name: string; ham: number; spam: number }>();
  for (const { kind, name, label } of notes) {
    if (name === '' || name.length > NAME_LENGTH) continue;
    const sum = sums.get(`${kind} ${name}`) ?? { kind, name, ham: 0, spam: 0 };
    sum[label]++;
    sums.set(`${kind} ${name}`, sum);
  }
  // Always in the same order: two batches with the same names must not wait for each other in a circle.
  for (const [, { kind, name, ham, spam }] of [...sums].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    await tx.run(addReputation, kind, name, ham, spam, tx.now);
  }
  return null;
}

/** What was seen of a domain and a network; undefined for what was never seen, or not asked for. */
export async function reputation(
  tx: ReadTx,
  args: { domain: string | undefined; network: string | undefined },
): Promise<{ domain: Reputation | undefined; network: Reputation | undefined }> {
  const find = async (kind: ReputationKind, name: string | undefined): Promise<Reputation | undefined> => {
    const row = name === undefined ? undefined : await tx.get(reputationOf, kind, name);
    return row && { ham: row.ham, spam: row.spam, lastAt: row.last_at };
  };
  return { domain: await find('domain', args.domain), network: await find('network', args.network) };
}
