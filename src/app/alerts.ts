import type { Metrics } from '../base/metrics.ts';
import { type Alerts, createAlerts } from '../flow/alerts/service.ts';
import type { AlertFacts } from '../flow/alerts/checks.ts';
import type { Backups } from '../flow/backup/service.ts';
import type { SesInbound } from '../flow/ses-inbound/service.ts';
import type { Core } from './core.ts';
import type { Job } from './jobs.ts';

/** What the alerts look at, and when. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Minutes of failed logins that are looked at together. */
const WINDOW = 10;

export interface AlertsPart {
  readonly alerts: Alerts;
  readonly jobs: readonly Job[];
  stop(): void;
}

export function createAlertsPart(
  core: Core,
  { backups, intake }: { readonly backups: Backups; readonly intake: Pick<SesInbound, 'alarmSince'> },
): AlertsPart {
  const { clock, metrics, store, tls, housekeeping } = core;
  const stopping = new AbortController();
  const startedAt = clock.now();
  const logins = loginWindow(metrics);
  const alerts = createAlerts({
    deps: () => core.live.deps,
    metrics,
    signal: stopping.signal,
    async facts(): Promise<AlertFacts> {
      const now = clock.now();
      const { target, every_hours: everyHours } = await backups.settings();
      const scheduled = target !== '' && everyHours > 0;
      return {
        now,
        queue: await store.read.run('queue.counts', null),
        destinations: await store.read.run('alerts.destinations', { since: now - HOUR }),
        certificates: tls.certificates(),
        disk: housekeeping.disk.state(),
        lists: await highest(metrics, 'postern_doctor_state', ({ check }) => check === 'lists'),
        failedLogins: await logins.recent(now),
        holds: await store.read.run('holds.list', null),
        backup: scheduled ? { ...(await backups.state()), everyHours, startedAt } : undefined,
        intakeSince: intake.alarmSince,
      };
    },
  });
  const job: Job = {
    name: 'look for trouble',
    everyMs: MINUTE,
    async run() {
      await alerts.look();
      return false;
    },
  };
  // A try-out is looked at by whoever tries it; mail of the program itself would only be in the way.
  const jobs = core.options.tryOut === true ? [] : [job];
  return { alerts, jobs, stop: () => stopping.abort() };
}

type Labels = Readonly<Record<string, string | number | undefined>>;

async function valuesOf(
  metrics: Metrics,
  name: string,
): Promise<readonly { value: number; labels: Labels }[]> {
  const metric = metrics.registry.getSingleMetric(name);
  return metric === undefined ? [] : (await metric.get()).values;
}

/** The highest value of those of a metric; undefined: there are none. */
async function highest(
  metrics: Metrics,
  name: string,
  wanted: (labels: Labels) => boolean,
): Promise<number | undefined> {
  const values = (await valuesOf(metrics, name)).filter(({ labels }) => wanted(labels));
  return values.length === 0 ? undefined : Math.max(...values.map(({ value }) => value));
}

/** Failed logins of the last minutes, from what is counted since the start. */
function loginWindow(metrics: Metrics): { recent(now: number): Promise<number> } {
  let samples: { at: number; failed: number }[] = [{ at: 0, failed: 0 }];
  return {
    async recent(now) {
      let failed = 0;
      for (const name of [
        'postern_smtp_logins_total',
        'postern_imap_logins_total',
        'postern_account_logins_total',
      ])
        for (const { value, labels } of await valuesOf(metrics, name))
          if (labels['outcome'] === 'failed') failed += value;
      const from = samples.findLast(({ at }) => at <= now - WINDOW * MINUTE) ?? samples[0];
      samples = [...samples.filter(({ at }) => at >= (from?.at ?? 0)), { at: now, failed }];
      return failed - (from?.failed ?? 0);
    },
  };
}
