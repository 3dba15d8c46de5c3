import type { Metrics } from '../../base/metrics.ts';

export interface ReportMetrics {
  /** `outcome`: stored, duplicate, counted, not-addressed, not-ours, postponed, or why it was not read. */
  received(kind: string, outcome: string): void;
  sent(kind: string, outcome: string): void;
  /** Observations that will be in no report. */
  dropped(kind: string, count: number): void;
}

export function reportMetrics(metrics: Metrics): ReportMetrics {
  const received = metrics.counter(
    'postern_reports_received_total',
    'Messages that look like reports (dmarc, tls, arf), by what became of them',
    ['kind', 'outcome'],
  );
  const sent = metrics.counter(
    'postern_reports_sent_total',
    'Daily reports to other domains: sent, none (not wanted), failed',
    ['kind', 'outcome'],
  );
  const dropped = metrics.counter(
    'postern_report_observations_dropped_total',
    'Observations that will be in no report: too many rows for one domain, or the store was away',
    ['kind'],
  );
  return {
    received: (kind, outcome) => received.inc({ kind, outcome }),
    sent: (kind, outcome) => sent.inc({ kind, outcome }),
    dropped: (kind, count) => dropped.inc({ kind }, count),
  };
}
