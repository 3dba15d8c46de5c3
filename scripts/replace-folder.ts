import { rename, rm } from 'node:fs/promises';

/**
 * Puts one folder in the place of another. Others may do the same at the same moment: each folder is whole, and the last
 * one stays.
 */
export async function replaceFolder(next: string, place: string): Promise<void> {
  const old = `${next}-old`;
  for (;;) {
    await rm(old, { recursive: true, force: true });
    await rename(place, old).catch(unless('ENOENT'));
    const taken = await rename(next, place).then(() => false, unless('ENOTEMPTY', 'EEXIST'));
    if (taken === false) break;
  }
  await rm(old, { recursive: true, force: true });
}

/** What a promise may fail with; resolves with that name. */
function unless(...expected: readonly string[]): (error: NodeJS.ErrnoException) => string {
  return (error) => {
    if (error.code === undefined || !expected.includes(error.code)) throw error;
    return error.code;
  };
}
