import type { IncomingMessage, ServerResponse } from 'node:http';
import { userInfo } from 'node:os';
import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Tracer } from '../../base/tracing.ts';
import type { LoginGuard } from '../../data/bans/guard.ts';
import type { Actor } from '../../data/directory/types.ts';
import type { LiveJournal } from '../../data/journal/live.ts';
import type { OpenStore } from '../../data/open.ts';
import type { SearchIndex } from '../../data/search/types.ts';
import type {
  AlertHooks,
  CertificateHooks,
  FilterHooks,
  HousekeepingHooks,
  IntakeHooks,
  ProbeHooks,
  SesHooks,
} from './admin/operation.ts';
import type { Backups } from '../../flow/backup/service.ts';
import type { DoctorService } from '../../flow/doctor/service.ts';
import type { Lookup } from '../../flow/lookup/lookup.ts';
import type { ScriptEngine } from '../../flow/sieve/engine-types.ts';
import type { Ways } from '../../flow/outbound/routing/ways.ts';
import type { OutgoingWatch } from '../../flow/submission/outgoing.ts';
import type { HttpProofs } from '../../net/acme/solvers.ts';
import type { ListenTarget } from '../../net/listener/bind.ts';
import type { TlsSource } from '../../net/tls.ts';
import { alwaysActor, type Authenticate, createAdminApp } from './admin/app.ts';
import { hostFacts } from './admin/host-facts.ts';
import { API_PREFIX } from './admin/operation.ts';
import { prepareSocketPlace } from './admin/socket.ts';
import type { ListenerFacts, ServerFacts } from './facts.ts';
import { type HttpLimits, type HttpListener, listenHttp, type Upgrades } from './node-server.ts';
import { type SnsHook, snsHookAtPath } from './hooks/sns.ts';
import type { AccountOptions } from './web/account.ts';
import { createAcmeChallenge } from './web/acme-challenge.ts';
import { createWebApp, type WebAppOptions } from './web/app.ts';
import { createDiscovery } from './web/discovery.ts';
import { httpMetrics, tracedFetch } from './tracing.ts';
import { createGuard, fromThisMachine, hostName, judgeRequest, oneHost } from './web/guard.ts';
import { setSecurityHeaders } from './web/headers.ts';
import { createWebFiles } from './web/files.ts';
import { createRedirect } from './web/redirect.ts';
import { placeOf } from '../request-login.ts';

export interface HttpDeps {
  readonly store: OpenStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** May name the HTTP listeners too: it is only asked when a request comes. */
  readonly facts: ServerFacts;
  readonly guard?: LoginGuard | undefined;
  readonly outgoing?: OutgoingWatch | undefined;
  readonly filter?: FilterHooks | undefined;
  readonly intake?: IntakeHooks | undefined;
  readonly backups?: Backups | undefined;
  /** Where SNS may post, beside what the port serves. */
  readonly sns?: SnsHook | undefined;
  /** What authorities look at when they prove our names. */
  readonly acme?: HttpProofs | undefined;
  readonly certificates?: CertificateHooks | undefined;
  readonly doctor?: DoctorService | undefined;
  readonly ways?: Ways | undefined;
  /** Logs accounts in at the HTTP port; undefined: it has nothing for them. */
  readonly accounts?: Pick<AccountOptions, 'authenticator' | 'isProxy'> | undefined;
  /** Serves JMAP at its own paths of the HTTP port. */
  readonly jmap?: WebAppOptions['jmap'];
  /** Routes of other parts. */
  readonly mounts?: WebAppOptions['mounts'];
  /** Connections of the HTTP port that become something else (WebSocket). */
  readonly upgrades?: Upgrades | undefined;
  readonly lookup?: Lookup | undefined;
  readonly scripts?: Pick<ScriptEngine, 'check'> | undefined;
  readonly housekeeping?: HousekeepingHooks | undefined;
  /** The search index. */
  readonly search?: SearchIndex | undefined;
  readonly alerts?: AlertHooks | undefined;
  readonly tracer?: Tracer | undefined;
  /** Measures the requests of a server; made by `createHttpServers`. */
  readonly measure?: ReturnType<typeof httpMetrics> | undefined;
  readonly journal?: { changed(): Promise<void> } | undefined;
  readonly watch?: Pick<LiveJournal, 'listen'> | undefined;
  readonly probe?: ProbeHooks | undefined;
  readonly ses?: SesHooks | undefined;
  /** Logs administrators in at the HTTP port; undefined: the admin API is on its socket alone. */
  readonly administrators?: Authenticate | undefined;
}

