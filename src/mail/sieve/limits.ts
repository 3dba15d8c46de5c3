import type { SieveLimits } from './types.ts';

const KiB = 1024;

/** The defaults; a site may set some of them lower. */
export const SIEVE_LIMITS: SieveLimits = {
  scriptBytes: 128 * KiB,
  steps: 200_000,
  actions: 64,
  redirects: 10,
  includes: 32,
  includeDepth: 8,
  nesting: 32,
  variables: 256,
  variableLength: 8 * KiB,
  bodyCharacters: 128 * KiB,
  regexLength: 1000,
};

/** Errors of one script that are told. */
export const MAX_ERRORS = 20;
/** Entries of a plan's log. */
export const MAX_LOG = 300;
/** Characters of one entry. */
export const MAX_LOG_TEXT = 300;
/** Characters that one step stands for: copied or compared one by one, and found by a search of the engine. A step is about a microsecond. */
export const STEP_CHARACTERS = 64;
export const STEP_SEARCHED = 1024;
/** Steps after which the event loop gets a turn: about a millisecond. */
export const BREATH_STEPS = 1000;
/** Seconds that a key of `duplicate` may be remembered; RFC 7352 3.4 asks for a limit. */
export const MAX_REMEMBER_SECONDS = 365 * 86_400;
/** Seconds of a vacation period (RFC 5230 4.1, RFC 6131 2). */
export const MIN_VACATION_SECONDS = 60;
export const MAX_VACATION_SECONDS = 365 * 86_400;
/** Octets of a message that replace and enclose may rewrite: it is held in memory. */
export const MAX_REWRITE_BYTES = 50 * KiB * KiB;
/** Characters that a pattern of :regex looks at: it is slower by far than other matches. */
export const REGEX_CHARACTERS = 32 * KiB;
