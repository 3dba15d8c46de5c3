import { statement } from '../db/sql.ts';

/** Domains of senders that are told apart for one address; mail from more counts, without its domain. */
export const MAX_MASKED_SENDERS = 100;

export interface MaskedRow {
  id: number;
  account_id: number;
  local_part: string;
  domain: string;
  label: string;
  site: string;
  state: string;
  created_at: number;
  last_at: number | null;
  count: number;
}

const MASKED = `SELECT m.id, m.account_id, m.local_part, d.name AS domain, m.label, m.site, m.state, m.created_at, m.last_at,
  m.count FROM masked_addresses m JOIN domains d ON d.id = m.domain_id`;

/** Looked at for each recipient that is neither an account nor an alias. */
export const maskedAt = statement<
  [domainId: number, localPart: string],
  { id: number; account_id: number; state: string }
>(`SELECT id, account_id, state FROM masked_addresses WHERE domain_id = ? AND local_part = ?`);

export const maskedById = statement<[id: number, accountId: number], MaskedRow>(
  `${MASKED} WHERE m.id = ? AND m.account_id = ? AND m.state <> 'deleted'`,
);

export const maskedOf = statement<[accountId: number], MaskedRow>(
  `${MASKED} WHERE m.account_id = ? AND m.state <> 'deleted' ORDER BY m.id DESC`,
);

export const countMasked = statement<[accountId: number], { count: number }>(
  `SELECT COUNT(*) AS count FROM masked_addresses WHERE account_id = ?`,
);

export const insertMasked = statement<
  [accountId: number, domainId: number, localPart: string, label: string, site: string, createdAt: number],
  { id: number }
>(
  `INSERT INTO masked_addresses (account_id, domain_id, local_part, label, site, state, created_at, last_at, count)
   VALUES (?, ?, ?, ?, ?, 'on', ?, NULL, 0) ON CONFLICT (domain_id, local_part) DO NOTHING RETURNING id`,
);

export const changeMasked = statement<[label: string, site: string, state: string, id: number]>(
  `UPDATE masked_addresses SET label = ?, site = ?, state = ? WHERE id = ?`,
);

export const countMail = statement<[at: number, id: number]>(
  `UPDATE masked_addresses SET count = count + 1, last_at = ? WHERE id = ?`,
);

export const countSender = statement<
  [
    maskedId: number,
    domain: string,
    firstAt: number,
    lastAt: number,
    maskedId: number,
    maskedId: number,
    domain: string,
  ]
>(
  `INSERT INTO masked_senders (masked_id, domain, count, first_at, last_at)
   SELECT CAST(? AS BIGINT), CAST(? AS TEXT), 1, CAST(? AS BIGINT), CAST(? AS BIGINT)
   WHERE (SELECT COUNT(*) FROM masked_senders WHERE masked_id = ?) < ${MAX_MASKED_SENDERS}
     OR EXISTS (SELECT 1 FROM masked_senders WHERE masked_id = ? AND domain = ?)
   ON CONFLICT (masked_id, domain) DO UPDATE SET count = masked_senders.count + 1, last_at = excluded.last_at`,
);

export const sendersOf = statement<
  [accountId: number],
  { masked_id: number; domain: string; count: number; first_at: number; last_at: number }
>(
  `SELECT s.masked_id, s.domain, s.count, s.first_at, s.last_at FROM masked_addresses m
   JOIN masked_senders s ON s.masked_id = m.id WHERE m.account_id = ? ORDER BY s.masked_id, s.first_at, s.domain`,
);

export const deleteMaskedOfDomain = statement<[domainId: number]>(
  `DELETE FROM masked_addresses WHERE domain_id = ?`,
);
