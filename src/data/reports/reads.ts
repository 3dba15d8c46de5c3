import { long, point } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import { findingReads } from './findings.ts';
import {
  blobOfEmail,
  blobOfQueued,
  complaintsByAccount,
  dmarcObserved,
  dmarcSources,
  dmarcSums,
  dmarcTotals,
  firstAdministrator,
  listComplaints,
  listSent,
  mailSince,
  sentSince,
  tlsFailing,
  tlsObserved,
  tlsTotals,
} from './reports.sql.ts';
import type {
  AggregateKind,
  Complaint,
  DmarcSource,
  DmarcTotal,
  SentOutcome,
  SentReport,
  TlsFailing,
  TlsTotal,
} from './types.ts';

/** Domains, accounts and policies summed up at most. */
const GROUPS_MAX = 1000;

/** What a summary is about; without a domain all, `unproven`: also reports that anybody could have written. */
interface Wanted {
  readonly domain?: string;
  /** Reports about a time that ended after this (ms). */
  readonly since: number;
  readonly unproven: boolean;
  readonly limit: number;
}

function observed(kind: AggregateKind): typeof dmarcObserved {
  return kind === 'dmarc' ? dmarcObserved : tlsObserved;
}

async function totals(tx: ReadTx, { domain = '', since, unproven }: Wanted): Promise<DmarcTotal[]> {
  const reports = await tx.all(dmarcTotals, since, domain, domain, domain, GROUPS_MAX);
  const sums = await tx.all(dmarcSums, since, Number(!unproven), domain, domain, domain, GROUPS_MAX);
  const byDomain = new Map(sums.map((row) => [row.domain, row]));
  return reports.map((row) => ({
    domain: row.domain,
    reports: row.reports,
    unproven: row.unproven,
    messages: byDomain.get(row.domain)?.messages ?? 0,
    passed: byDomain.get(row.domain)?.passed ?? 0,
    lastAt: row.last_at,
  }));
}

async function dmarc(
  tx: ReadTx,
  wanted: Wanted,
): Promise<{ domains: DmarcTotal[]; sources: DmarcSource[]; more: boolean }> {
  const { domain = '', since, unproven, limit } = wanted;
  const rows = await tx.all(dmarcSources, since, Number(!unproven), domain, domain, domain, limit + 1);
  const sources = rows.slice(0, limit).map((row) => ({
    domain: row.domain,
    ip: row.ip,
    messages: row.messages,
    passed: row.passed,
    dkim: row.dkim,
    spf: row.spf,
    blocked: row.blocked,
    lastAt: row.last_at,
    sample: row.failing ?? row.passing ?? '{}',
  }));
  return { domains: await totals(tx, wanted), sources, more: rows.length > limit };
}

async function tls(tx: ReadTx, wanted: Wanted): Promise<{ policies: TlsTotal[]; failing: TlsFailing[] }> {
  const { domain = '', since, unproven, limit } = wanted;
  const genuine = Number(!unproven);
  const sums = await tx.all(tlsTotals, since, genuine, domain, domain, domain, GROUPS_MAX);
  const rows = await tx.all(tlsFailing, since, genuine, domain, domain, domain, limit);
  return {
    policies: sums.map((row) => ({
      domain: row.policy_domain,
      policyType: row.policy_type,
      successes: row.successes,
      failures: row.failures,
      reporters: row.reporters,
      lastAt: row.last_at,
    })),
    failing: rows.map((row) => ({
      domain: row.policy_domain,
      organisation: row.organisation,
      endAt: row.end_at,
      failures: row.failures,
      data: row.data,
    })),
  };
}

async function complaints(
  tx: ReadTx,
  { since, limit }: { since: number; limit: number },
): Promise<{ accounts: { account: string | undefined; complaints: number }[]; complaints: Complaint[] }> {
  const rows = await tx.all(listComplaints, since, limit);
  const accounts = await tx.all(complaintsByAccount, since, GROUPS_MAX);
  return {
    accounts: accounts.map((row) => ({ account: row.account ?? undefined, complaints: row.complaints })),
    complaints: rows.map((row) => ({
      id: row.id,
      at: row.at,
      accountId: row.account_id ?? undefined,
      account: row.account ?? undefined,
      feedbackType: row.feedback_type,
      reporter: row.reporter,
      recipient: row.recipient,
      messageId: row.message_id,
      sourceIp: row.source_ip,
      data: row.data,
    })),
  };
}

