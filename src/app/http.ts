import type { Clock } from '../base/clock.ts';
import type { Metrics } from '../base/metrics.ts';
import { noTracer, type Tracer } from '../base/tracing.ts';
import type { LoginGuard } from '../data/bans/guard.ts';
import type { Recorder } from '../data/journal/recorder.ts';
import type { OpenStore } from '../data/open.ts';
import type { SearchIndex } from '../data/search/types.ts';
import type { Backups } from '../flow/backup/service.ts';
import type { FlowDeps } from '../flow/deps.ts';
import type { HostFacts } from '../flow/doctor/facts.ts';
import { hostFacts } from '../servers/http/admin/host-facts.ts';
import type { Lookup } from '../flow/lookup/lookup.ts';
import type { MailService } from '../flow/service.ts';
import type { Ways } from '../flow/outbound/routing/ways.ts';
import type { OutgoingWatch } from '../flow/submission/outgoing.ts';
import { isLoopback, networkList } from '../net/ip.ts';
import type { Authenticator } from '../mail/sasl/types.ts';
import type { ListenTarget } from '../net/listener/bind.ts';
import type { TlsStore } from '../net/tls-store.ts';
import type { Gate } from '../flow/inbound/gate/gate.ts';
import type { Filter } from '../flow/spam/filter.ts';
import { teach } from '../flow/spam/trainer.ts';
import type { AlertHooks, FilterHooks, HousekeepingHooks } from '../servers/http/admin/operation.ts';
import type { ListenerFacts, ServerFacts } from '../servers/http/facts.ts';
import { createJmapApp } from '../servers/jmap/app.ts';
import { createHttpServers, type HttpDeps, type WebPlace } from '../servers/http/servers.ts';
import { LOOPBACK_HOSTS } from '../servers/http/web/guard.ts';
import type { ServerOptions } from './server.ts';
import { listenTarget, publicAddresses } from './addresses.ts';
import type { Config } from './config.ts';
import { createDoctor } from './doctor.ts';
import type { JournalPart } from './journal.ts';
import type { Job } from './jobs.ts';
import { ALL_ADDRESSES, type ListenSpec } from './config-values.ts';
import type { CertificatePart } from './certificates.ts';
import { bindKey, IMPLICIT_TLS } from './service-names.ts';
import type { IntakePart } from './intake.ts';
import type { RunningListener } from './services.ts';
import { programVersion } from './version.ts';

/** The HTTP side of the program: metrics and health on `listen.http`, the admin API on its Unix socket. */
export interface HttpPart {
  readonly listeners: readonly RunningListener[];
  readonly adminSocket: string;
  readonly jobs: readonly Job[];
  drain(graceMs: number): Promise<void>;
}

export interface HttpParts {
  readonly options: ServerOptions;
  readonly clock: Clock;
  readonly deps: () => FlowDeps;
  readonly store: OpenStore;
  readonly metrics: Metrics;
  readonly tls: TlsStore;
  readonly recorder: Pick<Recorder, 'lastError'>;
  readonly guard: LoginGuard;
  readonly outgoing: OutgoingWatch;
  readonly filter: Filter;
  readonly gate: Gate;
  readonly ways: Ways;
  readonly authenticator: Authenticator;
  readonly submission: MailService;
  readonly lookup: Lookup;
  readonly intake: IntakePart;
  readonly certificates: CertificatePart;
  readonly backups: Backups;
  readonly housekeeping: HousekeepingHooks;
  readonly search: SearchIndex;
  readonly alerts: AlertHooks;
  readonly listeners: readonly RunningListener[];
  readonly tracer: Tracer;
  readonly journal: Pick<JournalPart, 'changed'>;
  readonly stopping: () => boolean;
  /** The configuration that holds now. */
  readonly config: () => Config;
}

