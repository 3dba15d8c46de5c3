import type { Clock } from '../base/clock.ts';
import { errorText, Refusal } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import type { LoginGuard } from '../data/bans/guard.ts';
import { createAuthenticator } from '../data/directory/authenticator.ts';
import type { Recorder } from '../data/journal/recorder.ts';
import type { OpenStore } from '../data/open.ts';
import type { FlowDeps } from '../flow/deps.ts';
import { createGate, type Gate } from '../flow/inbound/gate/gate.ts';
import type { Backups } from '../flow/backup/service.ts';
import { createScheduler, type Scheduler } from '../flow/outbound/scheduler.ts';
import type { RelaySettings } from '../flow/outbound/transports/relay.ts';
import type { Authenticator } from '../flow/service.ts';
import type { FilterSettings } from '../flow/spam/settings.ts';
import type { SesInbound } from '../flow/ses-inbound/service.ts';
import type { OutgoingVerdict } from '../flow/submission/outgoing.ts';
import type { Dns } from '../mail/dns.ts';
import type { Fetch } from '../net/aws/sns-fetch.ts';
import type { ListenTarget } from '../net/listener/bind.ts';
import type { TlsStore } from '../net/tls-store.ts';
import { createBackupPart } from './backup.ts';
import { type Brakes, settleBrakes, startBrakes } from './brakes.ts';
import { type CertificatePart, createCertificates, type FindDnsChallenge } from './certificates.ts';
import type { Config } from './config.ts';
import { type HttpPart, startHttp } from './http.ts';
import { createIntake, type IntakePart } from './intake.ts';
import { type Job, type Jobs, startJobs } from './jobs.ts';
import { type Closers, type Core, type Live, openCore } from './core.ts';
import { judgeOutgoing } from './outgoing-verdict.ts';
import { logTlsReload, mergeLive, reloadRelay } from './reload.ts';
import { reportJobs } from './report-jobs.ts';
import { sendingJobs } from './sending-jobs.ts';
import { sesEvents } from './ses-events.ts';
import { bindKey, IMPLICIT_TLS, SERVICES, type ServiceName } from './service-names.ts';
import { lineServices, type RunningListener } from './services.ts';
import { listenTarget } from './addresses.ts';

/** Milliseconds between two looks at the certificate files. */
const TLS_WATCH_MS = 60_000;
/** Milliseconds after the start when the filter's thread is started, if no mail has started it before. */
const WARM_MS = 1500;
/** Under which the queue's leases are held; one program works on a data directory, so one name is enough. */
const LEASE_OWNER = 'postern';

export interface ServerOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Certificates; without any there is no STARTTLS, no login, and the services with implicit TLS are left out. */
  readonly tls?: TlsStore | undefined;
  /** Undefined: no DNS is asked. */
  readonly dns?: Dns | undefined;
  /** Everything that leaves goes there. */
  readonly relay?: RelaySettings | undefined;
  /** Mail to other hosts is held, for this reason. */
  readonly holdOutgoing?: string | undefined;
  /** Take logins without TLS: for the measuring tools of a try-out. */
  readonly plaintextAuth?: boolean | undefined;
  /** A try-out: HTTP answers to Host localhost, 127.0.0.1 and [::1] only, refuses foreign Origins, and says what it is. */
  readonly tryOut?: boolean | undefined;
  /** Sockets bound beforehand (as root), by `bindKey`. */
  readonly bound?: ReadonlyMap<string, ListenTarget> | undefined;
  /** Port of MX hosts, for tests. */
  readonly directPort?: number | undefined;
  /** What is wanted of the filter, given what the store says: for try-outs and tests. */
  readonly filter?: ((settings: FilterSettings) => FilterSettings) | undefined;
  /** Judges what accounts of ours send. */
  readonly outgoingVerdict?: OutgoingVerdict | undefined;
  /** Has a look at the store before anything listens; what it throws ends the start. */
  readonly beforeListening?: ((store: OpenStore) => Promise<void>) | undefined;
  /** How SNS's certificates and confirmations are fetched, for tests. */
  readonly snsFetch?: Fetch | undefined;
  /** Who writes DNS records that prove names to an ACME authority. */
  readonly dnsChallenge?: FindDnsChallenge | undefined;
  /** File the configuration came from, which belongs into a backup. */
  readonly configFile?: string | undefined;
  /** Metrics of the process itself: once per process. */
  readonly processMetrics?: boolean | undefined;
}

export interface ReloadResult {
  /** Keys that changed and hold from now on. */
  readonly applied: readonly string[];
  /** Keys that changed and need a restart. */
  readonly restart: readonly string[];
  /** What could not be loaded again, a sentence each; what was before stays. */
  readonly problems: readonly string[];
}

