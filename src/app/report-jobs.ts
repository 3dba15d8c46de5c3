import type { Metrics } from '../base/metrics.ts';
import type { FlowDeps } from '../flow/deps.ts';
import { createReports, type Reports } from '../flow/reports/service.ts';
import type { FilterSettings } from '../flow/spam/settings.ts';
import type { Job } from './jobs.ts';
import { programVersion } from './version.ts';

/** Reports of others and to others, and when what is done about them. */

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Rows in one write. */
const BATCH = 500;

/** Everything about reports, by the settings of the filter as they are at the time. */
export function startReports(parts: {
  readonly deps: () => FlowDeps;
  readonly metrics: Metrics;
  readonly settings: () => FilterSettings;
}): Reports {
  const { deps, metrics, settings } = parts;
  return createReports({
    deps,
    metrics,
    generator: `Postern ${programVersion()}`,
    settings: () => {
      const { dmarc, tls_reports: tls, report_opt_out: optOut } = settings();
      return { dmarc: dmarc.reports, tls, optOut };
    },
  });
}

export function reportJobs(reports: Reports): readonly Job[] {
  return [
    {
      name: 'send reports',
      everyMs: 10 * MINUTE,
      // Those that are left wait for the next turn: reports of a day when the server was down go out in peace too.
      async run() {
        await reports.send();
        return false;
      },
    },
    {
      name: 'look for missed reports',
      everyMs: DAY,
      async run() {
        await reports.reread();
        return false;
      },
    },
    { name: 'forget reports', everyMs: DAY, run: () => reports.prune(BATCH) },
  ];
}
