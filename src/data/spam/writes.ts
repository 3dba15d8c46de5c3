import type { WriteFunction } from '../catalogue.ts';
import type { Actor } from '../directory/types.ts';
import { listAdd, listRemove } from './lists.ts';
import { noteReputation, type ReputationNote } from './reputation.ts';
import { forget, type Forget } from './senders.ts';
import { saveSettings } from './settings.ts';
import { learned, train, type TrainRequest } from './training.ts';
import type { LearnedBatch, ListAction } from './types.ts';

type W<A, R> = WriteFunction<A, R>;

export const writes = {
  /** Have emails learned, or all in a mailbox (the newest 10,000). Refusals 'no-such-mailbox', 'limit'. */
  'spam.train': train as W<TrainRequest, { count: number }>,
  /** Save models and end the wishes they answer, in one commit. */
  'spam.learned': learned as W<LearnedBatch, null>,
  /** A job: forget old sent ids and reputations, trim memories of correspondents; call again while there is `more`. */
  'spam.forget': forget as W<Forget, { more: boolean; after: number }>,
  /** Users may change their own list. Refusals 'bad-input', 'not-permitted', 'no-such-account', 'limit'. */
  'spam.listAdd': listAdd as W<
    { actor: Actor; account: string | null; pattern: string; action: ListAction; note?: string },
    { pattern: string }
  >,
  'spam.listRemove': listRemove as W<{ actor: Actor; account: string | null; pattern: string }, null>,
  'spam.noteReputation': noteReputation as W<{ notes: readonly ReputationNote[] }, null>,
  'spam.saveSettings': saveSettings as W<{ actor: Actor; json: string }, null>,
} as const;
