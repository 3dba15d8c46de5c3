import type { TypeNames } from '../sql.ts';

/** Sieve scripts and what they remember. */
export function sieve(_t: TypeNames): string[] {
  return [];
}
