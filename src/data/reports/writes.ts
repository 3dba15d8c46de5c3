import type { WriteFunction } from '../catalogue.ts';
import type { WriteTx } from '../db/sql.ts';
import { record } from '../journal/record.ts';
import type { JournalEvent } from '../journal/types.ts';
import { send } from '../queue/settle.ts';
import type { NewOutgoing } from '../queue/types.ts';
import {
  deleteDmarcRows,
  deleteReceived,
  deleteTlsRows,
  dmarcObserved,
  findReceived,
  insertComplaint,
  insertDmarcRow,
  insertReceived,
  insertSent,
  insertTlsRow,
  pruneComplaints,
  pruneSent,
  receivedBefore,
  replaceReceived,
  sameComplaint,
  tlsObserved,
} from './reports.sql.ts';
import {
  type AggregateKind,
  type DmarcReceivedRow,
  type NewComplaint,
  type ObservedRow,
  POLICY_ROW,
  type ReceivedReport,
  type SentOutcome,
  type TlsReceivedRow,
} from './types.ts';

type W<A, R> = WriteFunction<A, R>;

/** Rows of one domain and day: a flood of forged mail must not fill the disk. */
export const ROWS_PER_DOMAIN = 10_000;

interface Observations {
  readonly dmarc: readonly ObservedRow[];
  readonly tls: readonly ObservedRow[];
}

/** Rows of domains that have too many already are left out; returns how many. */
async function observe(tx: WriteTx, { dmarc, tls }: Observations): Promise<{ dropped: number }> {
  const dropped = (await observeAll(tx, dmarcObserved, dmarc)) + (await observeAll(tx, tlsObserved, tls));
  return { dropped };
}

async function observeAll(
  tx: WriteTx,
  table: typeof dmarcObserved,
  rows: readonly ObservedRow[],
): Promise<number> {
  const sorted = rows.toSorted((a, b) => (place(a) < place(b) ? -1 : 1)); // the order of locks under PostgreSQL
  const room = new Map<string, number>();
  let dropped = 0;
  for (const { day, domain, key, count, data } of sorted) {
    const id = `${day} ${domain}`;
    const left = room.get(id) ?? ROWS_PER_DOMAIN - ((await tx.get(table.rows, day, domain))?.rows ?? 0);
    room.set(id, left - 1);
    if (left > 0 || key === POLICY_ROW) await tx.run(table.add, day, domain, key, count, data);
    else if ((await tx.run(table.count, count, day, domain, key)) === 0) dropped++;
  }
  return dropped;
}

function place({ day, domain, key }: ObservedRow): string {
  return `${day} ${domain} ${key}`;
}

export interface SendReport {
  readonly kind: AggregateKind;
  readonly day: number;
  readonly domain: string;
  readonly reportId: string;
  readonly outcome: SentOutcome;
  readonly detail: string;
  /** The message, when there is one. */
  readonly outgoing: NewOutgoing | null;
  readonly events: readonly JournalEvent[];
}

/** The note that a report went out and the report itself, in one commit: so never twice, and never only noted. */
async function sendReport(tx: WriteTx, args: SendReport): Promise<{ first: boolean }> {
  const { kind, day, domain, reportId, outcome, detail } = args;
  const noted = await tx.run(insertSent, kind, day, domain, reportId, outcome, detail.slice(0, 1000), tx.now);
  if (noted === 0) return { first: false };
  if (args.outgoing !== null) await send(tx, args.outgoing);
  await record(tx, args.events);
  return { first: true };
}

export interface ReceiveReport {
  readonly report: ReceivedReport;
  /** The first rows; the rest follows by 'reports.receiveRows'. */
  readonly dmarc: readonly DmarcReceivedRow[];
  readonly tls: readonly TlsReceivedRow[];
}

/**
 * Keep a report of others, once: a second one with its id changes nothing ('known'), unless the first was not proven
 * and this one is, which then takes its place. Reading a report again after a crash adds what is missing of its rows.
 */
