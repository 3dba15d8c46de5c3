import type { Clock } from '../base/clock.ts';
import { timeId } from '../base/ids.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Recorder } from '../data/journal/recorder.ts';
import { terms } from '../data/journal/types.ts';
import type { FlowDeps } from '../flow/deps.ts';
import { createInbound } from '../flow/inbound/service.ts';
import type { Authenticator, MailService } from '../flow/service.ts';
import { HourlyCounts } from '../flow/submission/hourly.ts';
import { createSubmission } from '../flow/submission/service.ts';
import type { ListenTarget } from '../net/listener/bind.ts';
import { type ListenerMetrics, listenerMetrics, type RefusedConnection } from '../net/listener/listen.ts';
import type { TlsStore } from '../net/tls-store.ts';
import { smtpMetrics } from '../servers/smtp/metrics.ts';
import type { SmtpHooks, SmtpProtocol } from '../servers/smtp/options.ts';
import type { SmtpLimits } from '../servers/smtp/limits.ts';
import { createSmtpServer } from '../servers/smtp/server.ts';
import type { Config } from './config.ts';
import type { ListenSpec } from './config-values.ts';

/** Services with listeners, in the order in which a person reads them. */
export const SERVICES = ['smtp', 'submission', 'submissions', 'imap', 'imaps', 'lmtp', 'http'] as const;
export type ServiceName = (typeof SERVICES)[number];

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
  readonly tls: TlsStore;
  readonly requireTlsForAuth: boolean;
  readonly deps: () => FlowDeps;
  readonly live: () => { readonly config: Config; readonly smtpLimits: SmtpLimits };
}

export type StartListener = (target: ListenTarget) => Promise<RunningListener>;

/** How to start a listener of each service that is a line protocol. */
export function lineServices(parts: ServiceParts): Partial<Record<ServiceName, StartListener>> {
  const shared = { parts, hooks: smtpMetrics(parts.metrics), listeners: listenerMetrics(parts.metrics) };
  const hourly = new HourlyCounts(parts.clock);
  const submission = createSubmission(parts.deps, hourly);
  const smtp = (name: ServiceName, protocol: SmtpProtocol, service: MailService): StartListener => {
    return (target) => startSmtp({ ...shared, name, protocol, service, target });
  };
  return {
    smtp: smtp('smtp', 'smtp', createInbound(parts.deps, 'smtp')),
    submission: smtp('submission', 'submission', submission),
    submissions: smtp('submissions', 'submission', submission),
    lmtp: smtp('lmtp', 'lmtp', createInbound(parts.deps, 'lmtp')),
  };
}

/** Services that are nothing without a certificate. */
export const IMPLICIT_TLS: ReadonlySet<ServiceName> = new Set(['submissions', 'imaps']);

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
  const { clock, logger, live, authenticator } = parts;
  const { limits, hostname } = live().config;
  const server = await createSmtpServer({
    name,
    target,
    protocol,
    service,
    hostname,
    clock,
    logger,
    authenticator,
    tls: parts.tls.source(name, name === 'smtp' ? 'opportunistic' : 'strict'),
    implicitTls: IMPLICIT_TLS.has(name),
    requireTlsForAuth: parts.requireTlsForAuth,
    // A getter, because sessions look at it as they go: a reload changes the limits of the next command.
    get limits() {
      return live().smtpLimits;
    },
    maxTotal: limits.sessions,
    maxPerAddress: limits.sessions_per_address,
    proxyFrom: proxyNetworks(live().config, name),
    hooks: listener.hooks(protocol),
    listenerMetrics: listener.listeners,
    onRefused: (refused) => recordRefusedConnection(parts, name, refused),
  });
  return {
    service: name,
    address: server.address,
    port: server.port,
    sessions: () => server.sessions(),
    drain: (graceMs) => server.drain(graceMs),
  };
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
  const { reason, remoteAddress, remotePort, detail } = refused;
  parts.recorder.event({
    trace: timeId(at),
    at,
    kind: 'connection.refused',
    data: { protocol: service, ip: remoteAddress, port: remotePort, stage: reason, reason: detail },
    terms: remoteAddress === '' ? [] : [terms.network(remoteAddress)],
  });
}

/** How a socket that was bound beforehand is found again. */
export function bindKey(service: ServiceName, spec: ListenSpec): string {
  return `${service} ${'path' in spec ? spec.path : `${spec.address} ${spec.port}`}`;
}
