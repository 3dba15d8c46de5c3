import { randomBytes } from 'node:crypto';
import { timeId } from '../../base/ids.ts';
import type { JournalEvent } from '../../data/journal/types.ts';
import type { Enqueue, NewOutgoing } from '../../data/queue/types.ts';
import type { AggregateKind } from '../../data/reports/types.ts';
import { dmarcXml } from '../../mail/reports/dmarc-build.ts';
import type { DmarcPolicyPublished, DmarcRecord } from '../../mail/reports/dmarc-types.ts';
import { packText, reportMail } from '../../mail/reports/report-mail.ts';
import { tlsReportJson } from '../../mail/reports/tls-report.ts';
import type { TlsFailure, TlsPolicyReport } from '../../mail/reports/tls-types.ts';
import type { FlowDeps } from '../deps.ts';
import { inlineBlob } from '../intake.ts';
import { queuedEvent } from '../journal.ts';
import { hashed, signMessage } from '../outbound/sign.ts';
import { queueTimes } from '../outbound/enqueue.ts';
import type { DmarcObserved, TlsObserved } from './observation.ts';
import { DAY_MS, REPORT_SENDER } from './settings.ts';

/** Rows in one report; the store keeps no more of a domain and day either. */
const ROWS_MAX = 10_000;
const PAGE = 200;
/** Failures told of one policy. */
const FAILURES_MAX = 1000;
/** Octets of a report message above which nobody is asked to take it. */
const MAIL_BYTES_MAX = 10 * 1024 * 1024;

/** What one report is about and who writes it. */
export interface ReportTask {
  readonly kind: AggregateKind;
  readonly day: number;
  readonly domain: string;
  /** A domain of ours, which signs. */
  readonly sender: string;
  readonly generator: string;
}

/** The observed rows of a task, page by page. */
async function* observedRows<T>(deps: FlowDeps, task: ReportTask): AsyncGenerator<{ count: number; row: T }> {
  const { kind, day, domain } = task;
  let after = '';
  for (let seen = 0; seen < ROWS_MAX; ) {
    const page = await deps.store.read.run('reports.observedRows', { kind, day, domain, after, limit: PAGE });
    for (const { key, count, data } of page) {
      after = key;
      seen++;
      // Our own data; what cannot be read was written by another version.
      yield { count, row: JSON.parse(data) as T };
    }
    if (page.length < PAGE) return;
  }
}

/** The report packed, with how many messages or sessions it tells of; undefined when there is nothing to tell. */
async function packedReport(
  deps: FlowDeps,
  task: ReportTask,
  reportId: string,
): Promise<{ packed: Buffer; count: number } | undefined> {
  return task.kind === 'dmarc' ? packedDmarc(deps, task, reportId) : packedTls(deps, task, reportId);
}

async function packedDmarc(
  deps: FlowDeps,
  task: ReportTask,
  reportId: string,
): ReturnType<typeof packedReport> {
  const { day, domain, sender, generator } = task;
  const policy = await deps.store.read.run('reports.observedPolicy', { kind: 'dmarc', day, domain });
  const records: DmarcRecord[] = [];
  for await (const { count, row } of observedRows<DmarcObserved>(deps, task)) records.push({ ...row, count });
  if (policy === undefined || records.length === 0) return undefined;
  const head = {
    organisation: sender,
    email: `postmaster@${sender}`,
    reportId,
    ...period(day),
    errors: [],
    generator,
    policy: JSON.parse(policy) as DmarcPolicyPublished,
  };
  const count = records.reduce((sum, one) => sum + one.count, 0);
  return { packed: await packText(dmarcXml(head, records)), count };
}

async function packedTls(
  deps: FlowDeps,
  task: ReportTask,
  reportId: string,
): ReturnType<typeof packedReport> {
  const { day, sender } = task;
  const policies = new Map<string, { report: TlsPolicyReport; details: TlsFailure[] }>();
  let count = 0;
  for await (const { count: sessions, row } of observedRows<TlsObserved>(deps, task)) {
    count += sessions;
    const key = JSON.stringify(row.policy);
    const { report, details } = policies.get(key) ?? {
      report: { policy: row.policy, successes: 0, failures: 0, details: [] },
      details: [],
    };
    if (row.failure !== undefined && details.length < FAILURES_MAX)
      details.push({ ...row.failure, sessions });
    const [good, bad] = row.failure === undefined ? [sessions, 0] : [0, sessions];
    policies.set(key, {
      report: { ...report, successes: report.successes + good, failures: report.failures + bad },
      details,
    });
  }
  if (policies.size === 0) return undefined;
  const pieces = tlsReportJson({
    organisation: sender,
    contact: `postmaster@${sender}`,
    reportId,
    ...period(day),
    policies: [...policies.values()].map(({ report, details }) => ({ ...report, details })),
  });
  return { packed: await packText(pieces), count };
}

