import { collectDefaultMetrics } from 'prom-client';
import { type Clock, systemClock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { Metrics } from '../base/metrics.ts';
import { createLiveJournal, type LiveJournal } from '../data/journal/live.ts';
import { createRecorder, type Recorder } from '../data/journal/recorder.ts';
import { type OpenStore, openStore } from '../data/open.ts';
import type { FlowDeps, FlowSettings } from '../flow/deps.ts';
import { createLookup, type Lookup } from '../flow/lookup/lookup.ts';
import type { RelaySettings } from '../flow/outbound/transports/relay.ts';
import type { Reports } from '../flow/reports/service.ts';
import { createScriptThread } from '../flow/sieve/thread.ts';
import { createFilter, type Filter } from '../flow/spam/filter.ts';
import { openTlsStore, type TlsStore } from '../net/tls-store.ts';
import type { ImapLimits } from '../servers/imap/limits.ts';
import type { SmtpLimits } from '../servers/smtp/limits.ts';
import type { Config } from './config.ts';
import { partnerMetrics } from './filter-metrics.ts';
import { createHousekeeping, type HousekeepingPart } from './housekeeping.ts';
import { createJournalPart, type JournalPart, type LogPolicy, privateLogger } from './journal.ts';
import { startReports } from './report-jobs.ts';
import { createSearchPart, type SearchPart } from './search.ts';
import type { ServerOptions } from './server.ts';
import { startTelemetry, type Telemetry } from './telemetry.ts';
import { flowSettings, imapLimits, smtpLimits, srsKeys } from './settings.ts';
import { stateMetrics } from './state-metrics.ts';
import { administratorMetrics, systemMetrics } from './system-metrics.ts';
import { dnsMetrics, measuredStore } from './traffic-metrics.ts';

/** What was started so far, to be ended in the opposite order. */
export type Closers = (() => Promise<void>)[];

/** What is kept and what says how to work on it. */
export interface Core {
  readonly options: ServerOptions;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly tls: TlsStore;
  readonly store: OpenStore;
  readonly recorder: Recorder;
  /** Events as they happen. */
  readonly watch: LiveJournal;
  readonly filter: Filter;
  readonly reports: Reports;
  readonly housekeeping: HousekeepingPart;
  readonly search: SearchPart;
  readonly lookup: Lookup;
  readonly telemetry: Telemetry;
  readonly journal: JournalPart;
  /** All that follows from the configuration; replaced as a whole by a reload. */
  live: Live;
  readonly settle: (config: Config) => Live;
  /** Where outgoing mail goes now. */
  relay: RelaySettings | undefined;
  stopped: Promise<void> | undefined;
  /** Whether a client may not log in; known when the guard stands. */
  banned: (ip: string) => boolean;
}

export interface Live {
  readonly config: Config;
  readonly deps: FlowDeps;
  readonly smtpLimits: SmtpLimits;
  readonly imapLimits: ImapLimits;
}

/** What stands on nothing else of ours: metrics, traces, the store, its journal. */
interface Ground
  extends Pick<
    Core,
    'options' | 'clock' | 'metrics' | 'tls' | 'store' | 'recorder' | 'watch' | 'telemetry' | 'journal'
  > {
  readonly logger: Logger;
}

async function openGround(given: ServerOptions, closers: Closers): Promise<Ground> {
  const policy: LogPolicy = { hiding: undefined };
  const metrics = new Metrics();
  const { clock = systemClock, config } = given;
  const measuredDns = dnsMetrics(metrics, clock);
  const dns = given.dns && measuredDns(given.dns);
  const logger = privateLogger(given.logger, policy);
  const options = { ...given, dns, logger };
  const telemetry = await startTelemetry({ config, clock, logger, metrics });
  closers.push(() => telemetry.stop());
  const tls = options.tls ?? (await openTlsStore({ files: [], clock }));
  const store = measuredStore(await openStore({ directory: config.data, clock, logger }), metrics, clock);
  closers.push(() => store.close());
  const journal = await createJournalPart(store, policy);
  const watch = createLiveJournal();
  const recorder = createRecorder({ store, clock, logger, metrics, live: watch });
  closers.push(() => recorder.flush());
  return { options, clock, metrics, tls, store, recorder, watch, telemetry, journal, logger };
}

/** Search, housekeeping and the filter, and what is told of the server as it is. */
async function openParts(
  { options, clock, metrics, tls, store, recorder, logger }: Ground,
  closers: Closers,
): Promise<Pick<Core, 'search' | 'housekeeping' | 'filter'>> {
  const { data } = options.config;
  const search = createSearchPart({ data, store, clock, logger, metrics });
  closers.push(() => search.index.close());
  const space = options.diskSpace;
  const housekeeping = await createHousekeeping({ store, clock, logger, metrics, recorder, data, space });
  closers.push(async () => housekeeping.stop());
  stateMetrics({ metrics, store, tls, clock, logger, data });
  administratorMetrics(metrics, store);
  if (options.processMetrics === true) {
    collectDefaultMetrics({ register: metrics.registry });
    systemMetrics(metrics);
  }
  const onPartner = partnerMetrics(metrics);
  const filter = await createFilter({ store, clock, logger, onPartner, adjust: options.filter });
  closers.push(() => filter.close());
  return { search, housekeeping, filter };
}

export async function openCore(given: ServerOptions, closers: Closers): Promise<Core> {
  const { logger, ...ground } = await openGround(given, closers);
  const { options, clock, metrics, store, recorder, telemetry } = ground;
  const { config } = options;
  await options.beforeListening?.(store);
  const keys = await srsKeys(store);
  const parts = await openParts({ logger, ...ground }, closers);
  const { filter, housekeeping } = parts;

  let core: Core | undefined;
  const delimiter = (): string => (core?.live.config ?? config).delimiter;
  const lookup = await createLookup({ store, clock, logger, delimiter });
  const scripts = createScriptThread({ clock, logger });
  closers.push(() => scripts.close());
  const banned = (ip: string): boolean => core?.banned(ip) === true;
  const base = {
    store,
    clock,
    logger,
    recorder,
    dns: options.dns,
    filter,
    lookup,
    scripts,
    banned,
    housekeeping,
    tracer: telemetry.tracer,
  };
  const settingsOf = (wanted: Config): FlowSettings =>
    flowSettings(wanted, { holdOutgoing: options.holdOutgoing, srsKeys: keys });
  let deps: FlowDeps = { ...base, settings: settingsOf(config) };
  const reports = startReports({ deps: () => deps, metrics, settings: () => filter.settings });
  closers.push(() => reports.stop());
  const settle = (wanted: Config): Live => {
    deps = { ...base, settings: settingsOf(wanted), reports: reports.hooks };
    return { config: wanted, deps, smtpLimits: smtpLimits(wanted), imapLimits: imapLimits(wanted) };
  };
  const live = settle(config);
  const { relay } = options;
  const kept = { ...ground, ...parts, lookup, reports };
  core = { ...kept, settle, live, relay, stopped: undefined, banned: () => false };
  return core;
}
