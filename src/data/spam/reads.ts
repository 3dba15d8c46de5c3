import { long, point } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import { lists } from './lists.ts';
import { model, modelInfo } from './models.ts';
import { reputation } from './reputation.ts';
import { relations } from './senders.ts';
import { settings } from './settings.ts';
import { junkKept, keptInbox, pendingTraining } from './training.ts';

export const reads = {
  /** What is to be learned, oldest wish first. */
  'spam.pendingTraining': long(pendingTraining),
  'spam.keptInbox': long(keptInbox),
  'spam.junkKept': long(junkKept),
  /** The model of an account, or of the site (0). */
  'spam.model': long(model),
  'spam.modelInfo': long((tx: ReadTx, _args: null) => modelInfo(tx)),
  /** For each account, in their order. */
  'spam.relation': point(relations),
  'spam.lists': long(lists),
  'spam.reputation': point(reputation),
  'spam.settings': point((tx: ReadTx, _args: null) => settings(tx)),
} as const;
