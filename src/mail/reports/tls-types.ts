/** RFC 8460 section 4.4. */
export type TlsPolicyType = 'no-policy-found' | 'sts' | 'tlsa';

/** RFC 8460 section 4.3. */
export const tlsResultTypes = [
  'starttls-not-supported',
  'certificate-host-mismatch',
  'certificate-expired',
  'certificate-not-trusted',
  'validation-failure',
  'tlsa-invalid',
  'dnssec-invalid',
  'dane-required',
  'sts-policy-fetch-error',
  'sts-policy-invalid',
  'sts-webpki-invalid',
] as const;
export type TlsResultType = (typeof tlsResultTypes)[number];

/** What a sender went by when it sent to a domain. */
export interface TlsPolicy {
  readonly type: TlsPolicyType;
  readonly domain: string;
  /** The MTA-STS policy by lines, or the TLSA records; empty without a policy. */
  readonly strings: readonly string[];
  /** Patterns of an MTA-STS policy. */
  readonly mxHosts: readonly string[];
}

export interface TlsFailure {
  /** One of `tlsResultTypes`; in reports of others any word. */
  readonly resultType: string;
  readonly sessions: number;
  readonly sendingIp?: string | undefined;
  readonly mxHost?: string | undefined;
  readonly mxHelo?: string | undefined;
  readonly receivingIp?: string | undefined;
  readonly information?: string | undefined;
  readonly reason?: string | undefined;
}

export interface TlsPolicyReport {
  readonly policy: TlsPolicy;
  /** Sessions. */
  readonly successes: number;
  readonly failures: number;
  readonly details: readonly TlsFailure[];
}

/** A TLS report (RFC 8460). Times are milliseconds since the epoch. */
export interface TlsReport {
  readonly organisation: string;
  readonly contact: string;
  readonly reportId: string;
  readonly beginMs: number;
  readonly endMs: number;
  readonly policies: readonly TlsPolicyReport[];
}
