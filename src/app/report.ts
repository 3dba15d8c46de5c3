import { Refusal } from '../base/errors.ts';

/** Run a command; expected failures are one line (or a few) on stderr and status 1, never a stack. */
export async function reportRefusals(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    for (const line of error.message.split('\n')) process.stderr.write(`postern: ${line}\n`);
    return 1;
  }
}
