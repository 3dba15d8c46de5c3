import { statement } from '../db/sql.ts';
import { POLICY_ROW } from './types.ts';

/** What we saw of others, until it is reported. */

type Observed = [day: number, domain: string, key: string, count: number, data: string];

function observe(table: 'dmarc_observed' | 'tls_observed') {
  return {
    add: statement<Observed>(
      `INSERT INTO ${table} (day, domain, row_key, count, data) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (day, domain, row_key) DO UPDATE SET count = ${table}.count + excluded.count, data = excluded.data`,
    ),
    /** For a domain that has its full number of rows: those it has still count. */
    count: statement<[count: number, day: number, domain: string, key: string]>(
      `UPDATE ${table} SET count = count + ? WHERE day = ? AND domain = ? AND row_key = ?`,
    ),
    rows: statement<[day: number, domain: string], { rows: number }>(
      `SELECT COUNT(*) AS rows FROM ${table} WHERE day = ? AND domain = ?`,
    ),
    page: statement<
      [day: number, domain: string, after: string, limit: number],
      { row_key: string; count: number; data: string }
    >(
      `SELECT row_key, count, data FROM ${table}
       WHERE day = ? AND domain = ? AND row_key > ? AND row_key <> '${POLICY_ROW}' ORDER BY row_key LIMIT ?`,
    ),
    policy: statement<[day: number, domain: string], { data: string }>(
      `SELECT data FROM ${table} WHERE day = ? AND domain = ? AND row_key = '${POLICY_ROW}'`,
    ),
    /** Domains of a day that no report was made for yet, by name, after a name. */
    unreported: statement<[kind: string, day: number, after: string, limit: number], { domain: string }>(
      `SELECT DISTINCT o.domain FROM ${table} o LEFT JOIN reports_sent s
         ON s.kind = ? AND s.day = o.day AND s.domain = o.domain
       WHERE o.day = ? AND o.domain > ? AND s.domain IS NULL ORDER BY o.domain LIMIT ?`,
    ),
    prune: statement<[before: number, limit: number]>(
      `DELETE FROM ${table} WHERE (day, domain, row_key) IN
         (SELECT day, domain, row_key FROM ${table} WHERE day < ? LIMIT ?)`,
    ),
  };
}

export const dmarcObserved = observe('dmarc_observed');
export const tlsObserved = observe('tls_observed');

/** What we sent. */

export const insertSent = statement<
  [kind: string, day: number, domain: string, reportId: string, outcome: string, detail: string, at: number]
>(
  `INSERT INTO reports_sent (kind, day, domain, report_id, outcome, detail, at) VALUES (?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (kind, day, domain) DO NOTHING`,
);

export const sentSince = statement<[kind: string, outcome: string, at: number], { count: number }>(
  'SELECT COUNT(*) AS count FROM reports_sent WHERE kind = ? AND outcome = ? AND at >= ?',
);

export interface SentRow {
  kind: string;
  day: number;
  domain: string;
  report_id: string;
  outcome: string;
  detail: string;
  at: number;
}

export const listSent = statement<
  [since: number, domain: string, domainAgain: string, all: number, limit: number],
  SentRow
>(
  `SELECT kind, day, domain, report_id, outcome, detail, at FROM reports_sent
   WHERE at >= ? AND (? = '' OR domain = ?) AND (? = 1 OR outcome <> 'none') ORDER BY at DESC, kind, domain LIMIT ?`,
);

export const pruneSent = statement<[before: number, limit: number]>(
  `DELETE FROM reports_sent WHERE (kind, day, domain) IN
     (SELECT kind, day, domain FROM reports_sent WHERE day < ? LIMIT ?)`,
);

/** What others sent us. */

export const insertReceived = statement<
  [
    kind: string,
    domain: string,
    organisation: string,
    reportId: string,
    beginAt: number,
    endAt: number,
    receivedAt: number,
    genuine: number,
    policy: string,
  ],
  { id: number }
>(
  `INSERT INTO reports_received (kind, domain, organisation, report_id, begin_at, end_at, received_at, genuine, policy)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (kind, domain, organisation, report_id) DO NOTHING RETURNING id`,
);

export const findReceived = statement<
  [kind: string, domain: string, organisation: string, reportId: string],
  { id: number; genuine: number }
>(
  'SELECT id, genuine FROM reports_received WHERE kind = ? AND domain = ? AND organisation = ? AND report_id = ?',
);

/** A genuine report takes the place of a forged one that came first. */
export const replaceReceived = statement<
  [beginAt: number, endAt: number, receivedAt: number, policy: string, id: number]
>(
  'UPDATE reports_received SET begin_at = ?, end_at = ?, received_at = ?, genuine = 1, policy = ? WHERE id = ?',
);

