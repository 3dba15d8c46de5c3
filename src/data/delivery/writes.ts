import type { WriteFunction } from '../catalogue.ts';
import type { DepositResult } from '../mailstore/types.ts';
import { type Accept, accept } from './accept.ts';

export type { Accept };

export const writes = {
  /** The commit behind a 250. Deposits that fail (quota met meanwhile) are reported and cost the others nothing. */
  'delivery.accept': accept as WriteFunction<
    Accept,
    { deposits: readonly DepositResult[]; replied?: readonly boolean[]; submissionId?: number }
  >,
} as const;
