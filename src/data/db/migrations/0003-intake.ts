import type { TypeNames } from '../sql.ts';

export function intake(_t: TypeNames): string[] {
  return [];
}
