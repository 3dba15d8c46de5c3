import type { SearchQuery } from './types.ts';

/** Where the mail is. */
export type SearchDatabase =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string };

export interface SearchThreadData {
  readonly database: SearchDatabase;
  /** The data directory, with the bodies. */
  readonly data: string;
  /** Of the indexes. */
  readonly directory: string;
}

export type ToSearch =
  | { readonly kind: 'changed'; readonly accounts: readonly number[] }
  | { readonly kind: 'close' }
  | { readonly kind: 'find'; readonly id: number; readonly accountId: number; readonly query: SearchQuery }
  | { readonly kind: 'rebuild'; readonly id: number; readonly accountId: number | undefined }
  | { readonly kind: 'states'; readonly id: number; readonly accountIds: readonly number[] }
  | { readonly kind: 'totals'; readonly id: number };

export type FromSearch =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: string }
  | {
      readonly kind: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly fields: object;
      readonly text: string;
    };
