import { point } from '../catalogue.ts';
import type { JournalRow } from './types.ts';

const todo = async (): Promise<never> => { throw new Error('to be written'); };
type R<A, O> = (tx: unknown, args: A) => Promise<O>;

export const reads = {
  'journal.byTrace': point(todo as R<{ trace: string }, JournalRow[]>),
  /** Traces by term (see journal/types.ts `terms`), newest first, within [from, to). */
  'journal.find': point(todo as R<{ term: string; from?: number; to?: number; limit: number }, { trace: string; at: number }[]>),
  /** Newest traces in a time span, by kind when given. */
  'journal.recent': point(todo as R<{ from: number; to: number; kind?: string; limit: number }, JournalRow[]>),
} as const;
