import { statement } from '../db/sql.ts';

/** Domains, accounts, settings, audit; addresses are in addresses.sql.ts, passwords in credentials.sql.ts. */

export interface DomainRow {
  id: number;
  name: string;
  alias_of: string | null;
  alias_of_id: number | null;
  catch_all: string | null;
  created_at: number;
}

const DOMAIN = `SELECT d.id, d.name, t.name AS alias_of, d.alias_of AS alias_of_id, d.catch_all, d.created_at
  FROM domains d LEFT JOIN domains t ON t.id = d.alias_of`;

export const domainByName = statement<[name: string], DomainRow>(`${DOMAIN} WHERE d.name = ?`);
export const domainById = statement<[id: number], DomainRow>(`${DOMAIN} WHERE d.id = ?`);

export const allDomains = statement<[], DomainRow & { accounts: number; aliases: number }>(
  DOMAIN.replace(
    ' FROM',
    `, (SELECT COUNT(*) FROM accounts a WHERE a.domain_id = d.id AND a.status <> 'removed') AS accounts,
       (SELECT COUNT(*) FROM aliases l WHERE l.domain_id = d.id) AS aliases FROM`,
  ).concat(' ORDER BY d.name'),
);

export const insertDomain = statement<[name: string, aliasOf: number | null, now: number], { id: number }>(
  'INSERT INTO domains (name, alias_of, created_at) VALUES (?, ?, ?) RETURNING id',
);

export const setCatchAll = statement<[address: string | null, id: number]>(
  'UPDATE domains SET catch_all = ? WHERE id = ?',
);

/** What still needs a domain. */
export const domainUse = statement<
  [id: number, id2: number, id3: number, id4: number],
  { accounts: number; removed: number; aliases: number; domains: number }
>(
  `SELECT (SELECT COUNT(*) FROM accounts WHERE domain_id = ? AND status <> 'removed') AS accounts,
     (SELECT COUNT(*) FROM accounts WHERE domain_id = ? AND status = 'removed') AS removed,
     (SELECT COUNT(*) FROM aliases WHERE domain_id = ?) AS aliases,
     (SELECT COUNT(*) FROM domains WHERE alias_of = ?) AS domains`,
);

export const deleteDomain = statement<[id: number]>('DELETE FROM domains WHERE id = ?');
export const deleteDkimKeys = statement<[domainId: number]>('DELETE FROM dkim_keys WHERE domain_id = ?');

export interface AccountRow {
  id: number;
  address: string;
  domain_id: number;
  display_name: string;
  role: string;
  status: string;
  removed_at: number | null;
  quota: number;
  used: number;
  emails: number;
  recipients_per_hour: number | null;
  created_at: number;
  shared: number;
  /** 1: it administers domains beside its own. */
  delegated: number;
}

const ACCOUNT = `SELECT a.id, a.address, a.domain_id, a.display_name, a.role, a.status, a.removed_at, a.quota, c.used, c.emails,
  a.recipients_per_hour, a.created_at, a.shared, a.delegated FROM accounts a JOIN account_counters c ON c.account_id = a.id`;

/** An account that is not removed. */
export const accountByAddress = statement<[address: string], AccountRow>(
  `${ACCOUNT} WHERE a.address = ? AND a.status <> 'removed'`,
);

export const accountById = statement<[id: number], AccountRow>(`${ACCOUNT} WHERE a.id = ?`);

/** The account last removed under this address. */
export const removedAccount = statement<[address: string], AccountRow>(
  `${ACCOUNT} WHERE a.address = ? AND a.status = 'removed' ORDER BY a.removed_at DESC, a.id DESC LIMIT 1`,
);

export const allAccounts = statement<[domain: string, sameDomain: string], AccountRow>(
  `${ACCOUNT} JOIN domains d ON d.id = a.domain_id
   WHERE (? = '' OR d.name = ?) AND a.status <> 'removed' ORDER BY a.address`,
);

export const removedAccounts = statement<[domain: string, sameDomain: string], AccountRow>(
  `${ACCOUNT} JOIN domains d ON d.id = a.domain_id
   WHERE (? = '' OR d.name = ?) AND a.status = 'removed' ORDER BY a.address, a.id`,
);

