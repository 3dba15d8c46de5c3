import { createAuthenticator } from '../data/directory/authenticator.ts';
import type { FlowDeps } from '../flow/deps.ts';
import { createGate, type Gate } from '../flow/inbound/gate/gate.ts';
import type { Backups } from '../flow/backup/service.ts';
import { findDnsChallenge } from '../flow/dns-plan/challenge.ts';
import { createScheduler, type Scheduler } from '../flow/outbound/scheduler.ts';
import type { MailService } from '../flow/service.ts';
import type { FilterSettings } from '../flow/spam/settings.ts';
import { HourlyCounts } from '../flow/submission/hourly.ts';
import { createSubmission } from '../flow/submission/service.ts';
import { type AlertsPart, createAlertsPart } from './alerts.ts';
import { createBackupPart } from './backup.ts';
import { type Brakes, settleBrakes, startBrakes } from './brakes.ts';
import { type CertificatePart, createCertificates } from './certificates.ts';
import type { Config } from './config.ts';
import type { Closers, Core, Live } from './core.ts';
import { type HttpPart, startHttp } from './http.ts';
import { housekeepingJobs } from './housekeeping.ts';
import { createIntake, type IntakePart } from './intake.ts';
import { type Job, type Jobs, startJobs } from './jobs.ts';
import { lateListeners, type Listening, startListeners } from './listeners.ts';
import { judgeOutgoing } from './outgoing-verdict.ts';
import { logTlsReload } from './reload.ts';
import { reportJobs } from './report-jobs.ts';
import { sendingJobs } from './sending-jobs.ts';
import type { RunningServer } from './server.ts';
import { sesEvents } from './ses-events.ts';
import { lineServices, type RunningListener } from './services.ts';
import { createStats, type StatsPart } from './stats.ts';
import { countedLogins } from './traffic-metrics.ts';

/** Milliseconds between two looks at the certificate files. */
const TLS_WATCH_MS = 60_000;
/** Milliseconds after the start when the filter's thread is started, if no mail has started it before. */
const WARM_MS = 1500;
/** Under which the queue's leases are held; one program works on a data directory, so one name is enough. */
const LEASE_OWNER = 'postern';
/** Milliseconds for requests of the admin API and of those who watch, who are told of the stop to the end. */
const HTTP_GRACE_MS = 500;

/** What works: sessions, the queue, HTTP, jobs. */
export interface Work {
  readonly authenticator: ReturnType<typeof createAuthenticator>;
  readonly brakes: Brakes;
  readonly listeners: readonly RunningListener[];
  readonly leftOut: RunningServer['leftOut'];
  readonly http: HttpPart;
  readonly scheduler: Scheduler;
  readonly intake: IntakePart;
  readonly certificates: CertificatePart;
  readonly backups: Backups;
  readonly alerts: AlertsPart;
  readonly stats: StatsPart;
  readonly jobs: Jobs;
  readonly watch: { stop(): void };
}

/** Start it all; what was started is put into `closers`. Throws a `Refusal`, such as for a port that is taken. */
export async function startWork(core: Core, closers: Closers): Promise<Work> {
  const parts = await mailParts(core);
  const { authenticator, brakes, scheduler, gate } = parts;
  const intake = createIntake({
    core,
    gate,
    fetch: core.options.snsFetch,
    others: sesEvents(parts.deps, () => scheduler.ways, core.metrics),
  });
  const { certificates, listening } = await listen(core, parts, intake, closers);
  const { backups, jobs: backupJobs } = createBackupPart(core);
  closers.push(() => backups.stop());
  const alerts = createAlertsPart(core, { backups, intake: intake.inbound });
  const { listeners, leftOut } = listening;
  const { options, clock, store, metrics, tls, recorder, filter, lookup } = core;
  const kept = { options, clock, store, metrics, tls, recorder, filter, lookup };
  const http = await startHttp({
    ...kept,
    ...brakes,
    gate,
    ways: scheduler.ways,
    authenticator,
    submission: parts.submission,
    intake,
    deps: () => core.live.deps,
    certificates,
    backups,
    housekeeping: core.housekeeping,
    search: core.search.index,
    alerts: alerts.alerts,
    tracer: core.telemetry.tracer,
    journal: core.journal,
    watch: core.watch,
    listeners,
    stopping: () => core.stopped !== undefined,
    config: () => core.live.config,
  });
  closers.push(() => http.drain(0));
  const stats = createStats({
    store,
    clock,
    watch: core.watch,
    data: options.config.data,
    listeners: () => listeners,
  });
  closers.push(() => stats.flush());
  await scheduler.start();
  closers.push(() => certificates.keeper.stop());
  certificates.keeper.start();
  const jobs = await startIntakeAndJobs(
    core,
    intake,
    [...backupJobs, ...alerts.jobs, ...http.jobs, ...core.journal.jobs, ...stats.jobs],
    closers,
  );
  const watch = startWatches(core, gate);
  const made = { stats, authenticator, brakes, listeners, leftOut, http, scheduler };
  return { ...made, intake, certificates, backups, alerts, jobs, watch };
}

