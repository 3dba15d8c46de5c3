import type { WriteFunction } from '../catalogue.ts';
import { forget } from './memory.ts';
import { activate, put, remove, rename, saveSettings } from './scripts.ts';
import type { Change, ScriptInfo } from './types.ts';

export const writes = {
  'sieve.put': put as WriteFunction<
    Change & { readonly text: string; readonly activate?: boolean },
    ScriptInfo
  >,
  'sieve.activate': activate as WriteFunction<Change, null>,
  'sieve.rename': rename as WriteFunction<Change & { readonly to: string }, null>,
  'sieve.remove': remove as WriteFunction<Change, null>,
  'sieve.saveSettings': saveSettings as WriteFunction<Parameters<typeof saveSettings>[1], null>,
  /** One batch of what has expired; call again while there is more. */
  'sieve.forget': forget as WriteFunction<null, { more: boolean }>,
} as const;
