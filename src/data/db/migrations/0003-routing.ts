import type { TypeNames } from '../sql.ts';

export function routing(_t: TypeNames): string[] {
  return [];
}
