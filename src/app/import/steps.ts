import { errorText, Refusal } from '../../base/errors.ts';
import type { AdminClient } from '../cli/client.ts';

/** What an import does, one thing after the other, through the admin API. Doing it twice changes nothing. */
export interface ImportStep {
  /** "account adam@example.com". */
  readonly what: string;
  /** How things are: to be done, done already, or done otherwise by somebody (a clause), which stays. */
  look(admin: AdminClient): Promise<'new' | 'same' | { readonly kept: string }>;
  apply(admin: AdminClient): Promise<unknown>;
}

/** Something that is not carried over. */
export interface LeftOver {
  readonly what: string;
  readonly why: string;
  readonly remedy: string;
}

export interface StepResult {
  readonly what: string;
  readonly state: 'new' | 'same' | 'kept' | 'failed';
  /** Why it was kept, or failed. */
  readonly note: string;
}

/** Do the steps, or only look. One that fails does not keep those after it from being tried. */
export async function runSteps(
  admin: AdminClient,
  steps: readonly ImportStep[],
  dryRun: boolean,
): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (const step of steps) {
    const { what } = step;
    try {
      const state = await step.look(admin);
      if (typeof state === 'object') results.push({ what, state: 'kept', note: state.kept });
      else {
        if (state === 'new' && !dryRun) await step.apply(admin);
        results.push({ what, state, note: '' });
      }
    } catch (error) {
      // Without a server nothing else will work either.
      if (!(error instanceof Refusal) || error.kind === 'unavailable') throw error;
      results.push({ what, state: 'failed', note: errorText(error) });
    }
  }
  return results;
}