/** Who takes mail in and sends it, with all that guards them. */
interface MailParts {
  readonly authenticator: ReturnType<typeof createAuthenticator>;
  readonly brakes: Brakes;
  readonly scheduler: Scheduler;
  readonly gate: Gate;
  readonly submission: MailService;
  readonly deps: () => FlowDeps;
}

async function mailParts(core: Core): Promise<MailParts> {
  const { options, clock, metrics, store, recorder, filter } = core;
  const { logger, relay, directPort, config, outgoingVerdict: verdict = judgeOutgoing(filter) } = options;
  const deps = (): FlowDeps => core.live.deps;
  const loginDomain = async (): Promise<string> => (await core.lookup.current()).login_domain;
  const settings = (): FilterSettings => filter.settings;
  const brakes = await startBrakes({ deps, recorder, metrics, config, settings, verdict });
  const { guard } = brakes;
  core.banned = (ip) => guard.banned(ip) !== undefined;
  const authenticator = createAuthenticator({
    store,
    clock,
    logger,
    journal: countedLogins(recorder, metrics),
    guard,
    loginDomain,
  });
  const port = directPort === undefined ? {} : { directPort };
  const scheduler = createScheduler({ deps, relay, owner: LEASE_OWNER, metrics, ...port });
  const own = (): Config['listen']['proxy_from'] => core.live.config.listen.proxy_from;
  const gate = createGate({ deps, filter: () => filter, own, metrics });
  const submission = createSubmission(deps, new HourlyCounts(clock), brakes.outgoing);
  return { authenticator, brakes, scheduler, gate, submission, deps };
}

/** Certificates, and the sockets that need them: some of these begin when the first certificate comes. */
async function listen(
  core: Core,
  { authenticator, brakes, gate, submission, deps }: MailParts,
  intake: IntakePart,
  closers: Closers,
): Promise<{ readonly certificates: CertificatePart; readonly listening: Listening }> {
  const { options, clock, metrics, tls, recorder } = core;
  let certificateCame: () => void = () => undefined;
  const installed = (): void => certificateCame();
  const dns = options.dnsChallenge ?? ((name: string) => findDnsChallenge(core, name));
  const certificates = createCertificates({ core, installed, dns });
  await certificates.keeper.prepare();
  const lines = lineServices({
    clock,
    logger: options.logger,
    metrics,
    recorder,
    authenticator,
    ...brakes,
    gate,
    tls,
    requireTlsForAuth: options.plaintextAuth !== true,
    deps,
    submission,
    search: core.search,
    live: (): Live => core.live,
  });
  const services = { ...lines, sns: intake.listener, acme: certificates.listener };
  const listening = await startListeners(options, tls, services, closers);
  certificateCame = lateListeners(core, services, listening);
  return { certificates, listening };
}

/** Mail that waits in buckets is fetched from here on. */
async function startIntakeAndJobs(
  core: Core,
  intake: IntakePart,
  others: readonly Job[],
  closers: Closers,
): Promise<Jobs> {
  const { options, clock, metrics, store, filter } = core;
  const { logger } = options;
  closers.push(() => intake.inbound.stop(0));
  await intake.inbound.start();
  const config = (): Config => core.live.config;
  const stopping = new AbortController();
  closers.push(async () => stopping.abort());
  const sending = sendingJobs(() => core.live.deps, stopping.signal, options.stsFetch);
  const own = housekeepingJobs(() => core.live.deps, metrics);
  const more = [...reportJobs(core.reports), ...intake.jobs, ...sending, ...own, ...others];
  return startJobs({ store, clock, logger, metrics, config, filter }, more);
}

/** What is looked at now and then: certificates, lists. */
function startWatches({ tls, options, clock, filter }: Core, gate: Gate): { stop(): void } {
  const certificates = tls.watch(TLS_WATCH_MS, (report) => logTlsReload(options.logger, report));
  const lists = gate.start();
  // So that the first message does not wait, and the start does not either. Tests start dozens of servers.
  const warm = clock.setTimer(WARM_MS, () => {
    if (options.processMetrics === true && filter.settings.enabled) void filter.scanner.warm();
  });
  return {
    stop() {
      warm.cancel();
      certificates.stop();
      lists.cancel();
    },
  };
}

/** Everything that makes new work ends first, the journal when nobody writes to it, the store last. */
export async function stopAll(core: Core, work: Work, graceMs: number): Promise<void> {
  work.watch.stop();
  core.housekeeping.stop();
  work.alerts.stop();
  await Promise.all([
    ...work.listeners.map((listener) => listener.drain(graceMs)),
    work.scheduler.stop(graceMs),
    work.intake.inbound.stop(graceMs),
    work.certificates.keeper.stop(),
    work.jobs.stop(),
  ]);
  await work.backups.stop();
  await work.http.drain(HTTP_GRACE_MS);
  work.authenticator.close();
  await core.reports.stop();
  await settleBrakes(work.brakes);
  await work.stats.flush();
  await core.recorder.flush();
  await core.telemetry.stop();
  await core.filter.close();
  await core.live.deps.scripts?.close();
  await core.search.index.close();
  await core.store.close();
}
