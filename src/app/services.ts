import type { Clock } from '../base/clock.ts';
import { timeId } from '../base/ids.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import { noTracer, type Tracer } from '../base/tracing.ts';
import type { LoginGuard } from '../data/bans/guard.ts';
import type { Recorder } from '../data/journal/recorder.ts';
import type { MailSearch } from '../data/search/mail-search.ts';
import { terms } from '../data/journal/types.ts';
import type { FlowDeps } from '../flow/deps.ts';
import type { Gate } from '../flow/inbound/gate/gate.ts';
import { createInbound } from '../flow/inbound/service.ts';
import type { Authenticator, MailService } from '../flow/service.ts';
import { Intake } from '../flow/intake.ts';
import type { OutgoingWatch } from '../flow/submission/outgoing.ts';
import { isLoopback } from '../net/ip.ts';
import type { ListenTarget } from '../net/listener/bind.ts';
import { type ListenerMetrics, listenerMetrics, type RefusedConnection } from '../net/listener/listen.ts';
import type { TlsStore } from '../net/tls-store.ts';
import type { ImapLimits } from '../servers/imap/limits.ts';
import { imapMetrics } from '../servers/imap/metrics.ts';
import type { ImapHooks } from '../servers/imap/options.ts';
import { accountMetrics } from '../servers/account-metrics.ts';
import type { AccountServerOptions, AccountSessionHooks } from '../servers/account-session.ts';
import { createImapServer } from '../servers/imap/server.ts';
import { createManageSieveServer } from '../servers/managesieve/server.ts';
import { createPop3Server } from '../servers/pop3/server.ts';
import type { SessionServer, SessionServerOptions } from '../servers/session-server.ts';
import { smtpMetrics } from '../servers/smtp/metrics.ts';
import type { SmtpHooks, SmtpProtocol } from '../servers/smtp/options.ts';
import type { SmtpLimits } from '../servers/smtp/limits.ts';
import { createSmtpServer } from '../servers/smtp/server.ts';
import type { Config } from './config.ts';
import { IMPLICIT_TLS, type ServiceName } from './service-names.ts';

/** One bound listener of a service. */
export interface RunningListener {
  readonly service: ServiceName;
  readonly address: string;
  readonly port: number;
  /** Sessions open now. */
  sessions(): number;
  /** Take no more connections, let what is under way end, cut off the rest after `graceMs` milliseconds. */
  drain(graceMs: number): Promise<void>;
}

/** What listeners are made of. `live` is read anew by every session, so that a reload reaches the next one. */
export interface ServiceParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly recorder: Recorder;
  readonly authenticator: Authenticator;
  readonly guard: LoginGuard;
  readonly outgoing: OutgoingWatch;
  readonly gate: Gate;
  readonly tls: TlsStore;
  readonly requireTlsForAuth: boolean;
  readonly search: MailSearch;
  /** Mail of our own people, however they hand it in. */
  readonly submission: MailService;
  readonly deps: () => FlowDeps;
  readonly live: () => {
    readonly config: Config;
    readonly smtpLimits: SmtpLimits;
    readonly imapLimits: ImapLimits;
  };
}

export type StartListener = (target: ListenTarget) => Promise<RunningListener>;

/** How to start a listener of each service that is a line protocol. */
export function lineServices(parts: ServiceParts): Partial<Record<ServiceName, StartListener>> {
  const listeners = listenerMetrics(parts.metrics);
  const smtpHooks = smtpMetrics(parts.metrics);
  const imapHooks = tracedCommands(imapMetrics(parts.metrics), parts.deps().tracer);
  const accountHooks = accountMetrics(parts.metrics);
  const { submission } = parts;
  const smtp = (name: ServiceName, protocol: SmtpProtocol, service: MailService): StartListener => {
    return (target) => startSmtp({ parts, listeners, hooks: smtpHooks, name, protocol, service, target });
  };
  const imap = (name: ServiceName): StartListener => {
    return (target) => startImap({ parts, listeners, hooks: imapHooks, name, target });
  };
  const account = (name: ServiceName, protocol: string, create: CreateAccountServer): StartListener => {
    const hooks = accountHooks(protocol);
    return (target) => startAccountServer({ parts, listeners, hooks, name, create, target });
  };
  return {
    smtp: smtp('smtp', 'smtp', createInbound(parts.deps, 'smtp', parts.gate)),
    submission: smtp('submission', 'submission', submission),
    submissions: smtp('submissions', 'submission', submission),
    imap: imap('imap'),
    imaps: imap('imaps'),
    pop3: account('pop3', 'pop3', createPop3Server),
    pop3s: account('pop3s', 'pop3', createPop3Server),
    managesieve: account('managesieve', 'managesieve', createManageSieveServer),
    lmtp: smtp('lmtp', 'lmtp', createInbound(parts.deps, 'lmtp')),
  };
}

/** What the listeners of all line protocols are given. */
function common({ parts, listeners, name }: Pick<SmtpListener, 'parts' | 'listeners' | 'name'>) {
  const { clock, logger, authenticator, guard } = parts;
  const { config } = parts.live();
  return {
    name,
    hostname: config.hostname,
    clock,
    logger,
    authenticator,
    guard,
    tls: parts.tls.source(name, name === 'smtp' ? 'opportunistic' : 'strict'),
    implicitTls: IMPLICIT_TLS.has(name),
    maxTotal: config.limits.sessions,
    maxPerAddress: config.limits.sessions_per_address,
    proxyFrom: proxyNetworks(config, name),
    listenerMetrics: listeners,
    onRefused: (refused: RefusedConnection) => recordRefusedConnection(parts, name, refused),
  };
}

