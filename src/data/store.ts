import type { ReadEntry, WriteFunction } from './catalogue.ts';
import type { LoginKey } from './db/sql.ts';
import type { reads } from './reads.ts';
import type { writes } from './writes.ts';

/**
 * The seams between the program and its data (each has an in-process and a threaded form). Arguments and results must
 * survive a structured clone: plain objects, arrays, numbers, strings, Uint8Array.
 */
export type Writes = typeof writes;
export type Reads = typeof reads;
export type WriteName = keyof Writes;
export type ReadName = keyof Reads;
export type WriteArgs<N extends WriteName> = Writes[N] extends WriteFunction<infer A, infer _R> ? A : never;
export type WriteResult<N extends WriteName> = Writes[N] extends WriteFunction<infer _A, infer R> ? R : never;
export type ReadArgs<N extends ReadName> = Reads[N] extends ReadEntry<infer A, infer _R> ? A : never;
export type ReadResult<N extends ReadName> = Reads[N] extends ReadEntry<infer _A, infer R> ? R : never;

export interface Writer {
  /**
   * Resolves after the commit is durable; rejects with a Refusal, or with an Error for a bug or a lost store. `given`:
   * memory of the arguments that the caller hands over, and may not look at again, instead of having it copied.
   */
  run<N extends WriteName>(
    name: N,
    args: WriteArgs<N>,
    given?: readonly ArrayBuffer[],
  ): Promise<WriteResult<N>>;
}

export interface Reader {
  run<N extends ReadName>(name: N, args: ReadArgs<N>): Promise<ReadResult<N>>;
}

/** Wake-ups after commits. They say that something changed, not what: the listener reads what it wants to know. */
export interface Changes {
  /** Call `fn` after each commit that touched the account's mail. Returns how to stop. */
  onAccount(accountId: number, fn: () => void): () => void;
  /** Call `fn` with each account whose mail a commit touched. */
  onAnyAccount(fn: (accountId: number) => void): () => void;
  /** Call `fn` after each commit that put something due into the queue. */
  onQueue(fn: () => void): () => void;
  /** Aborted when the account is suspended, removed, or its password changes; of a login also when that is revoked. */
  revocation(accountId: number, login?: LoginKey): AbortSignal;
}

/** Octets of stored messages. */
export interface BlobReader {
  /** The octets [start, end) of a blob, in pieces of at most 64 KiB; the whole by default. */
  read(blobId: number, start?: number, end?: number): AsyncIterable<Buffer>;
  /** The octets [start, end) at once, for ranges the caller knows to be small. */
  bytes(blobId: number, start?: number, end?: number): Promise<Buffer>;
}

export interface Store {
  readonly write: Writer;
  readonly read: Reader;
  readonly changes: Changes;
  readonly blobs: BlobReader;
}
