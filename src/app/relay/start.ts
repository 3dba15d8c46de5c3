import { collectDefaultMetrics } from 'prom-client';
import type { DiskReserveParts } from '../../base/disk-reserve.ts';
import type { Clock } from '../../base/clock.ts';
import { errorText, Refusal } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { Logger } from '../../base/log.ts';
import { Metrics } from '../../base/metrics.ts';
import { createHashThread } from '../../data/directory/hash-thread.ts';
import { createDirectOutlet } from '../../flow/relay/direct.ts';
import { createRelayAuthenticator, relayMechanisms } from '../../flow/relay/login.ts';
import { type RelayCounts, relayMetrics } from '../../flow/relay/metrics.ts';
import type { RelayOutlet } from '../../flow/relay/outlet.ts';
import { RECEIVED_MAX } from '../../flow/relay/received.ts';
import { createSentMemory } from '../../flow/relay/sent-memory.ts';
import { createRelayService } from '../../flow/relay/service.ts';
import type { Dns } from '../../mail/dns.ts';
import { checkReverse } from '../../mail/iprev.ts';
import type { Aws } from '../../net/aws/types.ts';
import { listenerMetrics } from '../../net/listener/listen.ts';
import { openTlsStore, type TlsStore } from '../../net/tls-store.ts';
import { smtpMetrics } from '../../servers/smtp/metrics.ts';
import { createSmtpServer, type SmtpServer } from '../../servers/smtp/server.ts';
import type { RelayConfig } from './config.ts';
import { relayDialect } from './dialect.ts';
import { type RelayHttp, startRelayHttp } from './http.ts';

/** Milliseconds between two looks at the certificate's files. */
const TLS_WATCH_MS = 30_000;
/** Octets of a line of a message: what SES makes of longer ones is its affair. */
const DATA_LINE_BYTES = 1024 * 1024;

export interface RelayParts {
  readonly config: RelayConfig;
  readonly aws: Aws;
  readonly clock: Clock;
  /** What is no log line of a message. */
  readonly logger: Logger;
  /** Takes the JSON line of each message. */
  readonly log: (line: string) => void;
  readonly random: () => number;
  /** Undefined: no reverse names in Received fields. */
  readonly dns?: Dns | undefined;
  /** Metrics of the process itself: once per process. */
  readonly processMetrics?: boolean | undefined;
  /** For tests: the room on the disk of the spool. */
  readonly space?: DiskReserveParts['space'] | undefined;
}

export interface RunningRelay {
  readonly address: string;
  readonly port: number;
  readonly http: { readonly address: string; readonly port: number } | undefined;
  readonly metrics: Metrics;
  /** Take nothing new, end what is under way within `graceMs` milliseconds, close. Stopping twice is stopping once. */
  stop(graceMs: number): Promise<void>;
}

/** Start the relay. Throws a `Refusal` with nothing left running. */
export async function startRelay(parts: RelayParts): Promise<RunningRelay> {
  const closers: (() => Promise<void> | void)[] = [];
  try {
    return await start(parts, closers);
  } catch (error) {
    for (const close of closers.toReversed()) await close();
    throw error;
  }
}

async function start(parts: RelayParts, closers: (() => Promise<void> | void)[]): Promise<RunningRelay> {
  const { config } = parts;
  const metrics = new Metrics();
  if (parts.processMetrics === true) collectDefaultMetrics({ register: metrics.registry });
  const counts = relayMetrics(metrics, config.api);
  const stopping = new AbortController();
  const tls = await certificates(parts, closers);
  let stopped: Promise<void> | undefined;
  const { outlet, close } = await outletFor(parts, counts, metrics, stopping.signal);
  closers.push(close);
  const http = await metricsPage(parts, metrics, () => stopped === undefined);
  if (http !== undefined) closers.push(() => http.close());
  const server = await listenSmtp(parts, { metrics, counts, outlet, tls });
  return {
    address: server.address,
    port: server.port,
    http,
    metrics,
    stop(graceMs) {
      stopped ??= (async () => {
        // Nobody waits for SES to have room any more: their clients keep the mail.
        stopping.abort();
        await server.drain(graceMs);
        for (const closer of closers.toReversed()) await closer();
      })();
      return stopped;
    },
  };
}

