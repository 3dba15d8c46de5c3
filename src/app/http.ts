import type { Clock } from '../base/clock.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Recorder } from '../data/journal/recorder.ts';
import type { OpenStore } from '../data/open.ts';
import type { TlsStore } from '../net/tls-store.ts';
import type { ListenerFacts, ServerFacts } from '../servers/http/facts.ts';
import { createHttpServers } from '../servers/http/servers.ts';
import { LOOPBACK_HOSTS } from '../servers/http/web/guard.ts';
import type { ServerOptions } from './server.ts';
import { publicAddresses } from './addresses.ts';
import { bindKey, IMPLICIT_TLS } from './service-names.ts';
import type { RunningListener } from './services.ts';
import { listenTarget } from './addresses.ts';
import { programVersion } from './version.ts';

/** The HTTP side of the program: metrics and health on `listen.http`, the admin API on its Unix socket. */
export interface HttpPart {
  readonly listeners: readonly RunningListener[];
  readonly adminSocket: string;
  drain(graceMs: number): Promise<void>;
}

export interface HttpParts {
  readonly options: ServerOptions;
  readonly clock: Clock;
  readonly store: OpenStore;
  readonly metrics: Metrics;
  readonly tls: TlsStore;
  readonly recorder: Pick<Recorder, 'lastError'>;
  readonly listeners: readonly RunningListener[];
  readonly stopping: () => boolean;
}

export async function startHttp(parts: HttpParts): Promise<HttpPart> {
  const { options, clock, store, metrics } = parts;
  const { logger } = options;
  const tryOut = options.tryOut === true;
  const specs = options.config.listen.http;
  let own: readonly ListenerFacts[] = [];
  const servers = await createHttpServers(
    { store, clock, logger, metrics, facts: serverFacts(parts, () => own) },
    {
      web: {
        targets: specs.map((spec) => options.bound?.get(bindKey('http', spec)) ?? listenTarget(spec)),
        allowedHosts: tryOut ? LOOPBACK_HOSTS : undefined,
        ...(tryOut && { notes: ['This is a try-out: it can be reached from this machine only.'] }),
      },
    },
  );
  own = servers.web.listeners();
  const listeners = own.map(({ address, port }): RunningListener => {
    return { service: 'http', address, port, sessions: () => 0, drain: async () => undefined };
  });
  return { listeners, adminSocket: servers.admin.socketPath, drain: (graceMs) => servers.drain(graceMs) };
}

function serverFacts(parts: HttpParts, own: () => readonly ListenerFacts[]): ServerFacts {
  const { options, clock, tls, recorder, listeners, stopping } = parts;
  const hasCertificate = (): boolean => tls.certificates().length > 0;
  const line = ({ service, address, port }: RunningListener): ListenerFacts => {
    const starttls = service !== 'lmtp' && hasCertificate() ? 'starttls' : 'none';
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
    lastJournalError: () => recorder.lastError(),
    stopping,
  };
}
