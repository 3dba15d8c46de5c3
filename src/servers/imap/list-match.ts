import type { ListPattern } from './list-pattern.ts';
import { yieldTurn } from './session.ts';
import type { Turns } from './turns.ts';

/**
 * Those of `items` whose name matches any of the patterns, in their order. However many there are, others get a turn
 * (`pause`) as often as `turns` says.
 */
export async function selectMatching<T extends { readonly name: string }>(
  items: readonly T[],
  patterns: readonly ListPattern[],
  turns: Turns,
  pause: () => Promise<void> = yieldTurn,
): Promise<T[]> {
  const found: T[] = [];
  const work = { steps: 0 };
  for (const item of items) {
    for (const matches of patterns) {
      work.steps = STEPS_PER_MATCH;
      const hit = matches(item.name, work);
      if (turns.spend(work.steps)) await pause();
      if (!hit) continue;
      found.push(item);
      break;
    }
  }
  return found;
}

/** What a match costs besides the steps that it counts. */
const STEPS_PER_MATCH = 10;