async function receive(
  tx: WriteTx,
  { report, dmarc, tls }: ReceiveReport,
): Promise<{ id: number; status: 'new' | 'replaced' | 'known' }> {
  const { kind, domain, organisation, reportId, beginAt, endAt, genuine, policy } = report;
  const made = await tx.get(
    insertReceived,
    kind,
    domain,
    organisation,
    reportId,
    beginAt,
    endAt,
    tx.now,
    Number(genuine),
    policy,
  );
  let id = made?.id;
  let status: 'new' | 'replaced' | 'known' = 'new';
  if (id === undefined) {
    const before = await tx.get(findReceived, kind, domain, organisation, reportId);
    if (before === undefined) throw new Error('a report is there and cannot be found');
    id = before.id;
    if (genuine === (before.genuine === 1)) status = 'known';
    else if (!genuine)
      return { id: 0, status: 'known' }; // a forged twin adds nothing
    else {
      status = 'replaced';
      await tx.run(deleteDmarcRows, id);
      await tx.run(deleteTlsRows, id);
      await tx.run(replaceReceived, beginAt, endAt, tx.now, policy, id);
    }
  }
  await addRows(tx, { id, from: 0, dmarc, tls });
  return { id, status };
}

interface AddRows {
  readonly id: number;
  /** Number of the first of these rows. */
  readonly from: number;
  readonly dmarc: readonly DmarcReceivedRow[];
  readonly tls: readonly TlsReceivedRow[];
}

async function addRows(tx: WriteTx, { id, from, dmarc, tls }: AddRows): Promise<null> {
  let no = from;
  for (const { ip, count, disposition, dkimAligned, spfAligned, headerFrom, data } of dmarc) {
    const [dkim, spf] = [Number(dkimAligned), Number(spfAligned)];
    await tx.run(insertDmarcRow, id, no++, ip, count, disposition, dkim, spf, headerFrom, data);
  }
  for (const { policyType, policyDomain, successes, failures, data } of tls)
    await tx.run(insertTlsRow, id, no++, policyType, policyDomain, successes, failures, data);
  return null;
}

/** One that was kept already (the same in all, arrived at the same time) is not kept again. */
async function complain(tx: WriteTx, complaint: NewComplaint): Promise<{ first: boolean }> {
  const { at, accountId, feedbackType, reporter, recipient, messageId, sourceIp, data } = complaint;
  const known = await tx.get(sameComplaint, at, feedbackType, reporter, recipient, messageId);
  if (known !== undefined) return { first: false };
  await tx.run(
    insertComplaint,
    at,
    accountId ?? null,
    feedbackType,
    reporter,
    recipient,
    messageId,
    sourceIp,
    data,
  );
  return { first: true };
}

interface Prune {
  /** Days: what was observed, and what was sent, before them goes. */
  readonly observedBefore: number;
  readonly sentBefore: number;
  /** Milliseconds: reports about the time before it, and complaints that came before it, go. */
  readonly receivedBefore: number;
  /** Rows of each table; ten times fewer received reports, which have many rows. */
  readonly limit: number;
}

async function prune(tx: WriteTx, args: Prune): Promise<{ more: boolean }> {
  const { observedBefore, sentBefore, limit } = args;
  const counts = [
    await tx.run(dmarcObserved.prune, observedBefore, limit),
    await tx.run(tlsObserved.prune, observedBefore, limit),
    await tx.run(pruneSent, sentBefore, limit),
    await tx.run(pruneComplaints, args.receivedBefore, limit),
  ];
  const few = Math.max(1, Math.floor(limit / 10));
  const old = await tx.all(receivedBefore, args.receivedBefore, few);
  for (const { id } of old) {
    await tx.run(deleteDmarcRows, id);
    await tx.run(deleteTlsRows, id);
    await tx.run(deleteReceived, id);
  }
  return { more: counts.some((count) => count >= limit) || old.length >= few };
}

export const writes = {
  /** Add what was seen to the rows of its day. */
  'reports.observe': observe as W<Observations, { dropped: number }>,
  /** Note that a report went out, or will not, and queue it. `first` is false, and nothing is done, when it was noted before. */
  'reports.send': sendReport as W<SendReport, { first: boolean }>,
  'reports.receive': receive as W<ReceiveReport, { id: number; status: 'new' | 'replaced' | 'known' }>,
  'reports.receiveRows': addRows as W<AddRows, null>,
  'reports.complain': complain as W<NewComplaint, { first: boolean }>,
  /** Forget what is old; `more` says that there is more of it. */
  'reports.prune': prune as W<Prune, { more: boolean }>,
} as const;
