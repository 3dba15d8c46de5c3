/** What is kept of reports. Times are milliseconds since the epoch, days are counted since the epoch, in UTC. */

export type AggregateKind = 'dmarc' | 'tls';

/** Messages or sessions alike that were seen; `data` is JSON of what makes them alike. */
export interface ObservedRow {
  readonly day: number;
  /** The policy domain. */
  readonly domain: string;
  /** Hash of `data`; `POLICY_ROW` for the row that holds the policy itself. */
  readonly key: string;
  readonly count: number;
  readonly data: string;
}

/** The row of a domain and day that holds the policy that was seen last. */
export const POLICY_ROW = 'policy';

export interface ReceivedReport {
  readonly kind: AggregateKind;
  readonly domain: string;
  readonly organisation: string;
  readonly reportId: string;
  readonly beginAt: number;
  readonly endAt: number;
  /** It came from who it says it is from (DMARC or an aligned DKIM signature passed). */
  readonly genuine: boolean;
  /** JSON: the policy and who sent the report. */
  readonly policy: string;
}

export interface DmarcReceivedRow {
  readonly ip: string;
  readonly count: number;
  readonly disposition: string;
  readonly dkimAligned: boolean;
  readonly spfAligned: boolean;
  readonly headerFrom: string;
  /** JSON: envelope, results, reasons. */
  readonly data: string;
}

export interface TlsReceivedRow {
  readonly policyType: string;
  readonly policyDomain: string;
  readonly successes: number;
  readonly failures: number;
  /** JSON: the policy's strings and what failed. */
  readonly data: string;
}

export interface NewComplaint {
  /** When the complaint arrived here: with the rest it tells one from another. */
  readonly at: number;
  /** Who sent the mail it is about, where that is known. */
  readonly accountId: number | undefined;
  readonly feedbackType: string;
  readonly reporter: string;
  readonly recipient: string;
  readonly messageId: string;
  readonly sourceIp: string;
  readonly data: string;
}

export interface Complaint extends NewComplaint {
  readonly id: number;
  /** Address of the account. */
  readonly account: string | undefined;
}

export type SentOutcome = 'sent' | 'none' | 'failed';

export interface SentReport {
  readonly kind: AggregateKind;
  readonly day: number;
  readonly domain: string;
  readonly reportId: string;
  readonly outcome: SentOutcome;
  /** To whom, or why not: one clause. */
  readonly detail: string;
  readonly at: number;
}

/** What others said of one source of mail in the name of a domain. */
export interface DmarcSource {
  readonly domain: string;
  readonly ip: string;
  readonly messages: number;
  /** DKIM or SPF aligned. */
  readonly passed: number;
  readonly dkim: number;
  readonly spf: number;
  /** Put into Junk or refused because of the policy. */
  readonly blocked: number;
  readonly lastAt: number;
  /** `data` of one row that failed, else of one that passed. */
  readonly sample: string;
}

export interface DmarcTotal {
  readonly domain: string;
  readonly reports: number;
  readonly unproven: number;
  readonly messages: number;
  readonly passed: number;
  readonly lastAt: number;
}

export interface TlsTotal {
  readonly domain: string;
  readonly policyType: string;
  readonly successes: number;
  readonly failures: number;
  readonly reporters: number;
  readonly lastAt: number;
}

/** A row of a report of others in which sessions failed. */
export interface TlsFailing {
  readonly domain: string;
  readonly organisation: string;
  readonly endAt: number;
  readonly failures: number;
  readonly data: string;
}
