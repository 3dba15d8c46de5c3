import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { DmarcReceivedRow, ReceivedReport, TlsReceivedRow } from '../../data/reports/types.ts';
import type { Store } from '../../data/store.ts';
import { createDecoder } from '../../mail/message/decode.ts';
import type { DmarcRecord, DmarcReport } from '../../mail/reports/dmarc-types.ts';
import type { PartRange } from '../../mail/reports/find-report.ts';
import { ReportProblem, reportLimits } from '../../mail/reports/problem.ts';
import type { TlsPolicyReport, TlsReport } from '../../mail/reports/tls-types.ts';
import type { RecognisedReport } from '../report-hooks.ts';
import { type AddressParts, isOurDomain, isReportAddress } from './addresses.ts';
import { takeBounce } from './bounce.ts';
import { takeComplaint } from './complaint.ts';
import { readPacked } from './read-report.ts';
import { type Reporter, reporterName } from './reporter.ts';

/** Rows in one write. */
const BATCH = 200;
/** Encoded octets for each decoded one, line ends and some noise included. */
const ENCODED_RATIO = 1.5;
/** Characters of a row's JSON. */
const DATA_CHARS = 16_384;
/** Failures of one policy that are kept; they stand in the report the most frequent first, mostly. */
const DETAILS_MAX = 50;

export interface TakeParts extends AddressParts {
  readonly store: Pick<Store, 'read' | 'write' | 'blobs'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Days that an address a bounce came from is not written to; default 30. */
  readonly bounceDays?: (() => number) | undefined;
}

export interface Taking {
  readonly report: RecognisedReport;
  readonly recipients: readonly string[];
  readonly receivedAt: number;
  readonly reporter: Reporter;
  readonly blobId: number;
}

/** What became of a message that looks like a report. `counted`: read, and nothing of it kept (failure reports). */
export type Taken = 'stored' | 'duplicate' | 'counted' | 'not-addressed' | 'not-ours';

/**
 * Read a stored message as a report, and keep what it says: once, however often it is read. Throws ReportProblem for
 * what cannot be read, Refusal for a store that takes nothing.
 */
export async function takeReport(parts: TakeParts, taking: Taking): Promise<Taken> {
  const { found, hint } = taking.report;
  if (found.kind === 'arf') return takeComplaint(parts, taking, found);
  if (found.kind === 'dsn') return takeBounce(parts, taking);
  if (!(await isReportAddress(parts, found.kind, taking.recipients, hint))) return 'not-addressed';
  const packed = await partOctets(parts, taking.blobId, found.part, reportLimits.packedBytes);
  const read = await readPacked(found.kind, packed, parts.clock);
  return read.kind === 'dmarc' ? takeDmarc(parts, taking, read.report) : takeTls(parts, taking, read.report);
}

/** The decoded octets of a part. Throws ReportProblem 'too-large'. */
export async function partOctets(
  { store }: Pick<TakeParts, 'store'>,
  blobId: number,
  { start, end, encoding }: PartRange,
  max: number,
): Promise<Buffer> {
  if (end - start > max * ENCODED_RATIO)
    throw new ReportProblem('too-large', `the attachment has ${end - start} octets`);
  const decoder = createDecoder(encoding);
  const pieces: Buffer[] = [];
  for await (const piece of store.blobs.read(blobId, start, end))
    pieces.push(Buffer.from(decoder.push(piece)));
  pieces.push(decoder.end());
  return Buffer.concat(pieces);
}

async function takeDmarc(parts: TakeParts, taking: Taking, report: DmarcReport): Promise<Taken> {
  const { policy, errors, contact, email, records, damaged } = report;
  if (!(await isOurDomain(parts, policy.domain))) return 'not-ours';
  const more = { email, ...(contact !== undefined && { contact }), errors, damaged };
  const received = receivedOf(taking.reporter, 'dmarc', policy.domain, report, { ...policy, ...more });
  return keep(parts, received, { dmarc: records.map(dmarcRow), tls: [] });
}

async function takeTls(parts: TakeParts, taking: Taking, report: TlsReport): Promise<Taken> {
  const ours: TlsPolicyReport[] = [];
  for (const one of report.policies) if (await isOurDomain(parts, one.policy.domain)) ours.push(one);
  const domain = ours[0]?.policy.domain;
  if (domain === undefined) return 'not-ours';
  const received = receivedOf(taking.reporter, 'tls', domain, report, { email: report.contact });
  return keep(parts, received, { dmarc: [], tls: ours.map(tlsRow) });
}

function receivedOf(
  reporter: Reporter,
  kind: 'dmarc' | 'tls',
  domain: string,
  report: Pick<DmarcReport, 'organisation' | 'reportId' | 'beginMs' | 'endMs'>,
  more: object,
): ReceivedReport {
  const { organisation, reportId, beginMs: beginAt, endMs: endAt } = report;
  return {
    kind,
    domain,
    organisation: reporterName(organisation, reporter),
    reportId,
    beginAt,
    endAt,
    genuine: reporter.genuine,
    policy: JSON.stringify({ ...more, from: reporter.domain }).slice(0, DATA_CHARS),
  };
}

async function keep(
  { store, logger }: TakeParts,
  report: ReceivedReport,
  rows: { readonly dmarc: readonly DmarcReceivedRow[]; readonly tls: readonly TlsReceivedRow[] },
): Promise<Taken> {
  const { id, status } = await store.write.run('reports.receive', {
    report,
    dmarc: rows.dmarc.slice(0, BATCH),
    tls: rows.tls.slice(0, BATCH),
  });
  const { kind, domain, organisation, reportId, genuine } = report;
  // 0: a forged twin of a report that is there.
  if (id === 0) return 'duplicate';
  const count = Math.max(rows.dmarc.length, rows.tls.length);
  for (let from = BATCH; from < count; from += BATCH) {
    const [dmarc, tls] = [rows.dmarc.slice(from, from + BATCH), rows.tls.slice(from, from + BATCH)];
    await store.write.run('reports.receiveRows', { id, from, dmarc, tls });
  }
  if (status === 'known') return 'duplicate';
  logger.info({ kind, domain, organisation, reportId, genuine, rows: count }, 'reports: received');
  return 'stored';
}

function dmarcRow(record: DmarcRecord): DmarcReceivedRow {
  const { sourceIp, count, disposition, dkim, spf, headerFrom, ...more } = record;
  const data = JSON.stringify(more);
  return {
    ip: sourceIp,
    count,
    disposition,
    dkimAligned: dkim === 'pass',
    spfAligned: spf === 'pass',
    headerFrom,
    data: data.length <= DATA_CHARS ? data : '{}',
  };
}

function tlsRow({ policy, successes, failures, details }: TlsPolicyReport): TlsReceivedRow {
  const worst = details.toSorted((a, b) => b.sessions - a.sessions).slice(0, DETAILS_MAX);
  const data = JSON.stringify({ strings: policy.strings, mxHosts: policy.mxHosts, details: worst });
  return {
    policyType: policy.type,
    policyDomain: policy.domain,
    successes,
    failures,
    data: data.length <= 2 * DATA_CHARS ? data : JSON.stringify({ details: worst.slice(0, 5) }),
  };
}
