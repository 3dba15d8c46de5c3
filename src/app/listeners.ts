import { errorText, Refusal } from '../base/errors.ts';
import type { ListenTarget } from '../net/listener/bind.ts';
import type { TlsStore } from '../net/tls-store.ts';
import { listenTarget } from './addresses.ts';
import type { Closers, Core } from './core.ts';
import type { ServerOptions } from './server.ts';
import { bindKey, IMPLICIT_TLS, SERVICES, type ServiceName } from './service-names.ts';
import type { lineServices, RunningListener } from './services.ts';

/** Sockets of the services that the configuration wants. Both lists change when a certificate comes late. */
export interface Listening {
  readonly listeners: RunningListener[];
  readonly leftOut: { service: ServiceName; reason: string }[];
}

/** Bind what the configuration names. Throws a `Refusal` that says which service could not be. */
export async function startListeners(
  options: ServerOptions,
  tls: TlsStore,
  services: ReturnType<typeof lineServices>,
  closers: Closers,
): Promise<Listening> {
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
export function lateListeners(
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

/** Port of the first listener of each service. */
export function portsOf(
  listeners: readonly Pick<RunningListener, 'service' | 'port'>[],
): Partial<Record<ServiceName, number>> {
  const ports: Partial<Record<ServiceName, number>> = {};
  for (const { service, port } of listeners) ports[service] ??= port;
  return ports;
}