/** A place to listen at, with what is told there. */
export interface WebPlace {
  readonly target: ListenTarget;
  /** Host names that are answered, without ports (LOOPBACK_HOSTS where only this machine comes); undefined: any. */
  readonly allowedHosts: readonly string[] | undefined;
  /** Serve /health and /metrics to everybody; false: only to connections to a loopback address. */
  readonly operational: boolean;
  /** Among these, the name by which a proxy on this machine comes for strangers: no health and metrics under it. */
  readonly publicName?: string | undefined;
  /** TLS from the first octet; undefined: none. */
  readonly tls?: TlsSource | undefined;
}

export interface WebOptions {
  readonly places: readonly WebPlace[];
  /** Directory of the web app's files; undefined, or not there: it is not built. */
  readonly directory?: string | undefined;
  /** Paragraphs of the home page. */
  readonly notes?: readonly string[];
  readonly limits?: Partial<HttpLimits>;
}

export interface AdminServer {
  readonly socketPath: string;
  drain(graceMs: number): Promise<void>;
}

export interface WebServer {
  listeners(): readonly ListenerFacts[];
  drain(graceMs: number): Promise<void>;
}

export interface HttpServers {
  readonly admin: AdminServer;
  readonly web: WebServer;
  /** Stop both: requests in hand end, what is left after `graceMs` milliseconds is cut off. */
  drain(graceMs: number): Promise<void>;
}

/**
 * The admin API on its Unix socket and the HTTP port. Call it as the user the server runs as: the socket is made for
 * that user alone. Throws a `Refusal` that names the place that cannot be used.
 */
export async function createHttpServers(
  given: HttpDeps,
  options: { readonly web: WebOptions; readonly adminSocket?: string | undefined },
): Promise<HttpServers> {
  const deps = { ...given, measure: httpMetrics(given.metrics, given.clock) };
  const admin = await createAdminServer(deps, options.adminSocket);
  try {
    const web = await createWebServer(deps, options.web);
    return {
      admin,
      web,
      async drain(graceMs) {
        await Promise.all([admin.drain(graceMs), web.drain(graceMs)]);
      },
    };
  } catch (error) {
    await admin.drain(0);
    throw error;
  }
}

/**
 * The admin API for whoever may reach the socket: the user the server runs as, and root. `socketPath` is where the
 * configuration wants it; undefined: `run/admin.sock` in the data directory, or a short path where that is too long.
 */
export async function createAdminServer(deps: HttpDeps, socketPath?: string): Promise<AdminServer> {
  const { clock, logger, facts } = deps;
  const place = await prepareSocketPlace(facts.dataDirectory, { configured: socketPath });
  const app = createAdminApp(deps, alwaysActor(socketActor()));
  let listener: HttpListener;
  try {
    listener = await listenHttp({
      target: { path: place.path },
      fetch: measured(
        deps,
        'admin',
        tracedFetch({ tracer: deps.tracer, server: 'admin' }, (request, env) => app.fetch(request, env)),
      ),
      clock,
      onError: (error) => logger.error({ error: errorText(error) }, 'admin: a request failed'),
    });
  } catch (error) {
    await place.clear();
    throw error;
  }
  try {
    await place.secure();
  } catch (error) {
    await listener.drain(0);
    await place.clear();
    throw error;
  }
  return {
    socketPath: place.path,
    async drain(graceMs) {
      await listener.drain(graceMs);
      await place.clear();
    },
  };
}

export async function createWebServer(deps: HttpDeps, options: WebOptions): Promise<WebServer> {
  const { clock, logger } = deps;
  const { places, notes = [], limits } = options;
  const account = deps.accounts && { ...deps.accounts, store: deps.store, clock };
  const files = options.directory === undefined ? undefined : createWebFiles(options.directory, clock);
  const mounts = [...(deps.mounts ?? []), ...adminMount(deps)];
  const full = createWebApp({ ...deps, mounts, notes, account, files, operational: true });
  const bare = createWebApp({ ...deps, mounts, notes, account, files, operational: false });
  const open: (HttpListener & { readonly secure: boolean })[] = [];
  const isProxy = deps.accounts?.isProxy ?? (() => false);
  const tracing = { tracer: deps.tracer, isProxy, server: 'web' } as const;
  const drain = async (graceMs: number): Promise<void> => {
    await Promise.all(open.map((listener) => listener.drain(graceMs)));
  };
  const tlsPort = (): number | undefined => open.find(({ secure }) => secure)?.port;
  const looks = looksOf(deps, { isProxy, tlsPort });
  try {
    for (const place of places) {
      const { target, allowedHosts, tls } = place;
      const listener = await listenHttp({
        target,
        fetch: measured(deps, 'web', tracedFetch(tracing, byPlace(place, full, bare))),
        guard: looks(place),
        upgrades: deps.upgrades && guarded(deps.upgrades, allowedHosts),
        tls,
        isProxy,
        clock,
        onError: (error) => logger.error({ error: errorText(error) }, 'http: a request failed'),
        ...(limits !== undefined && { limits }),
      });
      open.push({ ...listener, secure: tls !== undefined });
    }
  } catch (error) {
    await drain(0);
    throw error;
  }
  return {
    listeners: () =>
      open.map(({ address, port, isOpen, secure }) => ({
        name: secure ? 'https' : 'http',
        address,
        port,
        security: secure ? 'tls' : 'none',
        open: isOpen(),
      })),
    drain,
  };
}

