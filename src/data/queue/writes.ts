import type { WriteFunction } from '../catalogue.ts';
import type { Actor } from '../directory/types.ts';
import {
  bounce,
  cancel,
  type Canceled,
  type CancelRequest,
  drop,
  hold,
  purge,
  release,
  retry,
} from './admin.ts';
import { lease, type LeaseRequest } from './lease.ts';
import { recover, settle, type SettleRequest } from './settle.ts';
import type { LeasedWork } from './types.ts';

type W<A, R> = WriteFunction<A, R>;

/** Who moves a recipient from which state to which: docs/queue.md. */
export const writes = {
  /**
   * Lease due recipients, grouped by message and destination: at most `limit` groups, skipping destinations in `busy`,
   * at most `perDestination` groups of one destination. Marks them 'leased' by `owner` until now + leaseMs.
   */
  'queue.lease': lease as W<LeaseRequest, LeasedWork[]>,
  /** Ends attempts: states, journal events and DSNs in one commit. A lease that is no longer ours is left alone (and said). */
  'queue.settle': settle as W<SettleRequest, { stale: readonly number[] }>,
  /**
   * At start: what a dead process (`owner`) had leased becomes queued again, due now; with null all leases that ran
   * out. Returns what was found and journals it ('delivery.interrupted').
   */
  'queue.recover': recover as W<
    { owner: string | null },
    { recipients: readonly { id: number; queueId: string; trace: string; address: string }[] }
  >,
  /** By an administrator, on a queue id or all (`queueId: null`) or a destination. Each returns how many recipients moved. */
  'queue.retry': retry as W<
    { actor: Actor; queueId: string | null; destination?: string },
    { count: number }
  >,
  'queue.hold': hold as W<{ actor: Actor; queueId: string; reason: string }, { count: number }>,
  'queue.release': release as W<{ actor: Actor; queueId: string }, { count: number }>,
  'queue.drop': drop as W<{ actor: Actor; queueId: string }, { count: number }>,
  /** Give up now, as if expired: recipients become due with expiry passed, the sender is told by the scheduler. */
  'queue.bounce': bounce as W<{ actor: Actor; queueId: string }, { count: number }>,
  /** By its sender: a submission that waits for its time of release is not sent, exactly when this says 'canceled'. */
  'queue.cancel': cancel as W<CancelRequest, Canceled>,
  /** Forget settled messages older than `before`; returns files of blobs nobody needs any more. */
  'queue.purge': purge as W<
    { before: number; limit: number },
    { messages: number; files: readonly string[] }
  >,
} as const;
