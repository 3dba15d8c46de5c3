import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../../base/clock.ts';
import type { TlsaRecord } from '../../../mail/dns.ts';
import { tlsaText } from '../../../mail/dane/tlsa.ts';
import { verifyDane } from '../../../mail/dane/verify.ts';
import { stsNames } from '../../../mail/mta-sts/policy.ts';
import type { TlsPolicy, TlsResultType } from '../../../mail/reports/tls-types.ts';
import { shownChain, type TlsVerifier } from '../../../net/smtp-client/tls.ts';
import { noTlsPolicy } from '../../tls-session.ts';
import type { DaneState } from './dane.ts';
import type { NextHost } from './hosts.ts';
import type { StsState } from './sts.ts';

/** What TLS a session with one host needs, by all that is known: DANE before MTA-STS before nothing. */

/** Something to report before any session began (RFC 8460 section 4.3.2). */
export interface TlsFinding {
  readonly result: TlsResultType;
  readonly reason: string;
}

export type HostTls = {
  /** What we go by, for reports; undefined: the message waives policies, nothing is reported. */
  readonly policy: TlsPolicy | undefined;
  /** Trouble with the policy itself; the session does not count as a success then. */
  readonly finding?: TlsFinding | undefined;
} & (
  | {
      readonly use: 'session';
      readonly tls: 'opportunistic' | 'required';
      readonly verify: 'none' | 'pkix' | TlsVerifier;
      /** For SNI and the check of names. */
      readonly servername: string;
      /** Sessions with the same tag are as good as each other. */
      readonly tag: string;
      /** How a person is told: "DANE", "MTA-STS (enforce)". */
      readonly by: string | undefined;
    }
  /** This host is not to be used. `lasting`: and it will not be for a message that asks for TLS. */
  | { readonly use: 'skip'; readonly reason: string; readonly lasting: boolean }
);

export interface TlsInput {
  /** Domain of the recipients, and what it is an alias of. */
  readonly domain: string;
  readonly domainAlias: string | undefined;
  readonly host: NextHost;
  /** Whether DNSSEC vouches for the way from the domain to the host's name. */
  readonly mxSecure: boolean;
  readonly dane: DaneState;
  readonly sts: StsState;
  /** REQUIRETLS (RFC 8689). */
  readonly requireTls: boolean;
  /** "TLS-Required: No" stands in the message; asked for only where a policy would bind. */
  readonly waived: () => Promise<boolean>;
  readonly clock: Clock;
}

/** Decide for one host. */
export async function hostTls(input: TlsInput): Promise<HostTls> {
  const strict = isBinding(input);
  // RFC 8689 section 3: the field counts only without REQUIRETLS.
  if (strict && !input.requireTls && (await input.waived()))
    return { ...openly(input.host), policy: undefined };
  const { dane } = input;
  if (dane.status === 'bogus') return bogus(dane);
  if (dane.status === 'usable') return byDane(input, dane);
  if (input.requireTls) return byRequireTls(input);
  if (dane.status === 'unusable') return encrypted(input, dane);
  return bySts(input);
}

function isBinding({ dane, sts }: TlsInput): boolean {
  return dane.status !== 'none' || (sts.status === 'policy' && sts.policy.mode === 'enforce');
}

/** TLS where it is offered, whatever the certificate (RFC 7435). */
function openly(host: NextHost) {
  return {
    use: 'session',
    tls: 'opportunistic',
    verify: 'none',
    servername: host.name,
    tag: 'open',
    by: undefined,
  } as const;
}

function byPkix(host: NextHost, by: string) {
  return { use: 'session', tls: 'required', verify: 'pkix', servername: host.name, tag: 'pkix', by } as const;
}

/** RFC 8460 section 1.1: the policy domain of DANE is the TLSA base domain. */
function tlsaPolicy(base: string, all: readonly TlsaRecord[]): TlsPolicy {
  return { type: 'tlsa', domain: base, strings: all.map(tlsaText), mxHosts: [] };
}

function bogus(dane: Extract<DaneState, { status: 'bogus' }>): HostTls {
  const reason = `DNS gave no validated answer about the TLSA records of ${dane.base}: ${dane.reason}`;
  return {
    use: 'skip',
    reason,
    lasting: false,
    policy: tlsaPolicy(dane.base, []),
    finding: { result: 'dnssec-invalid', reason: dane.reason },
  };
}

