import type { TypeNames } from '../sql.ts';

export function suppression(_t: TypeNames): string[] {
  return [];
}