/** What looks at the requests of a place before its pages do. */
function looksOf(
  deps: HttpDeps,
  { isProxy, tlsPort }: { isProxy: (address: string) => boolean; tlsPort: () => number | undefined },
): (place: WebPlace) => Look {
  const discovery = createDiscovery({
    store: deps.store,
    host: () => hostFacts(deps.facts),
    listeners: () => deps.facts.listeners(),
    logger: deps.logger,
  });
  return ({ allowedHosts, operational, tls }) => {
    const guard = createGuard(allowedHosts);
    const redirect = createRedirect({ port: tlsPort, isProxy, operational });
    // What others ask at names of ours they may ask without TLS; the rest is sent to where there is.
    const last = tls === undefined ? either(redirect, guard) : guard;
    return withHeaders(isProxy, first(deps.sns, proofs(deps.acme, either(discovery, last))));
  };
}

type WebApp = ReturnType<typeof createWebApp>;

/** With health and metrics for those who may see them, else without. */
function byPlace({ operational, publicName }: WebPlace, full: WebApp, bare: WebApp): Fetch {
  return (request, env) => {
    const { headers, url = '/', socket } = env.incoming;
    const near = fromThisMachine(socket.localAddress ?? '', headers, url);
    const inside = operational && hostName(headers.host ?? '') !== publicName;
    return (inside || near ? full : bare).fetch(request, env);
  };
}

/** The admin API on the HTTP port, for administrators who log in. */
function adminMount(deps: HttpDeps): NonNullable<WebAppOptions['mounts']> {
  if (deps.administrators === undefined) return [];
  const admin = createAdminApp(deps, deps.administrators);
  return [(app) => void app.all(`${API_PREFIX}/*`, (c) => admin.fetch(c.req.raw, c.env))];
}

type Fetch = Parameters<typeof tracedFetch>[1];

function measured({ measure }: HttpDeps, server: 'admin' | 'web', fetch: Fetch): Fetch {
  return measure === undefined ? fetch : measure(server, fetch);
}

type Look = (request: IncomingMessage, response: ServerResponse) => boolean;

/** SNS comes under whatever name stands in its subscription, and proves who it is. */
function first(sns: SnsHook | undefined, guard: Look): Look {
  if (sns === undefined) return guard;
  const hook = snsHookAtPath(sns);
  return (request, response) => hook(request, response) || guard(request, response);
}

/** Mail programs and other hosts ask at names of our domains, which lead to a proxy in front of us. */
function either(look: Look, guard: Look): Look {
  return (request, response) => look(request, response) || guard(request, response);
}

/** Authorities come under the names they prove, by way of a proxy on port 80. */
function proofs(acme: HttpProofs | undefined, guard: Look): Look {
  if (acme === undefined) return guard;
  const challenge = createAcmeChallenge(acme);
  return (request, response) => challenge(request, response) || guard(request, response);
}

/** Every answer has what browsers are told, whoever gives it. */
function withHeaders(isProxy: (address: string) => boolean, look: Look): Look {
  return (request, response) => {
    setSecurityHeaders(request, response, placeOf(request, isProxy).https);
    return look(request, response);
  };
}

/** One that the guard would refuse is answered as other requests are: with a refusal. */
function guarded(upgrades: Upgrades, allowedHosts: readonly string[] | undefined): Upgrades {
  return {
    wants: (request) =>
      upgrades.wants(request) &&
      oneHost(request) === undefined &&
      judgeRequest(request.headers, request.url ?? '/', allowedHosts) === undefined,
    take: (request, socket, head) => upgrades.take(request, socket, head),
  };
}

/** Whoever opens the socket is its owner or root; the audit says it was done from this machine's command line. */
function socketActor(): Actor {
  return { name: `cli:${userName()}`, role: 'system', domainId: undefined };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A user without an entry in passwd, as in containers.
    return `uid-${process.getuid?.() ?? 0}`;
  }
}