export interface RunningServer {
  readonly listeners: readonly Pick<RunningListener, 'service' | 'address' | 'port' | 'sessions'>[];
  /** Port of the first listener of each service that runs. */
  readonly ports: Readonly<Partial<Record<ServiceName, number>>>;
  /** Path of the admin API's Unix socket. */
  readonly adminSocket: string;
  readonly config: Config;
  readonly store: OpenStore;
  readonly metrics: Metrics;
  readonly recorder: Recorder;
  readonly authenticator: Authenticator;
  readonly guard: LoginGuard;
  readonly deps: () => FlowDeps;
  readonly intake: SesInbound;
  readonly certificates: CertificatePart['keeper'];
  /** Services that the configuration wants and that were left out, with the reason. */
  readonly leftOut: readonly { readonly service: ServiceName; readonly reason: string }[];
  /** Take on what changed: certificates always, and the keys of `config` that are live. */
  reload(config: Config): Promise<ReloadResult>;
  /**
   * Stop gracefully: no new connections, transactions under way end (others get 421), attempts under way end, all
   * within `graceMs` milliseconds; then the journal is flushed and the store closed. Stopping twice is stopping once.
   */
  stop(options?: { graceMs?: number }): Promise<void>;
}

/** Milliseconds that sessions and attempts get to end when the server stops. */
export const STOP_GRACE_MS = 30_000;

/** Milliseconds for requests of the admin API and of those who watch, who are told of the stop to the end. */
const HTTP_GRACE_MS = 500;

/** Start everything the configuration says. Throws a `Refusal` (a taken port, an unwritable directory) with nothing left running. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const closers: Closers = [];
  try {
    return await start(options, closers);
  } catch (error) {
    for (const close of closers.toReversed()) await close().catch(() => undefined);
    throw error;
  }
}

async function start(options: ServerOptions, closers: Closers): Promise<RunningServer> {
  const core = await openCore(options, closers);
  return running(core, await startWork(core, closers));
}

/** What works: sessions, the queue, HTTP, jobs. */
interface Work {
  readonly authenticator: ReturnType<typeof createAuthenticator>;
  readonly brakes: Brakes;
  readonly listeners: readonly RunningListener[];
  readonly leftOut: RunningServer['leftOut'];
  readonly http: HttpPart;
  readonly scheduler: Scheduler;
  readonly intake: IntakePart;
  readonly certificates: CertificatePart;
  readonly backups: Backups;
  readonly jobs: Jobs;
  readonly watch: { stop(): void };
}