async function sent(
  tx: ReadTx,
  args: { since: number; domain?: string; all: boolean; limit: number },
): Promise<SentReport[]> {
  const { since, domain = '', all, limit } = args;
  const rows = await tx.all(listSent, since, domain, domain, Number(all), limit);
  return rows.map((row) => ({
    kind: row.kind as AggregateKind,
    day: row.day,
    domain: row.domain,
    reportId: row.report_id,
    outcome: row.outcome as SentOutcome,
    detail: row.detail,
    at: row.at,
  }));
}

export const reads = {
  ...findingReads,
  /** Domains of a day that no report was made for yet, by name, those after `after`. */
  'reports.unreported': long(
    async (
      tx: ReadTx,
      { kind, day, after, limit }: { kind: AggregateKind; day: number; after: string; limit: number },
    ): Promise<string[]> => {
      const rows = await tx.all(observed(kind).unreported, kind, day, after, limit);
      return rows.map(({ domain }) => domain);
    },
  ),
  /** The policy that was seen last of a domain on a day, as JSON. */
  'reports.observedPolicy': point(
    async (
      tx: ReadTx,
      { kind, day, domain }: { kind: AggregateKind; day: number; domain: string },
    ): Promise<string | undefined> => (await tx.get(observed(kind).policy, day, domain))?.data,
  ),
  /** Rows of a domain and day in the order of their keys, those after `after`. */
  'reports.observedRows': long(
    async (
      tx: ReadTx,
      args: { kind: AggregateKind; day: number; domain: string; after: string; limit: number },
    ): Promise<{ key: string; count: number; data: string }[]> => {
      const { kind, day, domain, after, limit } = args;
      const rows = await tx.all(observed(kind).page, day, domain, after, limit);
      return rows.map(({ row_key: key, count, data }) => ({ key, count, data }));
    },
  ),
  /** Reports that went out since a time (ms). */
  'reports.sentCount': point(
    async (tx: ReadTx, { kind, since }: { kind: AggregateKind; since: number }): Promise<number> =>
      (await tx.get(sentSince, kind, 'sent', since))?.count ?? 0,
  ),
  /** Newest first; with `all` also domains that want none. */
  'reports.sent': long(sent),
  /** Sources by how much of theirs failed. */
  'reports.dmarc': long(dmarc),
  'reports.tls': long(tls),
  'reports.complaints': long(complaints),
  /** Address of the account that was made an administrator's first. */
  'reports.firstAdministrator': long(
    async (tx: ReadTx, _args: null): Promise<string | undefined> =>
      (await tx.get(firstAdministrator))?.address,
  ),
  /** Id of the octets of an email or of a queued message that is still there. */
  'reports.blobOf': point(
    async (
      tx: ReadTx,
      of: { readonly emailId: number } | { readonly queueId: string },
    ): Promise<number | undefined> => {
      const row =
        'emailId' in of ? await tx.get(blobOfEmail, of.emailId) : await tx.get(blobOfQueued, of.queueId);
      return row?.blob_id;
    },
  ),
  /** Mail of an account that came since a time, oldest first, after an id. */
  'reports.mailSince': long(
    async (
      tx: ReadTx,
      args: { accountId: number; after: number; since: number; limit: number },
    ): Promise<
      { id: number; blobId: number; receivedAt: number; prefix: Uint8Array; structure: string }[]
    > => {
      const rows = await tx.all(mailSince, args.accountId, args.after, args.since, args.limit);
      return rows.map((row) => ({
        id: row.id,
        blobId: row.blob_id,
        receivedAt: row.received_at,
        prefix: row.prefix,
        structure: row.structure,
      }));
    },
  ),
} as const;
