import { isIP } from 'node:net';
import type { TlsQuirk } from '../../../data/transport-security/types.ts';
import type { ConnectOutcome } from '../../../net/smtp-client/connect.ts';
import type { ClientFailure } from '../../../net/smtp-client/failure.ts';
import { tlsOutcomeOf } from '../../tls-session.ts';
import type { DaneState } from './dane.ts';
import { lookUpDane } from './dane.ts';
import type { DirectParts } from './direct-attempt.ts';
import type { FoundHosts, NextHost } from './hosts.ts';
import { hostGroup } from './shaping.ts';
import type { Hop } from './smtp.ts';
import { sourcesFor } from './sources.ts';
import type { StsState } from './sts.ts';
import { type HostTls, hostTls } from './tls-policy.ts';

/** How one MX host is spoken with. */

/** What of a delivery decides over TLS. */
export interface TlsTarget {
  /** Domain of the recipients. */
  readonly domain: string;
  readonly found: Pick<FoundHosts, 'secure' | 'alias'>;
  readonly requireTls: boolean;
  readonly waived: () => Promise<boolean>;
}

type LookUpParts = Pick<DirectParts, 'deps' | 'dns' | 'settings' | 'port' | 'sts'>;

/** Look up what is published for a host and its domain, and decide. */
export async function tlsOf(parts: LookUpParts, target: TlsTarget, host: NextHost): Promise<HostTls> {
  return decideTls(parts, target, host, await lookUpTls(parts, target, host));
}

/** What follows from what is published. */
export function decideTls(
  { deps }: Pick<DirectParts, 'deps'>,
  { domain, found, requireTls, waived }: TlsTarget,
  host: NextHost,
  { dane, sts }: { readonly dane: DaneState; readonly sts: StsState },
): Promise<HostTls> {
  const { alias: domainAlias, secure: mxSecure } = found;
  const { clock } = deps;
  return hostTls({ domain, domainAlias, host, mxSecure, dane, sts, requireTls, waived, clock });
}

/** DANE, and MTA-STS where that has not decided already (RFC 8461 section 2). */
export async function lookUpTls(
  { deps, dns, settings, port, sts }: LookUpParts,
  target: TlsTarget,
  host: NextHost,
): Promise<{ readonly dane: DaneState; readonly sts: StsState }> {
  const none = { status: 'none' } as const;
  const dane = settings.dane ? await lookUpDane(dns, host, { mxSecure: target.found.secure, port }) : none;
  const decided = dane.status !== 'none' && !(dane.status === 'unusable' && target.requireTls);
  if (decided || !settings.mta_sts || target.domain.startsWith('[')) return { dane, sts: none };
  return { dane, sts: await sts.of(deps, target.domain) };
}

/** The hop to a host under what was decided. */
export function directHop(
  parts: Pick<DirectParts, 'deps' | 'settings' | 'port' | 'ca'>,
  target: TlsTarget,
  host: NextHost,
  tls: Extract<HostTls, { use: 'session' }>,
): Hop {
  const { settings, port, ca } = parts;
  const localAddresses = sourcesFor(settings.source_addresses, hostGroup(host.name));
  const families = host.addresses.every((address) => isIP(address) === 4) ? ' ipv4' : '';
  return {
    host,
    options: {
      protocol: 'smtp',
      tls: tls.tls,
      verify: tls.verify,
      // A policy asks for the right certificate, not for the newest ciphers.
      tlsProfile: 'opportunistic',
      port,
      servername: tls.servername,
      ...(settings.helo !== undefined && { helo: settings.helo }),
      ...(ca !== undefined && { ca }),
      ...(localAddresses !== undefined && { localAddresses }),
    },
    tag: `${tls.tag}${families}${target.requireTls ? ' requiretls' : ''}`,
    quirks: true,
    observe: (outcome, remembered) => observe(parts, target, host, tls, outcome, remembered),
    ...(target.requireTls && { login: async ({ client }) => lacksRequireTls(client.capabilities) }),
  };
}

function lacksRequireTls(capabilities: { has(keyword: string): boolean }): ClientFailure | undefined {
  if (capabilities.has('REQUIRETLS')) return undefined;
  const reason = 'the server does not support REQUIRETLS';
  return { phase: 'tls', kind: 'tls', reason, tls: 'not-offered' };
}

/** RFC 8460: how sessions with a domain's hosts begin is what it wants to be told of. */
function observe(
  { deps }: Pick<DirectParts, 'deps'>,
  { domain }: TlsTarget,
  host: NextHost,
  { policy, finding }: HostTls,
  outcome: ConnectOutcome,
  remembered: TlsQuirk | undefined,
): void {
  if (policy === undefined) return;
  const seen = tlsOutcomeOf(outcome, policy);
  if (seen === undefined) return;
  const broken = remembered && ({ result: 'validation-failure', reason: remembered.reason } as const);
  deps.reports?.observeTls({ domain, policy, mxHost: host.name, ...seen, ...(broken ?? finding) });
}