export const insertDmarcRow = statement<
  [
    reportId: number,
    rowNo: number,
    ip: string,
    count: number,
    disposition: string,
    dkim: number,
    spf: number,
    headerFrom: string,
    data: string,
  ]
>(
  `INSERT INTO dmarc_received_rows (report_id, row_no, ip, count, disposition, dkim_aligned, spf_aligned, header_from,
     data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (report_id, row_no) DO NOTHING`,
);

export const insertTlsRow = statement<
  [
    reportId: number,
    rowNo: number,
    policyType: string,
    policyDomain: string,
    successes: number,
    failures: number,
    data: string,
  ]
>(
  `INSERT INTO tls_received_rows (report_id, row_no, policy_type, policy_domain, successes, failures, data)
   VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (report_id, row_no) DO NOTHING`,
);

export const receivedBefore = statement<[before: number, limit: number], { id: number }>(
  'SELECT id FROM reports_received WHERE end_at < ? ORDER BY end_at LIMIT ?',
);
export const deleteDmarcRows = statement<[reportId: number]>(
  'DELETE FROM dmarc_received_rows WHERE report_id = ?',
);
export const deleteTlsRows = statement<[reportId: number]>(
  'DELETE FROM tls_received_rows WHERE report_id = ?',
);
export const deleteReceived = statement<[id: number]>('DELETE FROM reports_received WHERE id = ?');

/** The domain itself or names below it; '' for all. */
const OF_DOMAIN = `(? = '' OR r.domain = ? OR r.domain LIKE '%.' || ?)`;

export const dmarcTotals = statement<
  [since: number, domain: string, same: string, below: string, limit: number],
  {
    domain: string;
    reports: number;
    unproven: number;
    last_at: number;
  }
>(
  `SELECT r.domain, COUNT(*) AS reports, CAST(SUM(1 - r.genuine) AS BIGINT) AS unproven, MAX(r.end_at) AS last_at
   FROM reports_received r WHERE r.kind = 'dmarc' AND r.end_at >= ? AND ${OF_DOMAIN}
   GROUP BY r.domain ORDER BY r.domain LIMIT ?`,
);

export const dmarcSums = statement<
  [since: number, genuine: number, domain: string, same: string, below: string, limit: number],
  { domain: string; messages: number; passed: number }
>(
  `SELECT r.domain, CAST(SUM(d.count) AS BIGINT) AS messages,
     CAST(SUM(CASE WHEN d.dkim_aligned = 1 OR d.spf_aligned = 1 THEN d.count ELSE 0 END) AS BIGINT) AS passed
   FROM reports_received r JOIN dmarc_received_rows d ON d.report_id = r.id
   WHERE r.kind = 'dmarc' AND r.end_at >= ? AND r.genuine >= ? AND ${OF_DOMAIN}
   GROUP BY r.domain ORDER BY r.domain LIMIT ?`,
);

export interface SourceRow {
  domain: string;
  ip: string;
  messages: number;
  passed: number;
  dkim: number;
  spf: number;
  blocked: number;
  last_at: number;
  failing: string | null;
  passing: string | null;
}

export const dmarcSources = statement<
  [since: number, genuine: number, domain: string, same: string, below: string, limit: number],
  SourceRow
>(
  `SELECT r.domain, d.ip, CAST(SUM(d.count) AS BIGINT) AS messages,
     CAST(SUM(CASE WHEN d.dkim_aligned = 1 OR d.spf_aligned = 1 THEN d.count ELSE 0 END) AS BIGINT) AS passed,
     CAST(SUM(CASE WHEN d.dkim_aligned = 1 THEN d.count ELSE 0 END) AS BIGINT) AS dkim,
     CAST(SUM(CASE WHEN d.spf_aligned = 1 THEN d.count ELSE 0 END) AS BIGINT) AS spf,
     CAST(SUM(CASE WHEN d.disposition IN ('reject', 'quarantine') THEN d.count ELSE 0 END) AS BIGINT) AS blocked,
     MAX(r.end_at) AS last_at,
     MAX(CASE WHEN d.dkim_aligned = 0 AND d.spf_aligned = 0 THEN d.data END) AS failing,
     MAX(CASE WHEN d.dkim_aligned = 1 OR d.spf_aligned = 1 THEN d.data END) AS passing
   FROM reports_received r JOIN dmarc_received_rows d ON d.report_id = r.id
   WHERE r.kind = 'dmarc' AND r.end_at >= ? AND r.genuine >= ? AND ${OF_DOMAIN}
   GROUP BY r.domain, d.ip
   ORDER BY SUM(CASE WHEN d.dkim_aligned = 0 AND d.spf_aligned = 0 THEN d.count ELSE 0 END) DESC,
     SUM(d.count) DESC, r.domain, d.ip LIMIT ?`,
);

