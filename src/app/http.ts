import type { Clock } from '../base/clock.ts';
import type { Metrics } from '../base/metrics.ts';
import { noTracer, type Tracer } from '../base/tracing.ts';
import type { LoginGuard } from '../data/bans/guard.ts';
import type { Recorder } from '../data/journal/recorder.ts';
import type { LiveJournal } from '../data/journal/live.ts';
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
import type { SignInAuthenticator } from '../data/directory/authenticator.ts';
import type { ListenTarget } from '../net/listener/bind.ts';
import type { TlsStore } from '../net/tls-store.ts';
import type { Gate } from '../flow/inbound/gate/gate.ts';
import type { Filter } from '../flow/spam/filter.ts';
import { teach } from '../flow/spam/trainer.ts';
import type { AlertHooks, FilterHooks, HousekeepingHooks } from '../servers/http/admin/operation.ts';
import type { ListenerFacts, ServerFacts } from '../servers/http/facts.ts';
import { createAuthApp } from '../servers/http/auth/app.ts';
import { createJmapApp, sharedParts } from '../servers/jmap/app.ts';
import type { JmapOptions } from '../servers/jmap/context.ts';
import type { WebPush } from '../servers/jmap/push-types.ts';
import { createJmapSockets, type JmapSockets } from '../servers/jmap/websocket.ts';
import { createRequestLogin, type LogInRequest } from '../servers/request-login.ts';
import { createAccountApi } from '../servers/http/account/app.ts';
import { createHttpServers, type HttpDeps, type WebPlace } from '../servers/http/servers.ts';
import { mountFirstRun, mountInvitations } from '../servers/http/auth/invitation.ts';
import { LOOPBACK_HOSTS } from '../servers/http/web/guard.ts';
import type { ServerOptions } from './server.ts';
import { listenTarget, publicAddresses } from './addresses.ts';
import {
  mustEnroll,
  networkAdministrators,
  probeHooks,
  sesHooks,
  setupLink,
  thresholdHook,
} from './admin-hooks.ts';
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
import { webDirectory } from './web-directory.ts';
import { createWebPush } from './web-push.ts';

/** The HTTP side of the program: `listen.http` and `listen.https`, the admin API on its Unix socket. */
export interface HttpPart {
  readonly listeners: readonly RunningListener[];
  readonly adminSocket: string;
  /** Where the first domain is made; undefined: there is one. */
  readonly setupLink: string | undefined;
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
  readonly authenticator: SignInAuthenticator;
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
  /** Events as they happen. */
  readonly watch: Pick<LiveJournal, 'listen'>;
  readonly stopping: () => boolean;
  /** The configuration that holds now. */
  readonly config: () => Config;
}

export async function startHttp(parts: HttpParts): Promise<HttpPart> {
  const { options, clock, store, metrics } = parts;
  const tryOut = options.tryOut === true;
  const { admin_socket: adminSocket } = options.config.listen;
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
  const webPush = await createWebPush(parts);
  const jmap = createJmap(parts, webPush);
  const servers = await createHttpServers(
    {
      ...httpDeps(parts, jmap.warm),
      doctor: doctor.service,
      facts,
      jmap: jmap.mount,
      upgrades: jmap.sockets,
    },
    {
      adminSocket: adminSocket === '' ? undefined : adminSocket,
      web: {
        places: webPlaces(parts),
        directory: webDirectory(),
        limits: { connections: options.config.limits.sessions },
        ...(tryOut && { notes: ['This is a try-out: it can be reached from this machine only.'] }),
      },
    },
  );
  own = servers.web.listeners();
  const listeners = own.map(({ address, port, security }): RunningListener => {
    const service = security === 'tls' ? 'https' : 'http';
    return { service, address, port, sessions: () => 0, drain: async () => undefined };
  });
  const setUpAt = await setupLink(store, facts);
  const { socketPath } = servers.admin;
  const drain = async (graceMs: number): Promise<void> => {
    jmap.sockets.drain();
    await Promise.all([servers.drain(graceMs), webPush?.stop()]);
  };
  return { listeners, adminSocket: socketPath, setupLink: setUpAt, jobs: doctor.jobs, drain };
}

/** What the pages and the API are made of, but for what looks at themselves. */
function httpDeps(parts: HttpParts, warm: (accountId: number) => void): Omit<HttpDeps, 'facts'> {
  const { options, clock, store, metrics, guard, outgoing } = parts;
  const { logger } = options;
  return {
    store,
    clock,
    logger,
    metrics,
    guard,
    outgoing,
    ways: parts.ways,
    accounts: { authenticator: parts.authenticator, isProxy: proxyTest(parts.config) },
    mounts: [mountAuth(parts, warm), mountAccount(parts)],
    lookup: parts.lookup,
    scripts: parts.deps().scripts,
    intake: parts.intake.inbound,
    backups: parts.backups,
    housekeeping: parts.housekeeping,
    search: parts.search,
    alerts: parts.alerts,
    journal: parts.journal,
    watch: parts.watch,
    ses: sesHooks(clock, () => parts.deps().dns),
    probe: probeHooks(store, clock, parts.submission, () => parts.config().hostname),
    administrators: networkAdministrators({ store, clock, logIn: requestLogin(parts) }),
    ...(parts.tracer !== noTracer && { tracer: parts.tracer }),
    sns: parts.intake.hook,
    certificates: parts.certificates.keeper,
    acme: parts.certificates.proofs,
    filter: filterHooks(parts),
  };
}