async function startWork(core: Core, closers: Closers): Promise<Work> {
  const { options, clock, metrics, tls, store, recorder, filter } = core;
  const { logger, relay, directPort } = options;
  const deps = (): FlowDeps => core.live.deps;
  const loginDomain = async (): Promise<string> => (await core.lookup.current()).login_domain;
  const { config: begun, outgoingVerdict: verdict = judgeOutgoing(filter) } = options;
  const settings = (): FilterSettings => filter.settings;
  const brakes = await startBrakes({ deps, recorder, metrics, config: begun, settings, verdict });
  const { guard } = brakes;
  const authenticator = createAuthenticator({ store, clock, logger, journal: recorder, guard, loginDomain });
  const port = directPort === undefined ? {} : { directPort };
  const scheduler = createScheduler({ deps, relay, owner: LEASE_OWNER, metrics, ...port });
  const requireTlsForAuth = options.plaintextAuth !== true;
  const live = (): Live => core.live;
  core.banned = (ip) => brakes.guard.banned(ip) !== undefined;
  const gate = createGate({
    deps,
    filter: () => filter,
    own: () => core.live.config.listen.proxy_from,
    metrics,
  });
  const parts = {
    clock,
    logger,
    metrics,
    recorder,
    authenticator,
    ...brakes,
    gate,
    tls,
    requireTlsForAuth,
    deps,
    live,
  };
  const intake = createIntake({
    core,
    gate,
    fetch: options.snsFetch,
    others: sesEvents(deps, () => scheduler.ways, metrics),
  });
  let certificateCame: () => void = () => undefined;
  const installed = (): void => certificateCame();
  const certificates = createCertificates({ core, installed, dns: options.dnsChallenge });
  const services = { ...lineServices(parts), sns: intake.listener, acme: certificates.listener };
  const { listeners, leftOut } = await startListeners(options, tls, services, closers);
  certificateCame = lateListeners(core, services, { listeners, leftOut });
  const backup = createBackupPart(core);
  const { backups } = backup;
  closers.push(() => backups.stop());
  const stopping = (): boolean => core.stopped !== undefined;
  const config = (): Config => core.live.config;
  const http = await startHttp({
    options,
    clock,
    store,
    metrics,
    tls,
    recorder,
    ...brakes,
    filter,
    gate,
    ways: scheduler.ways,
    authenticator,
    lookup: core.lookup,
    intake,
    certificates,
    backups,
    listeners,
    stopping,
    config,
  });
  closers.push(() => http.drain(0));
  await scheduler.start();
  closers.push(() => certificates.keeper.stop());
  await certificates.keeper.start();
  const jobs = await startIntakeAndJobs(core, intake, backup.jobs, closers);
  const watch = startWatches(core, gate);
  const made = { authenticator, brakes, listeners, leftOut, http, scheduler };
  return { ...made, intake, certificates, backups, jobs, watch };
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
  const sending = sendingJobs(() => core.live.deps, stopping.signal);
  const more = [...reportJobs(core.reports), ...intake.jobs, ...sending, ...others];
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

function running(core: Core, work: Work): RunningServer {
  const { store, metrics, recorder, tls, settle } = core;
  const { authenticator, brakes, leftOut, http } = work;
  const listeners = (): RunningListener[] => [...work.listeners, ...http.listeners];
  return {
    get listeners() {
      return listeners();
    },
    get ports() {
      return portsOf(listeners());
    },
    adminSocket: http.adminSocket,
    get config() {
      return core.live.config;
    },
    store,
    metrics,
    recorder,
    authenticator,
    guard: brakes.guard,
    deps: () => core.live.deps,
    intake: work.intake.inbound,
    certificates: work.certificates.keeper,
    leftOut,
    async reload(config) {
      // First what may refuse, so that a mistake changes nothing.
      const relayProblems = await reloadRelay(core, work.scheduler, config);
      const report = await tls.reload();
      const { merged, applied, restart } = mergeLive(core.live.config, config);
      core.live = settle(merged);
      return { applied, restart, problems: [...relayProblems, ...report.problems] };
    },
    stop({ graceMs = STOP_GRACE_MS } = {}) {
      core.stopped ??= stopAll(core, work, graceMs);
      return core.stopped;
    },
  };
}

/** Everything that makes new work ends first, the journal when nobody writes to it, the store last. */
async function stopAll(core: Core, work: Work, graceMs: number): Promise<void> {
  work.watch.stop();
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
  await core.recorder.flush();
  await core.filter.close();
  await core.store.close();
}

async function startListeners(
  options: ServerOptions,
  tls: TlsStore,
  services: ReturnType<typeof lineServices>,
  closers: Closers,
): Promise<{ listeners: RunningListener[]; leftOut: { service: ServiceName; reason: string }[] }> {
  const listeners: RunningListener[] = [];
  const leftOut: { service: ServiceName; reason: string }[] = [];
  const hasCertificate = tls.certificates().length > 0;
  for (const service of SERVICES) {
    const startOne = services[service];
    if (startOne === undefined) continue;
    const specs = options.config.listen[service];
    if (specs.length > 0 && IMPLICIT_TLS.has(service) && !hasCertificate) {
      leftOut.push({ service, reason: 'it needs a certificate (tls.cert, tls.key)' });
      continue;
    }
    for (const spec of specs) {
      const target = options.bound?.get(bindKey(service, spec)) ?? listenTarget(spec);
      const listener = await named(service, () => startOne(target));
      listeners.push(listener);
      closers.push(() => listener.drain(0));
    }
  }
  return { listeners, leftOut };
}

/** Services that were left out for want of a certificate begin when the first one comes. */
function lateListeners(
  core: Core,
  services: ReturnType<typeof lineServices>,
  running: { readonly listeners: RunningListener[]; readonly leftOut: { service: ServiceName }[] },
): () => void {
  const { options, tls } = core;
  const { logger } = options;
  const begin = async (service: ServiceName, target: ListenTarget): Promise<void> => {
    const listener = await services[service]?.(target);
    if (listener === undefined) return;
    running.listeners.push(listener);
    if (core.stopped !== undefined) await listener.drain(0);
    else logger.info({ service, address: listener.address, port: listener.port }, 'listening');
  };
  return () => {
    if (tls.certificates().length === 0 || core.stopped !== undefined) return;
    for (const { service } of running.leftOut.splice(0)) {
      for (const spec of options.config.listen[service]) {
        const target = options.bound?.get(bindKey(service, spec)) ?? listenTarget(spec);
        begin(service, target).catch((error: unknown) =>
          logger.error({ service, error: errorText(error) }, 'service is not started'),
        );
      }
    }
  };
}

/** A refusal to bind says for what it was. */
async function named<T>(service: ServiceName, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal(error.kind, `${service}: ${error.message}`);
    throw error;
  }
}

function portsOf(
  listeners: readonly Pick<RunningListener, 'service' | 'port'>[],
): Partial<Record<ServiceName, number>> {
  const ports: Partial<Record<ServiceName, number>> = {};
  for (const { service, port } of listeners) ports[service] ??= port;
  return ports;
}
