import { until } from '../support/processes.ts';
import type { Terminal } from '../../test/support/terminal.ts';

/** What a program was seen to do, or not to do. */
export interface Result {
  readonly program: string;
  readonly what: string;
  /** Why it failed; undefined: it works. */
  readonly failed: string | undefined;
}

/** Tries one thing after another and goes on when one fails. */
export interface Steps {
  readonly results: readonly Result[];
  step(what: string, run: () => Promise<unknown>): Promise<void>;
}

export function steps(program: string, told: (result: Result) => void = () => undefined): Steps {
  const results: Result[] = [];
  return {
    results,
    async step(what, run) {
      let failed: string | undefined;
      try {
        // Who is not let in does nothing else.
        if (results[0]?.failed !== undefined) throw new Error('not tried');
        await run();
      } catch (error) {
        failed = error instanceof Error ? error.message : String(error);
      }
      const result = { program, what, failed };
      results.push(result);
      told(result);
    },
  };
}

const PATIENCE_MS = 30_000;
const POLL_MS = 150;

/** Wait until the server has it so. */
export function soon(what: string, ready: () => Promise<boolean>, patienceMs = PATIENCE_MS): Promise<void> {
  return until(what, patienceMs, POLL_MS, ready);
}

/** Type an ex command of aerc or meli and end it. */
export async function ex(terminal: Terminal, command: string): Promise<void> {
  await terminal.keys(':');
  await terminal.type(command);
  await terminal.keys('Enter');
}
