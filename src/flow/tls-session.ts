import type { TlsPolicy, TlsResultType } from '../mail/reports/tls-types.ts';
import type { ConnectOutcome } from '../net/smtp-client/connect.ts';

/** The policy of a domain that publishes neither DANE nor MTA-STS records. */
export function noTlsPolicy(domain: string): TlsPolicy {
  return { type: 'no-policy-found', domain, strings: [], mxHosts: [] };
}

/** Errors of Node and OpenSSL by the words of RFC 8460 section 4.3. */
const CERTIFICATE_ERRORS: readonly (readonly [pattern: RegExp, result: TlsResultType])[] = [
  [/CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|(?:is|has|certificate) expired/i, 'certificate-expired'],
  [/ALTNAME_INVALID|HOSTNAME_MISMATCH|does not match|does not name/i, 'certificate-host-mismatch'],
  [
    /SELF_SIGNED|UNABLE_TO_GET_ISSUER|UNABLE_TO_VERIFY|CERT_UNTRUSTED|CERT_REVOKED/i,
    'certificate-not-trusted',
  ],
];

export interface TlsOutcome {
  readonly result: 'success' | TlsResultType;
  readonly receivingIp: string;
  readonly reason?: string;
  readonly sendingIp?: string;
  readonly mxHelo?: string;
}

/**
 * How the first attempt to open a session went by TLS, for the domain's report; undefined when it failed for another
 * reason. Not for the second attempt in clear: RFC 8460 section 4.2 counts a session once. Without a policy any TLS is a
 * success; under one the certificate has to be right.
 */
export function tlsOutcomeOf(outcome: ConnectOutcome, policy: TlsPolicy): TlsOutcome | undefined {
  if (outcome.status === 'failed') {
    const { failure, address } = outcome;
    if (failure.phase !== 'tls') return undefined;
    const missing = failure.tls === 'not-offered' || /STARTTLS/.test(failure.reason);
    return {
      result: missing ? 'starttls-not-supported' : certificateResult(failure.reason),
      receivingIp: address,
      reason: failure.reason.slice(0, 200),
    };
  }
  const { tls, remoteAddress: receivingIp, localAddress: sendingIp, greeting } = outcome.client;
  const mxHelo = /^[A-Za-z0-9][A-Za-z0-9.-]{0,252}/.exec(greeting.lines[0] ?? '')?.[0];
  const session = { receivingIp, sendingIp, ...(mxHelo !== undefined && { mxHelo }) };
  if (tls === undefined) return { result: 'starttls-not-supported', ...session };
  const good = policy.type === 'no-policy-found' || tls.authorized || tls.verified;
  if (good) return { result: 'success', ...session };
  const reason = tls.authorizationError ?? '';
  return { result: certificateResult(reason), ...session, reason };
}

function certificateResult(reason: string): TlsResultType {
  return CERTIFICATE_ERRORS.find(([pattern]) => pattern.test(reason))?.[1] ?? 'validation-failure';
}
