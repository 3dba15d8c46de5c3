import assert from 'node:assert/strict';

/** The scenario whose name begins so. */
export function named<T extends { readonly name: string }>(scenarios: readonly T[], words: string): T {
  return scenarios.find(({ name }) => name.startsWith(words)) ?? assert.fail(`no scenario ${words}`);
}