export const tlsTotals = statement<
  [since: number, genuine: number, domain: string, same: string, below: string, limit: number],
  {
    policy_domain: string;
    policy_type: string;
    successes: number;
    failures: number;
    reporters: number;
    last_at: number;
  }
>(
  `SELECT t.policy_domain, t.policy_type, CAST(SUM(t.successes) AS BIGINT) AS successes,
     CAST(SUM(t.failures) AS BIGINT) AS failures, COUNT(DISTINCT r.organisation) AS reporters, MAX(r.end_at) AS last_at
   FROM reports_received r JOIN tls_received_rows t ON t.report_id = r.id
   WHERE r.kind = 'tls' AND r.end_at >= ? AND r.genuine >= ? AND ${OF_DOMAIN}
   GROUP BY t.policy_domain, t.policy_type ORDER BY SUM(t.failures) DESC, t.policy_domain, t.policy_type LIMIT ?`,
);

export const tlsFailing = statement<
  [since: number, genuine: number, domain: string, same: string, below: string, limit: number],
  { policy_domain: string; organisation: string; end_at: number; failures: number; data: string }
>(
  `SELECT t.policy_domain, r.organisation, r.end_at, t.failures, t.data
   FROM reports_received r JOIN tls_received_rows t ON t.report_id = r.id
   WHERE r.kind = 'tls' AND t.failures > 0 AND r.end_at >= ? AND r.genuine >= ? AND ${OF_DOMAIN}
   ORDER BY r.end_at DESC, r.id DESC, t.row_no LIMIT ?`,
);

/** Complaints. */

export interface ComplaintRow {
  id: number;
  at: number;
  account_id: number | null;
  account: string | null;
  feedback_type: string;
  reporter: string;
  recipient: string;
  message_id: string;
  source_ip: string;
  data: string;
}

export const insertComplaint = statement<
  [
    at: number,
    accountId: number | null,
    type: string,
    reporter: string,
    recipient: string,
    messageId: string,
    sourceIp: string,
    data: string,
  ]
>(
  `INSERT INTO complaints (at, account_id, feedback_type, reporter, recipient, message_id, source_ip, data)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
);

export const sameComplaint = statement<
  [at: number, type: string, reporter: string, recipient: string, messageId: string],
  { id: number }
>(
  `SELECT id FROM complaints
   WHERE at = ? AND feedback_type = ? AND reporter = ? AND recipient = ? AND message_id = ? LIMIT 1`,
);

export const listComplaints = statement<[since: number, limit: number], ComplaintRow>(
  `SELECT c.id, c.at, c.account_id, a.address AS account, c.feedback_type, c.reporter, c.recipient, c.message_id,
     c.source_ip, c.data
   FROM complaints c LEFT JOIN accounts a ON a.id = c.account_id
   WHERE c.at >= ? ORDER BY c.at DESC, c.id DESC LIMIT ?`,
);

export const complaintsByAccount = statement<
  [since: number, limit: number],
  { account: string | null; complaints: number }
>(
  `SELECT a.address AS account, COUNT(*) AS complaints FROM complaints c LEFT JOIN accounts a ON a.id = c.account_id
   WHERE c.at >= ? AND c.feedback_type <> 'not-spam' GROUP BY a.address ORDER BY COUNT(*) DESC, a.address LIMIT ?`,
);

export const pruneComplaints = statement<[before: number, limit: number]>(
  'DELETE FROM complaints WHERE id IN (SELECT id FROM complaints WHERE at < ? ORDER BY at LIMIT ?)',
);

/** Mail of an account that came since a time, oldest first, after an id: to look for reports that were missed. */
export const mailSince = statement<
  [accountId: number, after: number, since: number, limit: number],
  {
    id: number;
    blob_id: number;
    received_at: number;
    prefix: Uint8Array;
    structure: string;
  }
>(
  `SELECT id, blob_id, received_at, prefix, structure FROM emails
   WHERE account_id = ? AND id > ? AND received_at >= ? ORDER BY id LIMIT ?`,
);

/** The octets of an email, and of a queued message. */
export const blobOfEmail = statement<[id: number], { blob_id: number }>(
  'SELECT blob_id FROM emails WHERE id = ?',
);
export const blobOfQueued = statement<[queueId: string], { blob_id: number }>(
  'SELECT blob_id FROM queue_messages WHERE queue_id = ?',
);

/** Who gets the reports that the proposed DNS records ask for. */
export const firstAdministrator = statement<[], { address: string }>(
  `SELECT address FROM accounts WHERE role = 'admin' AND status = 'active' ORDER BY created_at, id LIMIT 1`,
);
