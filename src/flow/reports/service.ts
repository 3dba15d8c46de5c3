import type { Metrics } from '../../base/metrics.ts';
import type { FlowDeps } from '../deps.ts';
import type { ReportHooks } from '../report-hooks.ts';
import { firstAdministrator } from './addresses.ts';
import { createIntake, recogniseReport, type ReportIntake } from './intake.ts';
import { reportMetrics } from './metrics.ts';
import { dmarcObservation, tlsObservation } from './observation.ts';
import { Aggregator } from './observe.ts';
import { type RereadParts, rereadReports } from './reread.ts';
import { type Postponed, sendDueReports } from './send.ts';
import { DAY_MS, dayOf, isOptedOut, REPORT_SENDER, type ReportSettings } from './settings.ts';

/** Milliseconds that what was observed is kept, and the reports of others and what was sent (13 months). */
const OBSERVED_MS = 30 * DAY_MS;
const RECEIVED_MS = 400 * DAY_MS;
/** Milliseconds back that mailboxes are read again: a day, and one for a server that was down at night. */
const REREAD_MS = 2 * DAY_MS;

export interface ReportParts {
  /** As they are now; read anew by everything. */
  readonly deps: () => FlowDeps;
  readonly settings: () => ReportSettings;
  readonly metrics: Metrics;
  /** "Postern 0.1.0". */
  readonly generator: string;
  /** Where the proposed DNS records send reports; default: the first administrator. */
  readonly adminAddress?: () => string | undefined;
}

/** Everything about reports that runs in the background. */
export interface Reports {
  readonly hooks: ReportHooks;
  /** Make the reports that are due; true when more are due now. To be called every ten minutes. */
  send(): Promise<boolean>;
  /** Look for received reports that were missed. To be called once a day, and after a start. */
  reread(): Promise<void>;
  /** Forget what is old; true when there is more of it. Once a day. */
  prune(limit: number): Promise<boolean>;
  /** Write down what was counted. Never rejects. */
  flush(): Promise<void>;
  /** When the reports that wait now have been read. */
  idle(): Promise<void>;
  /** Counts are written, what is under way comes to its end. */
  stop(): Promise<void>;
}

export function createReports(parts: ReportParts): Reports {
  const { deps, settings } = parts;
  const { store, clock, logger } = deps();
  const metrics = reportMetrics(parts.metrics);
  const aggregator = new Aggregator({ store, clock, logger, metrics });
  const first = firstAdministrator(store, clock);
  const taking: RereadParts = {
    store,
    clock,
    logger,
    metrics,
    get dns() {
      return deps().dns;
    },
    adminAddress: async () => parts.adminAddress?.() ?? (await first()),
    hostname: () => deps().settings.hostname,
    delimiter: () => deps().settings.delimiter,
  };
  const intake = createIntake(taking);
  const postponed: Postponed = new Map();
  let stopping = false;
  return {
    hooks: hooksOf(parts, aggregator, intake),
    async send() {
      await aggregator.flush();
      return sendDueReports(
        { deps, settings, metrics, generator: parts.generator, postponed },
        () => stopping,
      );
    },
    async reread() {
      await rereadReports(taking, intake, clock.now() - REREAD_MS, () => stopping);
    },
    async prune(limit) {
      const now = clock.now();
      const args = {
        observedBefore: dayOf(now - OBSERVED_MS),
        sentBefore: dayOf(now - RECEIVED_MS),
        receivedBefore: now - RECEIVED_MS,
        limit,
      };
      return (await store.write.run('reports.prune', args)).more;
    },
    flush: () => aggregator.flush(),
    idle: () => intake.idle(),
    async stop() {
      stopping = true;
      await Promise.all([aggregator.stop(), intake.stop()]);
    },
  };
}

function hooksOf({ deps, settings }: ReportParts, aggregator: Aggregator, intake: ReportIntake): ReportHooks {
  return {
    observeDmarc(evidence, applied) {
      const wanted = settings();
      const seen = wanted.dmarc ? dmarcObservation(evidence, applied) : undefined;
      if (seen === undefined || isOptedOut(wanted, seen.domain)) return;
      const day = dayOf(deps().clock.now());
      aggregator.policy('dmarc', day, seen.domain, seen.policy);
      aggregator.add('dmarc', day, seen.domain, seen.row);
    },
    observeTls(session) {
      const wanted = settings();
      if (!wanted.tls || isOptedOut(wanted, session.domain) || session.domain.startsWith('[')) return;
      aggregator.add('tls', dayOf(deps().clock.now()), session.domain, tlsObservation(session));
    },
    recognise: recogniseReport,
    take: (report, arrived) => intake.take(report, arrived),
    discards: (localPart) => localPart.toLowerCase() === REPORT_SENDER,
  };
}
