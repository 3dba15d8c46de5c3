import type { WriteFunction } from '../catalogue.ts';
import type { JournalEvent } from '../journal/types.ts';
import type { Deposit, DepositResult, NewBlob, ParsedContent } from '../mailstore/types.ts';
import type { Enqueue } from '../queue/types.ts';

const todo = async (): Promise<never> => { throw new Error('to be written'); };

/** One message accepted: its octets once, its deposits, its queue rows and its journal, in one commit. */
export interface Accept {
  readonly blob: NewBlob;
  readonly content: ParsedContent;
  readonly deposits: readonly Deposit[];
  readonly queue: readonly Enqueue[];
  readonly events: readonly JournalEvent[];
}

export const writes = {
  /** The commit behind a 250. Deposits that fail (quota met meanwhile) are reported and cost the others nothing. */
  'delivery.accept': todo as WriteFunction<Accept, { deposits: readonly DepositResult[] }>,
} as const;
