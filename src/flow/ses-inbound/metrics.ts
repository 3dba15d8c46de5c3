import type { Metrics } from '../../base/metrics.ts';
import type { ToldBy } from '../../data/intake/types.ts';
import type { Taken } from './types.ts';

export interface IntakeMetrics {
  outcome(source: string, by: ToldBy, taken: Taken): void;
  /** Milliseconds from SES's reception to our commit. */
  lag(source: string, ms: number): void;
  notice(source: string, outcome: string): void;
  problem(source: string): void;
  driverFailed(driver: string): void;
}

export const noIntakeMetrics: IntakeMetrics = {
  outcome: () => undefined,
  lag: () => undefined,
  notice: () => undefined,
  problem: () => undefined,
  driverFailed: () => undefined,
};

/** Seconds: from a moment to the 4 days that SQS would keep a notice by default. */
const LAG_BUCKETS = [1, 2, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600, 96 * 3600];

/** `oldest`: when what waits longest was received by SES, milliseconds since the epoch; `now` likewise. */
export function intakeMetrics(
  metrics: Metrics,
  state: { now(): number; oldest(): Promise<number | undefined> },
): IntakeMetrics {
  const objects = metrics.counter(
    'postern_intake_objects_total',
    'Messages in buckets that were looked at, by what came of it',
    ['source', 'told_by', 'outcome'],
  );
  const lag = metrics.duration(
    'postern_intake_lag_seconds',
    "Time from SES's reception of a message to our commit of it",
    ['source'],
    LAG_BUCKETS,
  );
  const notices = metrics.counter(
    'postern_intake_notices_total',
    'Requests of SNS to the HTTPS endpoint, by what came of them',
    ['source', 'outcome'],
  );
  const problems = metrics.counter(
    'postern_intake_problems_total',
    'Notices that could not be understood and are kept (postern intake problems)',
    ['source'],
  );
  const failures = metrics.counter(
    'postern_intake_driver_failures_total',
    'Times that reading a queue or a bucket failed and began anew',
    ['driver'],
  );
  metrics.gauge(
    'postern_intake_oldest_seconds',
    'Time since SES received the message that waits longest to be taken in; 0 when none does',
    [],
    async function collect() {
      const at = await state.oldest().catch(() => undefined);
      this.set(at === undefined ? 0 : Math.max(0, (state.now() - at) / 1000));
    },
  );
  return {
    outcome: (source, by, taken) => {
      const outcome = taken.outcome === 'taken' && taken.again ? 'again' : taken.outcome;
      objects.inc({ source, told_by: by, outcome });
    },
    lag: (source, ms) => lag.observe({ source }, Math.max(0, ms) / 1000),
    notice: (source, outcome) => notices.inc({ source, outcome }),
    problem: (source) => problems.inc({ source }),
    driverFailed: (driver) => failures.inc({ driver }),
  };
}