export async function startHttp(parts: HttpParts): Promise<HttpPart> {
  const { options, clock, store, metrics, guard, outgoing } = parts;
  const { logger } = options;
  const tryOut = options.tryOut === true;
  const { http: specs, admin_socket: adminSocket } = options.config.listen;
  let own: readonly ListenerFacts[] = [];
  const facts = serverFacts(parts, () => own);
  const host = (): HostFacts => hostFacts(facts);
  const doctor = createDoctor({
    deps: parts.deps,
    clock,
    metrics,
    config: parts.config,
    host,
    watch: options.processMetrics === true,
  });
  const servers = await createHttpServers(
    {
      store,
      clock,
      logger,
      metrics,
      guard,
      outgoing,
      ways: parts.ways,
      accounts: { authenticator: parts.authenticator, isProxy: proxyTest(parts.config) },
      jmap: mountJmap(parts),
      lookup: parts.lookup,
      scripts: parts.deps().scripts,
      intake: parts.intake.inbound,
      backups: parts.backups,
      housekeeping: parts.housekeeping,
      search: parts.search,
      alerts: parts.alerts,
      journal: parts.journal,
      ...(parts.tracer !== noTracer && { tracer: parts.tracer }),
      sns: parts.intake.hook,
      certificates: parts.certificates.keeper,
      acme: parts.certificates.proofs,
      filter: filterHooks(parts),
      doctor: doctor.service,
      facts,
    },
    {
      adminSocket: adminSocket === '' ? undefined : adminSocket,
      web: {
        places: specs.map((spec) => webPlace(spec, options.bound?.get(bindKey('http', spec)))),
        ...(tryOut && { notes: ['This is a try-out: it can be reached from this machine only.'] }),
      },
    },
  );
  own = servers.web.listeners();
  const listeners = own.map(({ address, port }): RunningListener => {
    return { service: 'http', address, port, sessions: () => 0, drain: async () => undefined };
  });
  const { socketPath } = servers.admin;
  const drain = (graceMs: number): Promise<void> => servers.drain(graceMs);
  return { listeners, adminSocket: socketPath, jobs: doctor.jobs, drain };
}

/** JMAP stands beside the pages of the HTTP port. */
function mountJmap(parts: HttpParts): HttpDeps['jmap'] {
  const { options, clock, store, authenticator, submission, search, deps } = parts;
  const jmap = createJmapApp({
    store,
    clock,
    logger: options.logger,
    authenticator,
    isProxy: proxyTest(parts.config),
    search,
    submission,
    settings: () => deps().settings,
    full: () => deps().housekeeping?.disk.low() === true,
  });
  return (app) => void app.route('/', jmap);
}

/** The proxies of the configuration, read anew when it changes. */
function proxyTest(config: () => Config): (address: string) => boolean {
  let known: readonly string[] | undefined;
  let test: (address: string) => boolean = () => false;
  return (address) => {
    const wanted = config().listen.proxy_from;
    if (wanted !== known) {
      known = wanted;
      test = networkList(wanted);
    }
    return test(address);
  };
}

function filterHooks({ filter, gate, store }: HttpParts): FilterHooks {
  return {
    get enabled() {
      return filter.settings.enabled;
    },
    partners: () => filter.partners.states(),
    lists: () => gate.lists(),
    changed: () => filter.current(true),
    async teach(octets, label, accountId) {
      const { good_per_junked: goodPerJunked } = filter.settings;
      await teach({ store, scanner: filter.scanner, goodPerJunked }, octets, label, accountId);
    },
  };
}

/**
 * What is told at a place. Where only this machine comes, it answers to this machine's names alone: a page that a
 * person has open must not read it through a name of its own (DNS rebinding). Metrics and health go to strangers
 * where the configuration names the address; `*` is every address and names none.
 */
export function webPlace(spec: ListenSpec, bound: ListenTarget | undefined): WebPlace {
  const target = bound ?? listenTarget(spec);
  if ('path' in spec) return { target, allowedHosts: undefined, operational: true };
  const { address } = spec;
  if (isLoopback(address)) {
    const name = address.includes(':') ? `[${address.toLowerCase()}]` : address;
    return { target, allowedHosts: [...new Set([...LOOPBACK_HOSTS, name])], operational: true };
  }
  const everywhere = [ALL_ADDRESSES, '::', '0.0.0.0'].includes(address);
  return { target, allowedHosts: undefined, operational: !everywhere };
}

function serverFacts(parts: HttpParts, own: () => readonly ListenerFacts[]): ServerFacts {
  const { options, clock, tls, recorder, listeners, stopping, config } = parts;
  const hasCertificate = (): boolean => tls.certificates().length > 0;
  const line = ({ service, address, port }: RunningListener): ListenerFacts => {
    const starttls = service !== 'lmtp' && service !== 'acme' && hasCertificate() ? 'starttls' : 'none';
    return {
      name: service,
      address,
      port,
      security: IMPLICIT_TLS.has(service) ? 'tls' : starttls,
      open: !stopping(),
    };
  };
  return {
    version: programVersion(),
    mode: options.tryOut === true ? 'try' : 'serve',
    hostname: options.config.hostname,
    startedAt: clock.now(),
    dataDirectory: options.config.data,
    publicAddresses: () => publicAddresses(),
    adminAddress: () => undefined,
    listeners: () => [...listeners.map(line), ...own()],
    certificates: () => tls.certificates(),
    journalAgeMs: () => config().store.journal_age,
    outgoingHeld: () => options.holdOutgoing,
    relayed: () => config().relay.host !== '',
    lastJournalError: () => recorder.lastError(),
    stopping,
  };
}
