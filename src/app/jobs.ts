import { every } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import type { OpenStore } from '../data/open.ts';
import type { Filter } from '../flow/spam/filter.ts';
import type { Config } from './config.ts';
import { FILTER_JOBS } from './filter-jobs.ts';
import { tidySegments } from './segment-job.ts';

/** What has to be done now and then, whether or not anybody comes by. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Milliseconds after the start when daily work is done for the first time. */
const FIRST_MS = 15 * MINUTE;

/** Milliseconds settled messages stay in the queue's tables, so that `postern queue show` can tell what became of them. */
const QUEUE_KEPT_MS = 7 * DAY;
/** Milliseconds after which bounces to a rewritten address are no longer taken (mail/srs.ts: 21 days, and some). */
const SRS_KEPT_MS = 25 * DAY;
/** Milliseconds in which a removed account can be brought back. */
const REMOVED_ACCOUNT_MS = 30 * DAY;
/** Milliseconds the record of what administrators did is kept. */
const AUDIT_KEPT_MS = 2 * 365 * DAY;
/** Milliseconds a body without a row is left alone: its commit may be on the way. */
const UNKNOWN_BODY_MS = DAY;
/** Rows in one write: others wait while it runs. */
const BATCH = 500;
/** Writes of one job in a row; the rest waits for its next turn. */
const BATCHES = 200;
/** Snoozed messages that are brought back in one write. */
const SNOOZE_BATCH = 100;
/** Bodies looked at between two breaths. */
const SWEEP_PAUSE = 200;

export interface JobParts {
  readonly store: OpenStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly config: () => Config;
  readonly filter: Filter;
}

export interface Jobs {
  /** Start no more; what runs comes to the end of its batch. */
  stop(): Promise<void>;
}

export interface Job {
  readonly name: string;
  readonly everyMs: number;
  /** One batch; true when there is more to do at once. */
  run(parts: JobParts): Promise<boolean>;
}

const JOBS: readonly Job[] = [
  {
    name: 'purge deleted mail',
    everyMs: 10 * MINUTE,
    async run({ store, clock, config }) {
      const before = clock.now() - config().store.undelete;
      const { emails, files } = await store.write.run('mailstore.purge', { before, limit: BATCH });
      await removeFiles(store, files);
      return emails >= BATCH;
    },
  },
  {
    name: 'purge removed accounts',
    everyMs: HOUR,
    async run({ store, clock }) {
      const before = clock.now() - REMOVED_ACCOUNT_MS;
      const { files, more } = await store.write.run('directory.purgeRemoved', { before, limit: BATCH });
      await removeFiles(store, files);
      return more;
    },
  },
  {
    name: 'forget sessions and tokens that are over',
    everyMs: HOUR,
    run: ({ store }) => store.write.run('access.sweep', { limit: BATCH }),
  },
  {
    name: 'purge the queue',
    everyMs: HOUR,
    async run({ store, clock }) {
      const before = clock.now() - QUEUE_KEPT_MS;
      const { messages, files } = await store.write.run('queue.purge', { before, limit: BATCH });
      await removeFiles(store, files);
      return messages >= BATCH;
    },
  },
  {
    name: 'prune the journal',
    everyMs: 10 * MINUTE,
    async run({ store, clock, config }) {
      const { journal_age: age, journal_size: maxBytes } = config().store;
      const args = { before: clock.now() - age, maxBytes, limit: BATCH };
      return (await store.write.run('journal.prune', args)).more;
    },
  },
  {
    name: 'forget rewritten addresses',
    everyMs: DAY,
    async run({ store, clock }) {
      await store.write.run('srs.forget', { before: clock.now() - SRS_KEPT_MS });
      return false;
    },
  },
  {
    name: 'forget what scripts remember',
    everyMs: HOUR,
    async run({ store }) {
      return (await store.write.run('sieve.forget', null)).more;
    },
  },
  {
    name: 'prune the audit',
    everyMs: DAY,
    async run({ store, clock }) {
      const before = clock.now() - AUDIT_KEPT_MS;
      return (await store.write.run('directory.pruneAudit', { before, limit: BATCH })) >= BATCH;
    },
  },
  {
    name: 'forget old bans, known places and volumes',
    everyMs: DAY,
    async run({ store, clock }) {
      await store.write.run('holds.forget', { now: clock.now() });
      return (await store.write.run('bans.forget', { now: clock.now(), limit: BATCH })).more;
    },
  },
  {
    name: 'wake snoozed mail',
    everyMs: 15_000,
    async run({ store, clock }) {
      const now = clock.now();
      if (!(await store.read.run('account.anyDue', { now }))) return false;
      return (await store.write.run('account.wakeDue', { now, limit: SNOOZE_BATCH })).more;
    },
  },
  ...FILTER_JOBS,
  { name: 'sweep bodies', everyMs: DAY, run: sweepBodies },
  { name: 'tidy segments', everyMs: HOUR, run: tidySegments },
];

