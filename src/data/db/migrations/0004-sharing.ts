import type { TypeNames } from '../sql.ts';

/** Who may do what with whose mailboxes (RFC 4314), and annotations (RFC 5464). */
export function sharing(_t: TypeNames): string[] {
  return [];
}
