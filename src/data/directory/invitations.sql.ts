import { statement } from '../db/sql.ts';

/** Links by which people make accounts of their own. */

export interface InvitationRow {
  id: number;
  domain_id: number;
  domain: string;
  address: string | null;
  role: string;
  quota: number;
  note: string;
  created_by: string;
  created_at: number;
  expires_at: number;
  used_at: number | null;
  used_for: string | null;
}

const INVITATION = `SELECT i.id, i.domain_id, d.name AS domain, i.address, i.role, i.quota, i.note, i.created_by, i.created_at,
  i.expires_at, i.used_at, i.used_for FROM invitations i JOIN domains d ON d.id = i.domain_id`;

/** Newest first, of a domain or of all (''). */
export const allInvitations = statement<[domain: string, sameDomain: string, limit: number], InvitationRow>(
  `${INVITATION} WHERE (? = '' OR d.name = ?) ORDER BY i.id DESC LIMIT ?`,
);

export const invitationById = statement<[id: number], InvitationRow>(`${INVITATION} WHERE i.id = ?`);
export const invitationByDigest = statement<[digest: string], InvitationRow>(
  `${INVITATION} WHERE i.digest = ?`,
);

export const insertInvitation = statement<
  [
    digest: string,
    domainId: number,
    address: string | null,
    role: string,
    quota: number,
    note: string,
    createdBy: string,
    now: number,
    expiresAt: number,
  ],
  { id: number }
>(
  `INSERT INTO invitations (digest, domain_id, address, role, quota, note, created_by, created_at, expires_at)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
);

export const useInvitation = statement<[now: number, address: string, id: number]>(
  'UPDATE invitations SET used_at = ?, used_for = ? WHERE id = ? AND used_at IS NULL',
);

export const deleteInvitation = statement<[id: number]>('DELETE FROM invitations WHERE id = ?');
export const deleteInvitationsBefore = statement<[before: number]>(
  'DELETE FROM invitations WHERE expires_at < ?',
);
export const countOpen = statement<[domainId: number, now: number], { count: number }>(
  'SELECT COUNT(*) AS count FROM invitations WHERE domain_id = ? AND used_at IS NULL AND expires_at > ?',
);