function running(
  service: ServiceName,
  server: Pick<SessionServer, 'address' | 'port' | 'sessions' | 'drain'>,
): RunningListener {
  return {
    service,
    address: server.address,
    port: server.port,
    sessions: () => server.sessions(),
    drain: (graceMs) => server.drain(graceMs),
  };
}

interface SmtpListener {
  readonly parts: ServiceParts;
  readonly hooks: (protocol: SmtpProtocol) => SmtpHooks;
  readonly listeners: ListenerMetrics;
  readonly name: ServiceName;
  readonly protocol: SmtpProtocol;
  readonly service: MailService;
  readonly target: ListenTarget;
}

async function startSmtp(listener: SmtpListener): Promise<RunningListener> {
  const { parts, name, protocol, service, target } = listener;
  const { live } = parts;
  const { tracer } = parts.deps();
  const server = await createSmtpServer({
    ...(tracer !== noTracer && { tracer }),
    ...common(listener),
    target,
    protocol,
    service,
    requireTlsForAuth: parts.requireTlsForAuth,
    // A getter, because sessions look at it as they go: a reload changes the limits of the next command.
    get limits() {
      return live().smtpLimits;
    },
    hooks: listener.hooks(protocol),
  });
  return running(name, server);
}

/** Commands that take long become spans of their own: a session may last for days. */
function tracedCommands(hooks: ImapHooks, tracer: Tracer | undefined): ImapHooks {
  if (tracer === undefined || tracer === noTracer) return hooks;
  return {
    ...hooks,
    command(session, name, status, durationMs) {
      hooks.command?.(session, name, status, durationMs);
      // IDLE lasts as long as the client likes.
      if (name === 'IDLE' || !tracer.wants(durationMs)) return;
      const span = tracer.past(`imap ${name === '' ? 'unknown' : name}`, durationMs, 'server');
      span?.set({
        'postern.trace': session.id,
        'network.protocol.name': 'imap',
        'imap.status': status,
        ...(tracer.addresses && {
          'client.address': session.remoteAddress,
          ...(session.login !== undefined && { 'user.name': session.login.address }),
        }),
      });
      if (status !== 'OK') span?.fail(status);
      span?.end();
    },
  };
}

interface ImapListener {
  readonly parts: ServiceParts;
  readonly hooks: ImapHooks;
  readonly listeners: ListenerMetrics;
  readonly name: ServiceName;
  readonly target: ListenTarget;
}

async function startImap(listener: ImapListener): Promise<RunningListener> {
  const { parts, hooks, name, target } = listener;
  const { live, deps } = parts;
  const { store } = deps();
  const server = await createImapServer({
    ...common(listener),
    target,
    store,
    full: () => deps().housekeeping?.disk.low() === true,
    search: parts.search,
    jmapUrl: () => jmapUrl(live().config),
    intake: () => new Intake({ bodies: store.bodies, maxBytes: deps().settings.maxMessageBytes }),
    requireTlsForLogin: parts.requireTlsForAuth,
    get limits() {
      return live().imapLimits;
    },
    hooks,
  });
  return running(name, server);
}

/** Where JMAP is to be found, when this server has an HTTPS port of its own that others reach. */
export function jmapUrl({ hostname, listen }: Pick<Config, 'hostname' | 'listen'>): string | undefined {
  const open = listen.https.find((spec) => 'port' in spec && spec.port > 0 && !isLoopback(spec.address));
  if (open === undefined || !('port' in open)) return undefined;
  return `https://${hostname}${open.port === 443 ? '' : `:${open.port}`}/.well-known/jmap`;
}

type CreateAccountServer = (options: AccountServerOptions & SessionServerOptions) => Promise<SessionServer>;

interface AccountListener {
  readonly parts: ServiceParts;
  readonly hooks: AccountSessionHooks;
  readonly listeners: ListenerMetrics;
  readonly name: ServiceName;
  readonly create: CreateAccountServer;
  readonly target: ListenTarget;
}

async function startAccountServer(listener: AccountListener): Promise<RunningListener> {
  const { parts, hooks, name, create, target } = listener;
  const { live, deps } = parts;
  const server = await create({
    ...common(listener),
    target,
    store: deps().store,
    requireTlsForLogin: parts.requireTlsForAuth,
    scripts: deps().scripts,
    get limits() {
      const { imapLimits } = live();
      return {
        preauthTimeoutMs: imapLimits.imapPreauthTimeoutMs,
        timeoutMs: imapLimits.imapTimeoutMs,
        errorsPerSession: imapLimits.errorsPerSession,
      };
    },
    hooks,
  });
  return running(name, server);
}

/** LMTP is for programs beside us; no proxy stands in front of it. */
export function proxyNetworks(config: Config, name: ServiceName): readonly string[] {
  return name === 'lmtp' ? [] : config.listen.proxy_from;
}

/** A connection that never became a session leaves an event too. */
export function recordRefusedConnection(
  parts: Pick<ServiceParts, 'clock' | 'recorder'>,
  service: ServiceName,
  refused: RefusedConnection,
): void {
  const at = parts.clock.now();
  const { reason, remoteAddress, localPort, detail } = refused;
  // What a banned client is told names the end of its ban; the reason is the same for all of its tries.
  const why =
    reason === 'ban' ? { reason: 'it is banned from logging in', reply: detail } : { reason: detail };
  parts.recorder.event({
    trace: timeId(at),
    at,
    kind: 'connection.refused',
    data: { protocol: service, ip: remoteAddress, port: localPort, stage: reason, ...why },
    terms: remoteAddress === '' ? [] : [terms.network(remoteAddress)],
  });
}