/** Who answers for a domain: the first administrator, an active one if there is one, else a domain administrator. */
export const firstAdministrator = statement<[domainId: number], AccountRow>(
  `${ACCOUNT} WHERE a.status <> 'removed' AND (a.role = 'admin' OR (a.role = 'domain-admin' AND a.domain_id = ?))
   ORDER BY a.role, CASE WHEN a.status = 'active' THEN 0 ELSE 1 END, a.id LIMIT 1`,
);

/** Active administrators apart from one account. */
export const otherAdministrators = statement<[except: number], { count: number }>(
  `SELECT COUNT(*) AS count FROM accounts WHERE role = 'admin' AND status = 'active' AND id <> ?`,
);

export const insertAccount = statement<
  [
    address: string,
    domainId: number,
    displayName: string,
    role: string,
    quota: number,
    now: number,
    shared: number,
  ],
  { id: number }
>(
  `INSERT INTO accounts (address, domain_id, display_name, role, status, quota, created_at, shared)
   VALUES (?, ?, ?, ?, 'active', ?, ?, ?) RETURNING id`,
);

export const setStatus = statement<[status: string, removedAt: number | null, id: number]>(
  'UPDATE accounts SET status = ?, removed_at = ? WHERE id = ?',
);

export const setRole = statement<[role: string, id: number]>('UPDATE accounts SET role = ? WHERE id = ?');

export const setMessageQuota = statement<[messages: number, id: number]>(
  'UPDATE accounts SET quota_messages = ? WHERE id = ?',
);
export const setQuota = statement<[quota: number, id: number]>('UPDATE accounts SET quota = ? WHERE id = ?');

export interface DkimKeyRow {
  id: number;
  domain: string;
  selector: string;
  algorithm: string;
  private_key: string;
  public_key: string;
  state: string;
}

const DKIM_KEY = `SELECT k.id, d.name AS domain, k.selector, k.algorithm, k.private_key, k.public_key, k.state
  FROM dkim_keys k JOIN domains d ON d.id = k.domain_id`;

export const dkimKeysOfDomain = statement<[domain: string], DkimKeyRow>(
  `${DKIM_KEY} WHERE d.name = ? ORDER BY k.id`,
);

export const insertDkimKey = statement<
  [
    domainId: number,
    selector: string,
    algorithm: string,
    privateKey: string,
    publicKey: string,
    state: string,
    now: number,
  ],
  { id: number }
>(
  `INSERT INTO dkim_keys (domain_id, selector, algorithm, private_key, public_key, state, created_at)
   VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (domain_id, selector) DO NOTHING RETURNING id`,
);

export const deleteSetting = statement<[name: string]>('DELETE FROM settings WHERE name = ?');

export const settingByName = statement<[name: string], { value: string }>(
  'SELECT value FROM settings WHERE name = ?',
);

export const putSetting = statement<[name: string, value: string]>(
  'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
);

export const addSetting = statement<[name: string, value: string]>(
  'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING',
);

/** Nothing when it says something else meanwhile. */
export const replaceSetting = statement<[value: string, name: string, before: string]>(
  'UPDATE settings SET value = ? WHERE name = ? AND value = ?',
);

export const insertAudit = statement<
  [at: number, actor: string, action: string, subject: string, data: string, undo: string | null]
>('INSERT INTO audit (at, actor, action, subject, data, undo) VALUES (?, ?, ?, ?, ?, ?)');

export interface AuditRow {
  id: number;
  at: number;
  actor: string;
  action: string;
  subject: string;
  data: string;
  undoable: number;
  undone_by: number | null;
}

export const auditBefore = statement<[before: number, limit: number], AuditRow>(
  `SELECT id, at, actor, action, subject, data, CASE WHEN undo IS NULL THEN 0 ELSE 1 END AS undoable, undone_by
   FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?`,
);

export const auditById = statement<
  [id: number],
  { action: string; subject: string; undo: string | null; undone_by: number | null }
>('SELECT action, subject, undo, undone_by FROM audit WHERE id = ?');

export const insertUndo = statement<
  [at: number, actor: string, action: string, subject: string, data: string],
  { id: number }
>('INSERT INTO audit (at, actor, action, subject, data) VALUES (?, ?, ?, ?, ?) RETURNING id');

export const setUndone = statement<[by: number, id: number]>(
  'UPDATE audit SET undone_by = ? WHERE id = ? AND undone_by IS NULL',
);

export const deleteAuditBefore = statement<[before: number, limit: number]>(
  'DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ? ORDER BY at LIMIT ?)',
);