/** Where the HTTP port listens: in clear, and with our certificates. */
function webPlaces({ options, tls }: HttpParts): WebPlace[] {
  const { http, https } = options.config.listen;
  const source = tls.source('https', 'strict');
  const bound = (service: 'http' | 'https', spec: ListenSpec): ListenTarget | undefined =>
    options.bound?.get(bindKey(service, spec));
  return [
    ...http.map((spec) => webPlace(spec, bound('http', spec), options.config.hostname.toLowerCase())),
    ...https.map((spec) => ({
      ...webPlace(spec, bound('https', spec)),
      // The certificate keeps other names away.
      allowedHosts: undefined,
      // Health and metrics are for the other port: here comes the world, whatever the address.
      operational: false,
      tls: source,
    })),
  ];
}

/** JMAP stands beside the pages of the HTTP port. */
function createJmap(
  parts: HttpParts,
  webPush: WebPush | undefined,
): {
  readonly mount: HttpDeps['jmap'];
  readonly sockets: JmapSockets;
  /** Have an account's mail in the reader's memory before it is asked for: 50,000 messages take half a second. */
  readonly warm: (accountId: number) => void;
} {
  const { options, clock, store, authenticator, submission, search, deps } = parts;
  const jmapOptions: JmapOptions = {
    store,
    clock,
    logger: options.logger,
    logIn: createRequestLogin({ store, clock, authenticator, isProxy: proxyTest(parts.config) }),
    isProxy: proxyTest(parts.config),
    search,
    submission,
    scripts: deps().scripts,
    settings: () => deps().settings,
    full: () => deps().housekeeping?.disk.low() === true,
    webPush,
  };
  const shared = sharedParts();
  const jmap = createJmapApp(jmapOptions, shared);
  return {
    mount: (app) => void app.route('/', jmap),
    sockets: createJmapSockets(jmapOptions, shared),
    warm(accountId) {
      store.read.run('jmap.counts', { cache: shared.cache, accountId }).catch(() => undefined);
    },
  };
}

/** What people do with their own account. */
/** Signing in, tokens, and the security of an account. */
function mountAuth(
  parts: HttpParts,
  onSeen: (accountId: number) => void,
): NonNullable<HttpDeps['mounts']>[number] {
  const { options, clock, store, authenticator, config } = parts;
  const isProxy = proxyTest(config);
  const auth = createAuthApp({
    store,
    clock,
    logger: options.logger,
    authenticator,
    login: createRequestLogin({ store, clock, authenticator, isProxy }),
    isProxy,
    serverName: () => config().hostname,
    // As createWebPush has it: without DNS no push service is found.
    push: () => options.dns !== undefined,
    mustEnroll: (account) => mustEnroll(store, account),
    onSeen,
    more: [mountInvitations, mountFirstRun],
  });
  return (app) => void app.route('/', auth);
}

function mountAccount(parts: HttpParts): NonNullable<HttpDeps['mounts']>[number] {
  const { options, clock, store, metrics, authenticator, submission, deps, config } = parts;
  const api = createAccountApi({
    store,
    clock,
    logger: options.logger,
    metrics,
    login: createRequestLogin({ store, clock, authenticator, isProxy: proxyTest(config) }),
    submission,
    scripts: deps().scripts,
    dns: () => deps().dns,
    fetching: options.accountFetch,
    keptMs: () => config().store.journal_age,
  });
  return (app) => void app.route('/', api);
}

/** Who a request is from. */
function requestLogin({ store, clock, authenticator, config }: HttpParts): LogInRequest {
  return createRequestLogin({ store, clock, authenticator, isProxy: proxyTest(config) });
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
    threshold: thresholdHook(filter),
    async teach(octets, label, accountId) {
      const { good_per_junked: goodPerJunked } = filter.settings;
      await teach({ store, scanner: filter.scanner, goodPerJunked }, octets, label, accountId);
    },
  };
}

/**
 * What is told at a place. Where only this machine comes, it answers to this machine's names alone: a page that a
 * person has open must not read it through a name of its own (DNS rebinding). Metrics and health go to strangers
 * where the configuration names the address; `*` is every address and names none. `publicName`: ours, which nobody else's
 * DNS has, by which a proxy on this machine comes.
 */
export function webPlace(spec: ListenSpec, bound: ListenTarget | undefined, publicName?: string): WebPlace {
  const target = bound ?? listenTarget(spec);
  if ('path' in spec) return { target, allowedHosts: undefined, operational: true };
  const { address } = spec;
  if (isLoopback(address)) {
    const name = address.includes(':') ? `[${address.toLowerCase()}]` : address;
    const names = new Set([...LOOPBACK_HOSTS, name, ...(publicName === undefined ? [] : [publicName])]);
    return { target, allowedHosts: [...names], operational: true, publicName };
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
