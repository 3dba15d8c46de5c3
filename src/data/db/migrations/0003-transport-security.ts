import type { TypeNames } from '../sql.ts';

export function transportSecurity(_t: TypeNames): string[] {
  return [];
}
