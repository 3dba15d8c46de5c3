import { statement } from '../db/sql.ts';

/** Since when sources fail, and how days went, by the reports of others. */

/** The domain itself or names below it; '' for all. */
const OF_DOMAIN = `(? = '' OR r.domain = ? OR r.domain LIKE '%.' || ?)`;

/** When a report first told of failing mail from each source. */
export const failingSince = statement<
  [since: number, genuine: number, domain: string, same: string, below: string, limit: number],
  { domain: string; ip: string; first_at: number; failed: number; no_dkim: number; no_spf: number }
>(
  `SELECT r.domain, d.ip, MIN(r.begin_at) AS first_at, CAST(SUM(d.count) AS BIGINT) AS failed,
     CAST(SUM(CASE WHEN d.dkim_aligned = 0 THEN d.count ELSE 0 END) AS BIGINT) AS no_dkim,
     CAST(SUM(CASE WHEN d.spf_aligned = 0 THEN d.count ELSE 0 END) AS BIGINT) AS no_spf
   FROM reports_received r JOIN dmarc_received_rows d ON d.report_id = r.id
   WHERE r.kind = 'dmarc' AND r.end_at >= ? AND r.genuine >= ? AND ${OF_DOMAIN}
     AND (d.dkim_aligned = 0 OR d.spf_aligned = 0)
   GROUP BY r.domain, d.ip ORDER BY SUM(d.count) DESC, r.domain, d.ip LIMIT ?`,
);

/** By the day that a report begins (days since the epoch, UTC). */
export const dmarcDays = statement<
  [since: number, genuine: number, domain: string, same: string, below: string],
  { day: number; passed: number; failed: number; blocked: number }
>(
  `SELECT r.begin_at / 86400000 AS day,
     CAST(SUM(CASE WHEN d.dkim_aligned = 1 OR d.spf_aligned = 1 THEN d.count ELSE 0 END) AS BIGINT) AS passed,
     CAST(SUM(CASE WHEN d.dkim_aligned = 0 AND d.spf_aligned = 0 THEN d.count ELSE 0 END) AS BIGINT) AS failed,
     CAST(SUM(CASE WHEN d.disposition IN ('reject', 'quarantine') THEN d.count ELSE 0 END) AS BIGINT) AS blocked
   FROM reports_received r JOIN dmarc_received_rows d ON d.report_id = r.id
   WHERE r.kind = 'dmarc' AND r.end_at >= ? AND r.genuine >= ? AND ${OF_DOMAIN}
   GROUP BY r.begin_at / 86400000 ORDER BY r.begin_at / 86400000`,
);

export const tlsDays = statement<
  [since: number, genuine: number, domain: string, same: string, below: string],
  { day: number; successes: number; failures: number }
>(
  `SELECT r.begin_at / 86400000 AS day, CAST(SUM(t.successes) AS BIGINT) AS successes,
     CAST(SUM(t.failures) AS BIGINT) AS failures
   FROM reports_received r JOIN tls_received_rows t ON t.report_id = r.id
   WHERE r.kind = 'tls' AND r.end_at >= ? AND r.genuine >= ? AND ${OF_DOMAIN}
   GROUP BY r.begin_at / 86400000 ORDER BY r.begin_at / 86400000`,
);