/** All of a day in UTC, to its last second. */
function period(day: number): { beginMs: number; endMs: number } {
  return { beginMs: day * DAY_MS, endMs: (day + 1) * DAY_MS - 1000 };
}

export interface Composed {
  readonly reportId: string;
  readonly outgoing: NewOutgoing;
  readonly event: JournalEvent;
  readonly to: readonly string[];
  readonly count: number;
}

/**
 * The report as a signed message for those of the addresses that take its size; undefined when there is nothing to tell,
 * 'too-large' when none takes it.
 */
export async function composeReport(
  deps: FlowDeps,
  task: ReportTask,
  to: readonly { readonly address: string; readonly maxBytes: number | undefined }[],
): Promise<Composed | 'too-large' | undefined> {
  const nowMs = deps.clock.now();
  const reportId = timeId(nowMs);
  const made = await packedReport(deps, task, reportId);
  if (made === undefined) return undefined;
  const { kind, domain, sender, day } = task;
  const from = `${REPORT_SENDER}@${sender}`;
  const mail = (addresses: readonly string[]): { bytes: Buffer; messageId: string } =>
    reportMail({
      kind,
      from: { name: `Reports of ${sender}`, address: from },
      to: addresses,
      domain,
      submitter: sender,
      reportId,
      ...period(day),
      nowMs,
      packed: made.packed,
      text: humanText(task, made.count),
      random: randomBytes,
    });
  // RFC 9990 3.5: the limit is on what is sent, after packing and encoding.
  const size = mail(to.map(({ address }) => address)).bytes.length;
  const taking = to.filter(({ maxBytes }) => size <= Math.min(maxBytes ?? MAIL_BYTES_MAX, MAIL_BYTES_MAX));
  const addresses = taking.map(({ address }) => address);
  if (addresses.length === 0) return 'too-large';
  const { bytes, messageId } = mail(addresses);
  const { header, bodyHash } = hashed(bytes);
  const { fields } = await signMessage(deps, [sender], header, bodyHash);
  const enqueue = enqueueOf(deps, from, addresses, { bytes, messageId, prefix: fields });
  const outgoing = { blob: inlineBlob(bytes), enqueue };
  return { reportId, outgoing, event: queuedEvent(enqueue, nowMs), to: addresses, count: made.count };
}

function enqueueOf(
  deps: FlowDeps,
  reversePath: string,
  to: readonly string[],
  mail: { readonly bytes: Buffer; readonly messageId: string; readonly prefix: Buffer },
): Enqueue {
  const id = timeId(deps.clock.now());
  return {
    queueId: id,
    trace: id,
    origin: 'report',
    accountId: undefined,
    reversePath,
    // A report that does not arrive is nobody's concern here.
    mayBounce: false,
    prefix: mail.prefix,
    hidden: [],
    ret: 'HDRS',
    envid: undefined,
    body: '7BIT',
    smtputf8: false,
    requireTls: false,
    originated: true,
    messageId: mail.messageId,
    size: mail.bytes.length + mail.prefix.length,
    ...queueTimes(deps),
    warnAt: undefined,
    holdReason: undefined,
    recipients: to.map((address) => ({
      address,
      destination: address.slice(address.lastIndexOf('@') + 1).toLowerCase(),
      orcpt: undefined,
      notify: 'NEVER',
    })),
  };
}

function humanText({ kind, domain, sender, day }: ReportTask, count: number): string {
  const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
  const what =
    kind === 'dmarc'
      ? `what ${sender} saw of mail in the name of ${domain}: ${count} message(s)`
      : `how ${sender} reached the mail hosts of ${domain} by TLS: ${count} session(s)`;
  const record = kind === 'dmarc' ? `_dmarc.${domain}` : `_smtp._tls.${domain}`;
  return (
    `This report tells ${what}\non ${date} (UTC). It is made for programs; the attachment holds it.\n\n` +
    `It was sent because the DNS record at ${record} asks for it.\n` +
    `Nobody reads answers to this message; write to postmaster@${sender} instead.\n`
  );
}
