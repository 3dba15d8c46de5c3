import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import type { LoginGuard } from '../data/bans/guard.ts';
import type { Recorder } from '../data/journal/recorder.ts';
import type { OpenStore } from '../data/open.ts';
import type { FlowDeps } from '../flow/deps.ts';
import type { RelaySettings } from '../flow/outbound/transports/relay.ts';
import type { StsOptions } from '../flow/outbound/transports/sts.ts';
import type { Authenticator } from '../flow/service.ts';
import type { FilterSettings } from '../flow/spam/settings.ts';
import type { SesInbound } from '../flow/ses-inbound/service.ts';
import type { OutgoingVerdict } from '../flow/submission/outgoing.ts';
import type { Dns } from '../mail/dns.ts';
import type { Fetch } from '../net/aws/sns-fetch.ts';
import type { ListenTarget } from '../net/listener/bind.ts';
import type { TlsStore } from '../net/tls-store.ts';
import type { AccountContext } from '../servers/http/account/operation.ts';
import type { CertificatePart, FindDnsChallenge } from './certificates.ts';
import type { Config } from './config.ts';
import { type Closers, type Core, openCore } from './core.ts';
import type { HousekeepingParts } from './housekeeping.ts';
import { portsOf } from './listeners.ts';
import { mergeLive, reloadRelay } from './reload.ts';
import type { ServiceName } from './service-names.ts';
import type { RunningListener } from './services.ts';
import type { PushFetchOptions } from './web-push.ts';
import { startWork, stopAll, type Work } from './work.ts';

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
  /** How push services are asked, for tests. */
  readonly pushFetch?: PushFetchOptions | undefined;
  /** Which hosts pictures and lists of messages may be fetched from, for tests. */
  readonly accountFetch?: AccountContext['fetching'];
  /** How MTA-STS policies are fetched again each day, for tests. */
  readonly stsFetch?: StsOptions | undefined;
  /** Who writes DNS records that prove names to an ACME authority. */
  readonly dnsChallenge?: FindDnsChallenge | undefined;
  /** What is free on the disk, for tests. */
  readonly diskSpace?: HousekeepingParts['space'];
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
  /** Where the first domain and its administrator are made; undefined: there is a domain. */
  readonly setupLink: string | undefined;
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
    setupLink: http.setupLink,
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
