import { cacheBytes } from '../../base/memory.ts';

/** Bounds of the search index. */

/** Characters of a word, tokens and distinct field names of an email: one with more is left to a scan. */
export const WORD_CHARS = 32 * 1024;
export const EMAIL_TOKENS = 1_000_000;
export const EMAIL_FIELD_NAMES = 500;
export const FIELD_NAME_CHARS = 256;
/** Emails and tokens that are gathered in memory before a segment is written. */
export const BATCH_EMAILS = 1024;
export const BATCH_TOKENS = 1_000_000;
/** Emails and tokens of a segment that comes from merging; bounds the memory of a merge (some 20 octets a token). */
export const SEGMENT_EMAILS = 32 * 1024;
export const SEGMENT_TOKENS = 5_000_000;
/** Segments of about one size before they are merged, and how many times larger the next size is. */
export const MERGE_AT = 6;
export const LEVEL_FACTOR = 4;
/** Tokens of the smallest size of segments. */
export const LEVEL_TOKENS = 30_000;
/** Milliseconds that a search waits for the index to take in what has arrived. */
export const CATCH_UP_MS = 500;
/** Octets of files that are kept in memory, all accounts together. */
export const CACHE_BYTES = cacheBytes(128 * 1024 * 1024);
/** Accounts whose lists of segments are kept in memory. */
export const OPEN_ACCOUNTS = 2000;
/** Emails asked of the store at once. */
export const PAGE_EMAILS = 64;
/** Texts of a query, and characters and tokens of each: one with more is left to a scan. */
export const QUERY_TEXTS = 24;
export const QUERY_CHARS = 2000;
export const QUERY_TOKENS = 100;
