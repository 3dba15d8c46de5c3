import type { IncomingMessage, ServerResponse } from 'node:http';
import { Refusal } from '../base/errors.ts';
import type { AcmeSettings } from '../data/certificates/settings.ts';
import type { Solver } from '../net/acme/order.ts';
import {
  createDnsSolver,
  createHttpSolver,
  type DnsChallenge,
  type HttpProofs,
} from '../net/acme/solvers.ts';
import { createTlsAlpnSolver } from '../net/acme/tls-alpn.ts';
import { listenAcme } from '../servers/http/web/acme-listener.ts';
import { redirectToTls } from '../servers/http/web/redirect.ts';
import { type CertificateKeeper, createCertificateKeeper } from './acme/keeper.ts';
import type { ListenSpec } from './config-values.ts';
import type { Core } from './core.ts';
import type { StartListener } from './services.ts';
import { programVersion } from './version.ts';

/** Certificates by ACME: what gets them, and what authorities look at meanwhile. */
export interface CertificatePart {
  readonly keeper: CertificateKeeper;
  /** Shown at the HTTP port too, for those who have a proxy in front of it. */
  readonly proofs: HttpProofs;
  /** A port for authorities alone: 80, 443, or both. */
  readonly listener: StartListener;
}

/** Finds who writes records of the zone that a name lies in; undefined: nobody does. */
export type FindDnsChallenge = (name: string) => Promise<DnsChallenge | undefined>;

export interface CertificateOptions {
  readonly core: Pick<Core, 'clock' | 'metrics' | 'tls' | 'store' | 'options' | 'live' | 'telemetry'>;
  /** Other certificates are served from now on; the first ones too. */
  readonly installed: () => void;
  readonly dns?: FindDnsChallenge | undefined;
}

export function createCertificates({ core, installed, dns }: CertificateOptions): CertificatePart {
  const { clock, metrics, tls, store, options } = core;
  const proofs = createHttpSolver();
  const validations = createTlsAlpnSolver(clock);
  tls.answerValidations(validations);

  async function solver(
    settings: AcmeSettings,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<Solver> {
    if (settings.challenge === 'http-01') return proofs;
    if (settings.challenge === 'tls-alpn-01') return validations;
    const byName = await providers(dns, names);
    const of = (name: string): DnsChallenge => byName.get(name.replace(/^_acme-challenge\./, '')) ?? NOBODY;
    return createDnsSolver({
      dns: {
        put: (name, value) => of(name).put(name, value),
        remove: (name, value) => of(name).remove(name, value),
      },
      clock,
      waitMs: settings.dns_wait_seconds * 1000,
      signal,
    });
  }

  const keeper = createCertificateKeeper({
    store,
    clock,
    logger: options.logger,
    metrics,
    tracer: core.telemetry.tracer,
    tls,
    hostname: () => core.live.config.hostname,
    solver,
    userAgent: `Postern/${programVersion()}`,
    installed,
  });
  return {
    keeper,
    proofs,
    async listener(target) {
      const others = toTls(options.config.listen.https);
      const running = await listenAcme({ target, proofs, validations, clock, others });
      const { address, port } = running;
      return {
        service: 'acme',
        address,
        port,
        sessions: () => 0,
        drain: (graceMs) => running.drain(graceMs),
      };
    },
  };
}

/** Who writes records for each name. Refusal 'unavailable' when nobody does for one of them. */
async function providers(
  find: FindDnsChallenge | undefined,
  names: readonly string[],
): Promise<ReadonlyMap<string, DnsChallenge>> {
  const found = new Map<string, DnsChallenge>();
  for (const name of names.map((each) => each.replace(/^\*\./, ''))) {
    const provider = await find?.(name);
    if (provider === undefined)
      throw new Refusal('unavailable', `${name}: dns-01 needs a DNS provider, and none is set up for it`);
    found.set(name, provider);
  }
  return found;
}

const NOBODY: DnsChallenge = {
  put: async () => {
    throw new Refusal('unavailable', 'no DNS provider is set up for this name');
  },
  remove: async () => undefined,
};

/** A person who types the name of the server comes to port 80 first, and is sent on where there are pages. */
function toTls(
  https: readonly ListenSpec[],
): ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined {
  const port = https.flatMap((spec) => ('port' in spec ? [spec.port] : []))[0];
  if (port === undefined) return undefined;
  return (request, response) => {
    redirectToTls(request, response, port);
    return true;
  };
}
