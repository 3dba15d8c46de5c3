import type { StsMode } from '../../mail/mta-sts/policy.ts';

/** How TLS must be spoken with a host that does not bear the usual form of it. */
export type TlsQuirkKind =
  /** A small first message: classical key exchange only, no session tickets. */
  | 'small-hello'
  /** The same, and TLS 1.2 at most. */
  | 'tls1.2'
  /** Its TLS is broken: mail goes in clear where no policy asks for TLS. */
  | 'plain';

/** What is remembered of one host. Times in milliseconds since the epoch. */
export interface TlsQuirk {
  readonly host: string;
  readonly quirk: TlsQuirkKind;
  /** What went wrong with the usual form. */
  readonly reason: string;
  readonly firstAt: number;
  readonly lastAt: number;
  /** From when the usual form is tried again. */
  readonly until: number;
  /** How often it was found. */
  readonly seen: number;
}

/** A fetch that failed: the words of RFC 8460 section 4.3.2.2, and plain ones. */
export interface StsFailure {
  readonly type: 'sts-policy-fetch-error' | 'sts-policy-invalid' | 'sts-webpki-invalid';
  readonly reason: string;
}

/** What is kept of a domain's MTA-STS. Times in milliseconds since the epoch. */
export interface StsEntry {
  readonly domain: string;
  /** The policy file as it was fetched, and the id of the record it came with; undefined: none is known. */
  readonly policy:
    | {
        readonly file: Buffer;
        readonly recordId: string;
        readonly mode: StsMode;
        readonly fetchedAt: number;
        readonly expiresAt: number;
      }
    | undefined;
  readonly usedAt: number;
  /** The last fetch since then that failed, and for which id. */
  readonly failed: (StsFailure & { readonly at: number; readonly recordId: string }) | undefined;
}

export const TRANSPORT_SECURITY_KEPT = {
  /** Policies and quirks that are kept at most, those used last. */
  policies: 50_000,
  quirks: 20_000,
  /** Milliseconds a domain that is not written to keeps its policy fresh (after that it may run out). */
  unusedMs: 30 * 86_400_000,
  /** Milliseconds after which a quirk that was not seen again is forgotten. */
  quirkMs: 60 * 86_400_000,
} as const;
