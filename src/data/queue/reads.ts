import { point } from '../catalogue.ts';
import type { QueueMessage, QueueRecipient } from './types.ts';

const todo = async (): Promise<never> => { throw new Error('to be written'); };
type R<A, O> = (tx: unknown, args: A) => Promise<O>;

export const reads = {
  'queue.list': point(todo as R<{ state?: string; destination?: string; limit: number; after?: number }, { message: QueueMessage; recipients: QueueRecipient[] }[]>),
  'queue.show': point(todo as R<{ queueId: string }, { message: QueueMessage; recipients: QueueRecipient[] } | undefined>),
  /** When the next recipient is due (ms), or undefined. */
  'queue.nextDue': point(todo as R<{ busy: readonly string[] }, number | undefined>),
  'queue.counts': point(todo as R<null, { state: string; count: number; oldest: number | undefined }[]>),
} as const;
