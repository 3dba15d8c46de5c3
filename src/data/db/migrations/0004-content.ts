import type { TypeNames } from '../sql.ts';

/** Keys by which emails are sorted and put into threads, and their previews. */
export function content(_t: TypeNames): string[] {
  return [];
}