function byDane(input: TlsInput, dane: Extract<DaneState, { status: 'usable' }>): HostTls {
  const { host, domain, domainAlias, clock } = input;
  const names = [dane.base, domain, ...(domainAlias === undefined ? [] : [domainAlias])];
  const verify = (socket: TLSSocket): string | undefined => {
    const chain = shownChain(socket);
    const result = verifyDane({ chain, records: dane.records, names, nowMs: clock.now() });
    return result.status === 'ok' ? undefined : `DANE: ${result.reason}`;
  };
  const strings = dane.all.map(tlsaText);
  return {
    use: 'session',
    tls: 'required',
    verify,
    // RFC 7672 section 2.2: the TLSA base domain, so that a host of many names shows the right certificate.
    servername: dane.base,
    // Names differ by the domain, and records change.
    tag: `dane ${names.join(' ')} ${strings.toSorted().join(',')} ${host.name}`,
    by: 'DANE',
    policy: tlsaPolicy(dane.base, dane.all),
  };
}

function encrypted(input: TlsInput, dane: Extract<DaneState, { status: 'unusable' }>): HostTls {
  return {
    ...openly(input.host),
    tls: 'required',
    tag: 'encrypted',
    by: 'DANE without usable records',
    policy: tlsaPolicy(dane.base, dane.all),
    finding: { result: 'tlsa-invalid', reason: 'none of the TLSA records is usable' },
  };
}

function stsPolicy(domain: string, sts: StsState): TlsPolicy {
  const { lines, mx } = sts.status === 'policy' ? sts.policy : { lines: [], mx: [] };
  return { type: 'sts', domain, strings: lines, mxHosts: mx };
}

/** RFC 8461 section 5: an enforced policy that does not name the host. */
function unnamed({ sts, host, domain }: TlsInput): Extract<HostTls, { use: 'skip' }> | undefined {
  if (sts.status !== 'policy' || sts.policy.mode !== 'enforce' || stsNames(sts.policy, host.name))
    return undefined;
  const reason = `the MTA-STS policy of ${domain} does not name ${host.name}`;
  const finding: TlsFinding = { result: 'validation-failure', reason };
  return { use: 'skip', reason, lasting: false, policy: stsPolicy(domain, sts), finding };
}

function bySts(input: TlsInput): HostTls {
  const { sts, host, domain } = input;
  if (sts.status === 'failed') {
    const { type: result, reason } = sts.failure;
    return { ...openly(host), policy: stsPolicy(domain, sts), finding: { result, reason } };
  }
  if (sts.status !== 'policy' || sts.policy.mode === 'none')
    return { ...openly(host), policy: noTlsPolicy(domain) };
  const policy = stsPolicy(domain, sts);
  const skipped = unnamed(input);
  if (skipped !== undefined) return skipped;
  if (sts.policy.mode === 'enforce') return { ...byPkix(host, 'MTA-STS (enforce)'), policy };
  const testing = { ...openly(host), by: 'MTA-STS (testing)', policy };
  if (stsNames(sts.policy, host.name)) return testing;
  // `testing` reports, and delivers as if there were no policy.
  const reason = `the MTA-STS policy of ${domain} does not name ${host.name}`;
  return { ...testing, finding: { result: 'validation-failure', reason } };
}

/**
 * RFC 8689 section 4.2.1: a host found by DNSSEC or named by an MTA-STS policy, with a valid certificate. Without DANE;
 * with it, that has decided.
 */
function byRequireTls(input: TlsInput): HostTls {
  const skipped = unnamed(input);
  if (skipped !== undefined) return skipped;
  const { sts, host, domain, mxSecure } = input;
  const named = sts.status === 'policy' && sts.policy.mode !== 'none' && stsNames(sts.policy, host.name);
  // What goes wrong without a policy of the domain is no fault of the domain: its reports do not hear of it.
  const policy = named ? stsPolicy(domain, sts) : undefined;
  if (mxSecure || named) return { ...byPkix(host, 'REQUIRETLS'), tag: 'requiretls', policy };
  if (sts.status === 'unknown' || sts.status === 'failed') {
    const why = sts.status === 'unknown' ? sts.reason : sts.failure.reason;
    return {
      use: 'skip',
      reason: `the MTA-STS policy of ${domain} cannot be had: ${why}`,
      lasting: false,
      policy,
    };
  }
  const reason = `neither DNSSEC nor MTA-STS says that ${host.name} takes mail for ${domain}, as REQUIRETLS asks`;
  return { use: 'skip', reason, lasting: true, policy };
}
