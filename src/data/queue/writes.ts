import type { WriteFunction } from '../catalogue.ts';
import type { Actor } from '../directory/types.ts';
import type { JournalEvent } from '../journal/types.ts';
import type { LeasedWork, NewOutgoing, Settlement } from './types.ts';

type W<A, R> = WriteFunction<A, R>;
const todo = async (): Promise<never> => { throw new Error('to be written'); };

export const writes = {
  /**
   * Lease due recipients, grouped by message and destination: at most `limit` groups, skipping destinations in `busy`,
   * at most `perDestination` groups of one destination. Marks them 'leased' by `owner` until now + leaseMs.
   */
  'queue.lease': todo as W<{ owner: string; leaseMs: number; limit: number; perDestination: number; busy: readonly string[] }, LeasedWork[]>,
  /** Ends attempts: states, journal events and DSNs in one commit. A lease that is no longer ours is left alone (and said). */
  'queue.settle': todo as W<{ owner: string; settlements: readonly Settlement[]; warned: readonly number[]; outgoing: readonly NewOutgoing[]; events: readonly JournalEvent[] }, { stale: readonly number[] }>,
  /** At start: what a dead process had leased becomes queued again, due now; returns what was found. */
  'queue.recover': todo as W<{ owner: string | null }, { recipients: readonly { id: number; queueId: string; trace: string; address: string }[] }>,
  /** By an administrator, on a queue id or all (`queueId: null`) or a destination. Each returns how many recipients moved. */
  'queue.retry': todo as W<{ actor: Actor; queueId: string | null; destination?: string }, { count: number }>,
  'queue.hold': todo as W<{ actor: Actor; queueId: string; reason: string }, { count: number }>,
  'queue.release': todo as W<{ actor: Actor; queueId: string }, { count: number }>,
  'queue.drop': todo as W<{ actor: Actor; queueId: string }, { count: number }>,
  /** Give up now, as if expired: recipients become due with expiry passed, the sender is told by the scheduler. */
  'queue.bounce': todo as W<{ actor: Actor; queueId: string }, { count: number }>,
  /** Forget settled messages older than `before`; returns files of blobs nobody needs any more. */
  'queue.purge': todo as W<{ before: number; limit: number }, { messages: number; files: readonly string[] }>,
} as const;
