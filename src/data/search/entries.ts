import { readdirSync } from 'node:fs';

/** Names of the accounts' directories. */
export function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}
