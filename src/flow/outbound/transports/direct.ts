import type { FlowDeps } from '../../deps.ts';
import { ClientPool } from '../pool.ts';
import { type DirectSettings, transportSchema } from '../routing/settings.ts';
import { deferred, forAll, type Outcome, type Transport } from '../transport.ts';
import { deliverDirectly, type DirectParts } from './direct-attempt.ts';
import { findHosts } from './hosts.ts';
import { createIpv6Memory } from './ipv6-memory.ts';
import { createShaper, type Shaper } from './shaping.ts';
import { createStsPolicies, type StsOptions, type StsPolicies } from './sts.ts';

const SMTP_PORT = 25;
/** Sessions with all hosts of one operator at once, as a multiple of those with one host. */
const HOSTS_OF_A_GROUP = 4;

export interface DirectOptions {
  /** Instead of 25 and what the settings say; for tests. */
  readonly port?: number;
  /** Policies of MTA-STS and how they are fetched; kept by whoever makes transports anew at a change of settings. */
  readonly sts?: StsPolicies;
  readonly stsFetch?: StsOptions;
  /** How fast destinations may be sent to; kept likewise. */
  readonly shaper?: Shaper;
  /** PEM authorities instead of the system's; for tests. */
  readonly ca?: string;
}

export interface DirectTransport extends Transport {
  readonly shaper: Shaper;
  readonly sts: StsPolicies;
}

/** The settings of `direct` where nobody has changed them. */
export function directDefaults(): DirectSettings {
  const settings = transportSchema.parse({ kind: 'direct' });
  if (settings.kind !== 'direct') throw new Error('the settings of direct delivery are of another kind');
  return settings;
}

/**
 * Delivery to the MX hosts of the recipient's domain (RFC 5321 section 5), with the TLS that DANE, MTA-STS or the
 * message ask for and whatever is offered otherwise; no faster than the hosts bear.
 */
export function createDirect(
  deps: () => FlowDeps,
  name = 'direct',
  settings: DirectSettings = directDefaults(),
  options: DirectOptions = {},
): DirectTransport {
  const { clock } = deps();
  const perHost = settings.sessions_per_host;
  const pool = new ClientPool({ clock, perHost });
  const shaper = options.shaper ?? createShaper({ clock, sessions: perHost * HOSTS_OF_A_GROUP });
  const sts = options.sts ?? createStsPolicies(options.stsFetch);
  const port = options.port ?? settings.port ?? SMTP_PORT;
  const ipv6 = createIpv6Memory(clock);
  return {
    name,
    kind: 'direct',
    shaper,
    sts,
    close: () => pool.close(),
    async attempt(work, content, stopping): Promise<ReadonlyMap<number, Outcome>> {
      const current = deps();
      if (current.dns === undefined) return forAll(work, deferred('451 4.4.3 No DNS resolver is configured'));
      const found = await findHosts(current.dns, work.destination, current.settings.hostname);
      if ('outcome' in found) return forAll(work, found.outcome);
      const parts: DirectParts = {
        deps: current,
        dns: current.dns,
        settings,
        port,
        ca: options.ca,
        pool,
        shaper,
        sts,
        ipv6,
      };
      return deliverDirectly(parts, found, { work, content, stopping });
    },
  };
}
