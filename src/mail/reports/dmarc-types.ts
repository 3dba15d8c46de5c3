export type DmarcAction = 'none' | 'quarantine' | 'reject';
/** What was done; 'pass' for mail that DMARC let through under an enforcing policy (RFC 9990). */
export type DmarcDisposition = DmarcAction | 'pass';

export interface DmarcPolicyPublished {
  /** Where the policy record stands. */
  readonly domain: string;
  readonly p: DmarcAction;
  readonly sp?: DmarcAction | undefined;
  readonly np?: DmarcAction | undefined;
  readonly adkim?: 'r' | 's' | undefined;
  readonly aspf?: 'r' | 's' | undefined;
  readonly fo?: string | undefined;
  /** The tag t=. */
  readonly testing?: 'y' | 'n' | undefined;
  readonly discovery?: 'treewalk' | 'psl' | undefined;
  /** RFC 7489 only. */
  readonly pct?: number | undefined;
}

export interface DmarcReason {
  /** One of RFC 9990 3.1.6, or of RFC 7489 ("forwarded", "sampled_out"). */
  readonly type: string;
  readonly comment?: string | undefined;
}

export interface DkimAuthResult {
  readonly domain: string;
  readonly selector: string;
  readonly result: string;
  readonly human?: string | undefined;
}

export interface SpfAuthResult {
  readonly domain: string;
  readonly scope?: 'mfrom' | 'helo' | undefined;
  readonly result: string;
  readonly human?: string | undefined;
}

/** Messages alike: from one address, with the same results. */
export interface DmarcRecord {
  readonly sourceIp: string;
  readonly count: number;
  readonly disposition: DmarcDisposition;
  /** Aligned results. */
  readonly dkim: 'pass' | 'fail';
  readonly spf: 'pass' | 'fail';
  readonly reasons: readonly DmarcReason[];
  readonly headerFrom: string;
  /** '' for the null reverse-path. */
  readonly envelopeFrom?: string | undefined;
  readonly envelopeTo?: string | undefined;
  readonly dkimResults: readonly DkimAuthResult[];
  readonly spfResults: readonly SpfAuthResult[];
}

/** A DMARC aggregate report (RFC 9990, or RFC 7489 before it). Times are milliseconds since the epoch. */
export interface DmarcReportHead {
  readonly organisation: string;
  readonly email: string;
  readonly contact?: string | undefined;
  readonly reportId: string;
  readonly beginMs: number;
  readonly endMs: number;
  readonly errors: readonly string[];
  readonly generator?: string | undefined;
  readonly policy: DmarcPolicyPublished;
}

export interface DmarcReport extends DmarcReportHead {
  readonly records: readonly DmarcRecord[];
  /** Records that had no count or no address and were left out. */
  readonly damaged: number;
}
