import { setPriority } from 'node:os';
import { systemClock } from '../../base/clock.ts';
import { errorText, Refusal, refusalToData } from '../../base/errors.ts';
import { type BackupJob, runJob } from './job.ts';
import type { JobMessage } from './run-job.ts';

/**
 * A process that does one job and ends: reading all mail takes processor and disk that belong to the mail that comes
 * and goes, so it has the least priority (on Linux that of the disk follows). It dies with who started it.
 */

/** The least there is. */
const NICE = 19;
/** Milliseconds between two words of progress. */
const PROGRESS_MS = 500;

// Before any other thread is made, so that all of them have it.
try {
  setPriority(NICE);
} catch {
  // A sandbox that does not let us: then as everybody else.
}

process.on('disconnect', () => process.exit(1));
process.once('message', (job: BackupJob) => {
  void answer(job).then((message) => {
    if (process.connected) process.send?.(message, () => process.exit(0));
    else process.exit(1);
  });
});

async function answer(job: BackupJob): Promise<JobMessage> {
  let told = systemClock.monotonic();
  try {
    const result = await runJob(job, systemClock, (progress) => {
      const now = systemClock.monotonic();
      if (now - told < PROGRESS_MS || !process.connected) return;
      told = now;
      process.send?.({ progress } satisfies JobMessage);
    });
    return { result };
  } catch (error) {
    if (error instanceof Refusal) return { refusal: refusalToData(error) };
    return { bug: error instanceof Error ? (error.stack ?? error.message) : errorText(error) };
  }
}
