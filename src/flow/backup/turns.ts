import type { Clock } from '../../base/clock.ts';
import { errorText, Refusal } from '../../base/errors.ts';
import { timeId } from '../../base/ids.ts';
import type { Logger } from '../../base/log.ts';
import { noTracer, type Tracer, within } from '../../base/tracing.ts';
import type { BroughtBack } from './bring-back.ts';
import type { BackupJob, CreateResult, DrillResult, JobResult } from './job.ts';
import { type RunningJob, startJob } from './run-job.ts';

export type TaskKind = 'create' | 'drill' | 'restore';

/** Something long: one at a time. */
export interface Task {
  readonly id: string;
  readonly kind: TaskKind;
  readonly startedAt: number;
  readonly progress: { readonly bytes: number; readonly of: number } | undefined;
  /** Undefined: it is at work. */
  readonly end: TaskEnd | undefined;
}

export type TaskEnd =
  | { readonly ok: true; readonly result: CreateResult | DrillResult | BroughtBack }
  | { readonly ok: false; readonly message: string };

/** What a task's work has: when it began, a process of its own, and whether it is to end. */
export interface Turn {
  readonly startedAt: number;
  run(job: BackupJob): Promise<JobResult>;
  readonly stopped: boolean;
}

export interface Turns {
  /** The task at work, or the last one. */
  task(): Task | undefined;
  readonly busy: boolean;
  readonly stopped: boolean;
  /** Begin a task. Refusal 'conflict' while another is at work. */
  begin(kind: TaskKind, work: (turn: Turn) => Promise<TaskEnd>): Task;
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export interface TurnParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tracer?: Tracer | undefined;
}

export function createTurns({ clock, logger, tracer = noTracer }: TurnParts): Turns {
  let task: Task | undefined;
  let job: RunningJob | undefined;
  let over = Promise.resolve();
  let stopped = false;

  const turnOf = (startedAt: number): Turn => ({
    startedAt,
    get stopped() {
      return stopped;
    },
    run(wanted) {
      job = startJob(wanted, (progress) => {
        if (task !== undefined) task = { ...task, progress };
      });
      if (stopped) job.kill();
      return job.done;
    },
  });

  return {
    task: () => task,
    get busy() {
      return task !== undefined && task.end === undefined;
    },
    get stopped() {
      return stopped;
    },
    begin(kind, work) {
      if (stopped) throw new Refusal('unavailable', 'The server is about to stop.');
      if (task !== undefined && task.end === undefined) throw atWork(task, clock.now());
      const startedAt = clock.now();
      const begun: Task = { id: timeId(startedAt), kind, startedAt, progress: undefined, end: undefined };
      task = begun;
      logger.info({ task: kind }, 'backup: begun');
      over = within(tracer.start(`backup ${kind}`), async (span) => {
        const end = await work(turnOf(startedAt));
        span?.set({ 'postern.task': begun.id });
        if (!end.ok) span?.fail('the task failed');
        return end;
      })
        .catch((error: unknown): TaskEnd => ({ ok: false, message: errorText(error) }))
        .then((end) => {
          task = { ...(task ?? begun), end };
          if (!end.ok) logger.error({ task: kind, error: end.message }, 'backup: failed');
        });
      return begun;
    },
    settled: () => over,
    async stop() {
      stopped = true;
      job?.kill();
      await over;
    },
  };
}

function atWork({ kind, startedAt }: Task, now: number): Refusal {
  const minutes = Math.floor((now - startedAt) / 60_000);
  return new Refusal(
    'conflict',
    `The server is at work on backups already (${kind}, for ${minutes} min): wait for its end.`,
  );
}
