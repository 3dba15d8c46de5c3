import { Refusal } from '../base/errors.ts';
import { fileProblem } from './cli/file-words.ts';

/** Run a command; expected failures, and what ails a file that was named, are one line (or a few) on stderr and status 1, never a stack. */
export async function reportRefusals(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    const message = error instanceof Refusal ? error.message : fileProblem(error);
    if (message === undefined) throw error;
    for (const line of message.split('\n')) process.stderr.write(`postern: ${line}\n`);
    return 1;
  }
}
