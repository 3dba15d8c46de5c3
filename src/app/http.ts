import type { Metrics } from '../base/metrics.ts';
import type { FlowDeps } from '../flow/deps.ts';
import type { TlsStore } from '../net/tls-store.ts';
import type { Config } from './config.ts';
import type { ServerOptions } from './server.ts';
import type { RunningListener } from './services.ts';

/** The HTTP side of the program: metrics and health on `listen.http`, the admin API on its Unix socket. */
export interface HttpPart {
  readonly listeners: readonly RunningListener[];
  readonly adminSocket: string | undefined;
  close(): Promise<void>;
}

export interface HttpParts {
  readonly options: ServerOptions;
  readonly deps: () => FlowDeps;
  readonly metrics: Metrics;
  readonly config: Config;
  readonly tls: TlsStore;
  readonly listeners: readonly RunningListener[];
}

export async function startHttp(_parts: HttpParts): Promise<HttpPart> {
  return { listeners: [], adminSocket: undefined, close: async () => undefined };
}