async function certificates(
  { config, clock, logger }: RelayParts,
  closers: (() => Promise<void> | void)[],
): Promise<TlsStore | undefined> {
  if (config.tls === undefined) return undefined;
  const { certFile, keyFile, passphrase } = config.tls;
  const store = await openTlsStore({ files: [{ certFile, keyFile }], clock, passphrase });
  const watch = store.watch(TLS_WATCH_MS, ({ changed, problems }) => {
    if (changed) logger.info({ certFile }, 'new certificate in use');
    for (const problem of problems) logger.error({ problem }, 'certificate not loaded, the one before stays');
  });
  closers.push(() => watch.stop());
  return store;
}

/** Where messages go: to SES while the client waits, or into the spool. */
async function outletFor(
  parts: RelayParts,
  counts: RelayCounts,
  metrics: Metrics,
  stopping: AbortSignal,
): Promise<{ outlet: RelayOutlet; close: () => Promise<void> }> {
  const { config, aws, clock, logger, log, random, space } = parts;
  const ses = aws.ses(config.sesVersion);
  const { hostname, serviceName: service, rules } = config;
  const { configurationSet, sourceArn, fromArn, returnPathArn } = config;
  const extras = { configurationSet, sourceArn, fromArn, returnPathArn };
  if (config.spool !== undefined) {
    // Loaded only now: a relay without a spool needs no store.
    const { openSpool } = await import('./spool.ts');
    return openSpool({ directory: config.spool, config, aws, clock, logger, log, counts, metrics, space });
  }
  const outlet = createDirectOutlet({
    hostname,
    service,
    rules,
    extras,
    ses,
    clock,
    random,
    stopping,
    memory: createSentMemory(clock),
    resendUnsure: config.resendUnsure,
    counts,
    logger,
    log,
  });
  return { outlet, close: async () => undefined };
}

/** The page is a convenience: where nobody asked for it, a port that is taken does not keep mail from flowing. */
async function metricsPage(
  { config, logger }: RelayParts,
  metrics: Metrics,
  healthy: () => boolean,
): Promise<RelayHttp | undefined> {
  if (config.metrics === undefined) return undefined;
  try {
    return await startRelayHttp({ place: config.metrics.place, metrics, healthy });
  } catch (error) {
    if (config.metrics.asked || !(error instanceof Refusal)) throw error;
    logger.warn({ error: errorText(error) }, 'no /metrics and /health');
    return undefined;
  }
}

function listenSmtp(
  { config, aws, clock, logger, log, dns }: RelayParts,
  made: { metrics: Metrics; counts: RelayCounts; outlet: RelayOutlet; tls: TlsStore | undefined },
): Promise<SmtpServer> {
  const { rules, login, hostname, serviceName } = config;
  const { metrics, counts, outlet, tls } = made;
  const messageBytes = aws.ses(config.sesVersion).maxMessageBytes - RECEIVED_MAX;
  const reverseName = async (ip: string): Promise<string | undefined> => {
    return dns && (await checkReverse({ ip, dns })).name;
  };
  return createSmtpServer({
    name: 'relay',
    target: config.listen,
    protocol: 'submission',
    service: createRelayService({ rules, outlet, clock, logger, counts, log, reverseName }),
    hostname,
    clock,
    logger,
    tls: tls?.source('relay', 'strict'),
    implicitTls: config.implicitTls,
    authenticator: createRelayAuthenticator({
      login,
      mayConnect: rules.mayConnect,
      checkHash: createHashThread(clock),
      clock,
      logger,
      counts,
    }),
    access: {
      requireTls: config.requireTls,
      requireLogin: login !== undefined,
      mechanisms: relayMechanisms(login, config.plainLogin),
    },
    dialect: relayDialect(hostname, serviceName),
    limits: { ...limits, messageBytes, dataLineBytes: DATA_LINE_BYTES },
    maxTotal: limits.sessionsTotal,
    maxPerAddress: 0,
    proxyFrom: config.proxyFrom,
    hooks: smtpMetrics(metrics)('submission'),
    listenerMetrics: listenerMetrics(metrics),
    onRefused: ({ reason, remoteAddress, detail }) =>
      logger.info({ ip: remoteAddress, reason, detail }, 'connection refused'),
  });
}