/** Files go after the commit that forgot them; one that stays behind is swept later. */
async function removeFiles(store: OpenStore, files: readonly string[]): Promise<void> {
  for (const file of files) await store.bodies.remove(file);
}

/** Remove bodies that no row names: of messages whose commit never came, or whose removal was cut short. */
export async function sweepBodies({
  store,
  clock,
  logger,
}: Pick<JobParts, 'store' | 'clock' | 'logger'>): Promise<boolean> {
  const before = clock.now() - UNKNOWN_BODY_MS;
  let looked = 0;
  let removed = 0;
  for await (const { name, writtenAt } of store.bodies.list()) {
    if (++looked % SWEEP_PAUSE === 0) await new Promise((resolve) => setImmediate(resolve));
    if (writtenAt >= before || (await store.read.run('blobs.fileKnown', { file: name }))) continue;
    await store.bodies.remove(name);
    removed++;
  }
  if (removed > 0) logger.info({ removed }, 'job: removed bodies that belong to no message');
  return false;
}

/** Run every job at its interval until stopped. A job that fails is logged, counted and tried again at its next turn. */
export function startJobs(parts: JobParts, more: readonly Job[] = []): Jobs {
  const { clock, logger, metrics } = parts;
  const failures = metrics.counter('postern_job_failures_total', 'Periodic jobs that failed', ['job']);
  const seconds = metrics.duration('postern_job_seconds', 'How long periodic jobs take', ['job']);
  const running = new Set<Promise<void>>();
  let stopping = false;

  async function turn(job: Job): Promise<void> {
    const startedAt = clock.monotonic();
    try {
      for (let batch = 0; batch < BATCHES && !stopping; batch++) {
        if (!(await job.run(parts))) return;
      }
    } catch (error) {
      failures.inc({ job: job.name });
      logger.warn({ job: job.name, error: errorText(error) }, 'job: failed, will try again');
    } finally {
      seconds.observe({ job: job.name }, (clock.monotonic() - startedAt) / 1000);
    }
  }

  const begin = (job: Job): Promise<void> => {
    const done = turn(job).finally(() => running.delete(done));
    running.add(done);
    return done;
  };
  const all = [...JOBS, ...more];
  const timers = all.map((job) => every(clock, job.everyMs, () => begin(job)));
  // A server that is started anew each day would never come to what is due once a day.
  const soon = clock.setTimer(FIRST_MS, () => {
    for (const job of all) if (job.everyMs >= DAY) void begin(job);
  });
  return {
    async stop() {
      stopping = true;
      for (const timer of timers) timer.cancel();
      soon.cancel();
      await Promise.all(running);
    },
  };
}

/** Run each job once, for tests and for `postern` commands that want it now. */
export async function runJobsOnce(parts: JobParts): Promise<void> {
  for (const job of JOBS) while (await job.run(parts));
}
