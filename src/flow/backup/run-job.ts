import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type RefusalData, refusalFromData, Refusal } from '../../base/errors.ts';
import type { BackupJob, JobResult, Progress } from './job.ts';

/** What the process of a job says. */
export type JobMessage =
  | { readonly progress: Parameters<Progress>[0] }
  | { readonly result: JobResult }
  | { readonly refusal: RefusalData }
  | { readonly bug: string };

export interface RunningJob {
  readonly pid: number | undefined;
  /** Rejects with a Refusal, or with an Error for a bug; 'unavailable' when the process was killed. */
  readonly done: Promise<JobResult>;
  kill(): void;
}

/** Octets of what the process writes to its standard error that are kept. */
const STDERR_BYTES = 4096;

/** Start a job in a process of its own. */
export function startJob(job: BackupJob, progress?: Progress): RunningJob {
  // In the checkout sources run as `.ts`, in the package as `.js`.
  const ending = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const child = fork(fileURLToPath(new URL(`./backup.process${ending}`, import.meta.url)), [], {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const done = outcome(child, progress);
  // What it is to do and with which key goes over a pipe: arguments and the environment can be seen by others.
  child.send(job, () => undefined);
  return { pid: child.pid, done, kill: () => void child.kill('SIGKILL') };
}

function outcome(child: ChildProcess, progress: Progress | undefined): Promise<JobResult> {
  return new Promise((resolve, reject) => {
    let noise = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      noise = (noise + text).slice(-STDERR_BYTES);
    });
    child.on('message', (message: JobMessage) => {
      if ('progress' in message) progress?.(message.progress);
      else if ('result' in message) resolve(message.result);
      else if ('refusal' in message) reject(refusalFromData(message.refusal));
      else reject(new Error(message.bug));
    });
    child.once('error', reject);
    child.once('close', (status, signal) => {
      const how = signal === null ? `ended with ${status}` : `was ended by ${signal}`;
      const why = noise.trim() === '' ? '' : `: ${noise.trim()}`;
      reject(new Refusal('unavailable', `The process of the backup ${how}${why}.`));
    });
  });
}
