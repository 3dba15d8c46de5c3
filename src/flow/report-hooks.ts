import type { DkimResult } from '../mail/dkim/verify.ts';
import type { DmarcResult } from '../mail/dmarc/check.ts';
import type { MessageStructure } from '../mail/message/structure.ts';
import type { DmarcReason } from '../mail/reports/dmarc-types.ts';
import type { FoundReport } from '../mail/reports/find-report.ts';
import type { TlsPolicy, TlsResultType } from '../mail/reports/tls-types.ts';
import type { SpfResult } from '../mail/spf/check.ts';

/**
 * Where the flow tells the reports what it sees (flow/reports holds what is behind it). All of it is cheap, returns at
 * once and never throws: what becomes of a message never depends on a report.
 */
export interface ReportHooks {
  /** A message from another host was judged, whether it was taken or refused. Goes into the daily report of its domain. */
  observeDmarc(evidence: ReportEvidence, applied: AppliedPolicy): void;
  /** An SMTP session with an MX host began, or could not because of TLS. Goes into the daily report of that domain. */
  observeTls(session: TlsSession): void;
  /** Before the commit, for every message: is this a report for us? A few microseconds. */
  recognise(structure: MessageStructure, header: Buffer): RecognisedReport | undefined;
  /** After the commit, for what `recognise` found: read in the background. */
  take(report: RecognisedReport, arrived: ArrivedReport): void;
  /** RCPT: whether this is an address our reports are sent from, at which mail is taken and thrown away. */
  discards(localPart: string): boolean;
}

/** What `Evidence` (flow/inbound/authenticate.ts) has of this. */
export interface ReportEvidence {
  readonly state: 'checked' | 'unchecked';
  readonly ip: string;
  readonly reversePath: string;
  readonly spf: SpfResult;
  readonly dkim: readonly DkimResult[];
  readonly dmarc: DmarcResult;
}

export interface AppliedPolicy {
  /** What was done because of DMARC: `none` also for mail that went to Junk for other reasons. */
  readonly disposition: 'none' | 'quarantine' | 'reject';
  /** Why it is not what the domain asks for, when it is not: `trusted_forwarder`, `mailing_list`, `local_policy`. */
  readonly reason?: DmarcReason;
}

/** How a session with an MX host went, by TLS. A failed connection is none. */
export interface TlsSession {
  /** Domain of the recipients. */
  readonly domain: string;
  /** What we went by; `noTlsPolicy(domain)` without DANE or MTA-STS. */
  readonly policy: TlsPolicy;
  readonly result: 'success' | TlsResultType;
  readonly mxHost: string;
  readonly receivingIp: string;
  /** Name in its greeting. */
  readonly mxHelo?: string;
  readonly sendingIp?: string;
  /** "CERT_HAS_EXPIRED" and the like. */
  readonly reason?: string;
}

/** What is needed of a report once its message is stored; small, and holds none of its octets. */
export interface RecognisedReport {
  readonly found: FoundReport;
  /** Domain that its name says it is about. */
  readonly hint: string | undefined;
}

export interface ArrivedReport {
  /** Recipients of the envelope. */
  readonly recipients: readonly string[];
  /** Milliseconds since the epoch, the same each time the message is looked at. */
  readonly receivedAt: number;
  readonly evidence: ReportEvidence | undefined;
  /** Where its octets are: an email that was deposited, or a queued message. */
  readonly stored: { readonly emailId: number } | { readonly queueId: string };
}

/** For where nothing is reported: tests, the try-out. */
export const noReports: ReportHooks = {
  observeDmarc() {},
  observeTls() {},
  recognise: () => undefined,
  take() {},
  discards: () => false,
};
