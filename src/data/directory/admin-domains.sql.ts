import { statement } from '../db/sql.ts';

/** Domains that accounts administer beside their own. */

export const adminDomainsOf = statement<[accountId: number], { id: number; name: string }>(
  `SELECT d.id, d.name FROM admin_domains m JOIN domains d ON d.id = m.domain_id WHERE m.account_id = ? ORDER BY d.name`,
);

export const insertAdminDomain = statement<[accountId: number, domainId: number]>(
  `INSERT INTO admin_domains (account_id, domain_id) VALUES (?, ?) ON CONFLICT (account_id, domain_id) DO NOTHING`,
);

export const deleteAdminDomainsOf = statement<[accountId: number]>(
  'DELETE FROM admin_domains WHERE account_id = ?',
);

export const setDelegated = statement<[delegated: number, accountId: number]>(
  'UPDATE accounts SET delegated = ? WHERE id = ?',
);

export const deleteAdminsOfDomain = statement<[domainId: number]>(
  'DELETE FROM admin_domains WHERE domain_id = ?',
);

/** After domains have gone: accounts that administer nothing beside their own any more. */
export const settleDelegated = statement<[]>(
  `UPDATE accounts SET delegated = 0
   WHERE delegated = 1 AND NOT EXISTS (SELECT 1 FROM admin_domains m WHERE m.account_id = accounts.id)`,
);

export const deleteInvitationsOfDomain = statement<[domainId: number]>(
  'DELETE FROM invitations WHERE domain_id = ?',
);
