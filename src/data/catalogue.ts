import type { ReadTx, WriteTx } from './db/sql.ts';

/** A named write: runs in one transaction, alone, and its promise resolves after the commit is durable. */
export type WriteFunction<A, R> = (tx: WriteTx, args: A) => Promise<R>;

/**
 * A named read. 'point': a few indexed rows, run in place; 'long': may take over a millisecond (listing a large
 * mailbox, search), run in a reader thread.
 */
export interface ReadEntry<A, R> {
  readonly weight: 'point' | 'long';
  /** It runs one statement: that is a snapshot by itself, without a transaction around it. */
  readonly single?: true;
  readonly run: (tx: ReadTx, args: A) => Promise<R>;
}

export function point<A, R>(run: (tx: ReadTx, args: A) => Promise<R>): ReadEntry<A, R> {
  return { weight: 'point', run };
}

/** A point read of one statement. */
export function single<A, R>(run: (tx: ReadTx, args: A) => Promise<R>): ReadEntry<A, R> {
  return { weight: 'point', single: true, run };
}

export function long<A, R>(run: (tx: ReadTx, args: A) => Promise<R>): ReadEntry<A, R> {
  return { weight: 'long', run };
}
