import { statement } from '../db/sql.ts';

/** Deleting for good what the directory knew of an account; its mail is the mail store's to delete. */

export const deleteCredential = statement<[accountId: number]>(
  'DELETE FROM credentials WHERE account_id = ?',
);
export const deleteGrants = statement<[accountId: number]>('DELETE FROM sender_grants WHERE account_id = ?');
export const deleteCounters = statement<[accountId: number]>(
  'DELETE FROM account_counters WHERE account_id = ?',
);
export const deleteKnownLogins = statement<[accountId: number]>(
  'DELETE FROM known_logins WHERE account_id = ?',
);
export const deleteHold = statement<[accountId: number]>('DELETE FROM account_holds WHERE account_id = ?');
export const deleteVolume = statement<[accountId: number]>('DELETE FROM account_volume WHERE account_id = ?');
/** Complaints about its mail stay, without its name. */
export const forgetComplaints = statement<[accountId: number]>(
  'UPDATE complaints SET account_id = NULL WHERE account_id = ?',
);

export const deleteAdminDomains = statement<[accountId: number]>(
  'DELETE FROM admin_domains WHERE account_id = ?',
);

export const deleteAccount = statement<[id: number]>('DELETE FROM accounts WHERE id = ?');

export const removedBefore = statement<[before: number, limit: number], { id: number }>(
  `SELECT id FROM accounts WHERE status = 'removed' AND removed_at < ? ORDER BY removed_at LIMIT ?`,
);
