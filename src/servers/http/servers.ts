import type { IncomingMessage, ServerResponse } from 'node:http';
import { userInfo } from 'node:os';
import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Tracer } from '../../base/tracing.ts';
import type { LoginGuard } from '../../data/bans/guard.ts';
import type { Actor } from '../../data/directory/types.ts';
import type { OpenStore } from '../../data/open.ts';
import type { SearchIndex } from '../../data/search/types.ts';
import type {
  AlertHooks,
  CertificateHooks,
  FilterHooks,
  HousekeepingHooks,
  IntakeHooks,
} from './admin/operation.ts';
import type { Backups } from '../../flow/backup/service.ts';
import type { DoctorService } from '../../flow/doctor/service.ts';
import type { Lookup } from '../../flow/lookup/lookup.ts';
import type { ScriptEngine } from '../../flow/sieve/engine-types.ts';
import type { Ways } from '../../flow/outbound/routing/ways.ts';
import type { OutgoingWatch } from '../../flow/submission/outgoing.ts';
import type { HttpProofs } from '../../net/acme/solvers.ts';
import type { ListenTarget } from '../../net/listener/bind.ts';
import { alwaysActor, createAdminApp } from './admin/app.ts';
import { hostFacts } from './admin/host-facts.ts';
import { prepareSocketPlace } from './admin/socket.ts';
import type { ListenerFacts, ServerFacts } from './facts.ts';
import { type HttpLimits, type HttpListener, listenHttp } from './node-server.ts';
import { type SnsHook, snsHookAtPath } from './hooks/sns.ts';
import type { AccountOptions } from './web/account.ts';
import { createAcmeChallenge } from './web/acme-challenge.ts';
import { createWebApp, type WebAppOptions } from './web/app.ts';
import { createDiscovery } from './web/discovery.ts';
import { httpMetrics, tracedFetch } from './tracing.ts';
import { createGuard, fromThisMachine } from './web/guard.ts';

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
}

/** A place to listen at, with what is told there. */
export interface WebPlace {
  readonly target: ListenTarget;
  /** Host names that are answered, without ports (LOOPBACK_HOSTS where only this machine comes); undefined: any. */
  readonly allowedHosts: readonly string[] | undefined;
  /** Serve /health and /metrics to everybody; false: only to connections to a loopback address. */
  readonly operational: boolean;
}

export interface WebOptions {
  readonly places: readonly WebPlace[];
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
  const discovery = createDiscovery({
    store: deps.store,
    host: () => hostFacts(deps.facts),
    listeners: () => deps.facts.listeners(),
    logger,
  });
  const full = createWebApp({ ...deps, notes, account, operational: true });
  const bare = createWebApp({ ...deps, notes, account, operational: false });
  const open: HttpListener[] = [];
  const tracing = { tracer: deps.tracer, isProxy: deps.accounts?.isProxy, server: 'web' } as const;
  const drain = async (graceMs: number): Promise<void> => {
    await Promise.all(open.map((listener) => listener.drain(graceMs)));
  };
  try {
    for (const { target, allowedHosts, operational } of places) {
      const listener = await listenHttp({
        target,
        fetch: measured(
          deps,
          'web',
          tracedFetch(tracing, (request, env) => {
            const { headers, url = '/', socket } = env.incoming;
            const near = fromThisMachine(socket.localAddress ?? '', headers, url);
            return (operational || near ? full : bare).fetch(request, env);
          }),
        ),
        guard: first(deps.sns, proofs(deps.acme, either(discovery, createGuard(allowedHosts)))),
        clock,
        onError: (error) => logger.error({ error: errorText(error) }, 'http: a request failed'),
        ...(limits !== undefined && { limits }),
      });
      open.push(listener);
    }
  } catch (error) {
    await drain(0);
    throw error;
  }
  return {
    listeners: () =>
      open.map(({ address, port, isOpen }) => ({
        name: 'http',
        address,
        port,
        security: 'none',
        open: isOpen(),
      })),
    drain,
  };
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
