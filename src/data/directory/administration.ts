import { long, point, type WriteFunction } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import { adminDomains, setAdminDomains } from './admin-domains.ts';
import { type AuditRow, auditBefore } from './directory.sql.ts';
import { firstRun, isSetupToken, setSetupToken } from './first-run.ts';
import { addGroup, changeGroup, closedGroup, group, groups, removeGroup } from './groups.ts';
import {
  acceptInvitation,
  addInvitation,
  invitations,
  openInvitation,
  removeInvitation,
} from './invitations.ts';
import { undo } from './undo.ts';

type W<F> = F extends (tx: infer _T, args: infer A) => Promise<infer R> ? WriteFunction<A, R> : never;

/** Delegation, groups, invitations, the audit and what takes it back. */

/** Rows of the audit that one call looks at. */
const LOOKED = 5000;

export interface AuditQuestion {
  readonly limit: number;
  readonly before?: number;
  /** Exactly this actor; actions that begin so; part of action, subject, actor or data. */
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly text?: string | undefined;
}

/** Newest first, before the row `before`; looks no further back than `LOOKED` rows. `next`: where to go on. */
async function auditRows(
  tx: ReadTx,
  { limit, before = Number.MAX_SAFE_INTEGER, actor, action, text }: AuditQuestion,
): Promise<{ rows: AuditRow[]; next: number | undefined }> {
  const words = text?.toLowerCase();
  const found: AuditRow[] = [];
  const all = await tx.all(auditBefore, before, (actor ?? action ?? text) ? LOOKED : limit + 1);
  for (const row of all) {
    if (found.length >= limit) return { rows: found, next: found.at(-1)?.id };
    if (actor !== undefined && row.actor !== actor) continue;
    if (action !== undefined && row.action !== action && !row.action.startsWith(`${action}.`)) continue;
    const whole = `${row.actor} ${row.action} ${row.subject} ${row.data}`;
    if (words !== undefined && !whole.toLowerCase().includes(words)) continue;
    found.push(row);
  }
  return { rows: found, next: all.length >= LOOKED ? all.at(-1)?.id : undefined };
}

export const reads = {
  /** Newest first, before the row `before`. */
  'directory.audit': point((tx: ReadTx, args: { limit: number; before?: number }) =>
    tx.all(auditBefore, args.before ?? Number.MAX_SAFE_INTEGER, args.limit),
  ),
  /** The same by what is known of an entry, a part at a time. */
  'directory.auditSearch': long(auditRows),
  /** Domains that an account administers beside its own. */
  'directory.adminDomains': point(adminDomains),
  /** Refusal 'not-found'. */
  'directory.group': point(group),
  'directory.groups': point(groups),
  /** The group on the way of a recipient that its sender may not send to; undefined: none. */
  'directory.closedGroup': point(closedGroup),
  'directory.invitations': point(invitations),
  /** By the SHA-256 of its token; undefined: none that can still be accepted. */
  'directory.openInvitation': point(openInvitation),
  /** Whether the setup link with this token is good now. */
  'directory.isSetupToken': point(isSetupToken),
} as const;

export const writes = {
  /** Names of those that it is now, beside its own. Refusals 'not-permitted', 'conflict'. */
  'directory.setAdminDomains': setAdminDomains as W<typeof setAdminDomains>,
  'directory.addGroup': addGroup as W<typeof addGroup>,
  'directory.changeGroup': changeGroup as W<typeof changeGroup>,
  'directory.removeGroup': removeGroup as W<typeof removeGroup>,
  'directory.addInvitation': addInvitation as W<typeof addInvitation>,
  'directory.removeInvitation': removeInvitation as W<typeof removeInvitation>,
  /** The account of somebody invited. Refusals 'not-found', 'already-exists', 'bad-input'. */
  'directory.acceptInvitation': acceptInvitation as W<typeof acceptInvitation>,
  'directory.setSetupToken': setSetupToken as W<typeof setSetupToken>,
  /** The first domain and its administrator. Refusal 'not-permitted'. */
  'directory.firstRun': firstRun as W<typeof firstRun>,
  /** Take back what an entry of the audit did. Refusals 'not-found', 'conflict', 'not-permitted'. */
  'directory.undo': undo as W<typeof undo>,
} as const;
