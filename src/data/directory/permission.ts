import { Refusal } from '../../base/errors.ts';
import type { WriteTx } from '../db/sql.ts';
import { insertAudit } from './directory.sql.ts';
import type { Actor, Role } from './types.ts';

/** UTF-16 units of an audit row's text. */
const AUDIT_TEXT = 2000;

/** Whether the actor may do everything: an administrator, or the program itself. */
export function isAdmin(actor: Actor): boolean {
  return actor.role === 'admin' || actor.role === 'system';
}

/** Refusal 'not-permitted' unless the actor is an administrator. */
export function requireAdmin(actor: Actor): void {
  if (!isAdmin(actor)) throw notPermitted();
}

/** Refusal 'not-permitted' unless the actor administers this domain. */
export function requireDomain(actor: Actor, domainId: number): void {
  if (isAdmin(actor)) return;
  if (actor.role !== 'domain-admin' || actor.domainId !== domainId) throw notPermitted();
}

/** Refusal unless the actor may change this account: nobody below an administrator may change one. */
export function requireAccount(actor: Actor, account: { domainId: number; role: Role }): void {
  requireDomain(actor, account.domainId);
  if (account.role === 'admin') requireAdmin(actor);
}

export function notPermitted(): Refusal {
  return new Refusal('not-permitted', 'You may not do this; an administrator can.');
}

/** Who did what; never a password or a hash. */
export async function audit(
  tx: WriteTx,
  actor: Actor,
  action: string,
  subject: string,
  data: { readonly [key: string]: string | number | null } = {},
): Promise<void> {
  const json = JSON.stringify(data);
  const text = json.length <= AUDIT_TEXT ? json : JSON.stringify({ cut: json.slice(0, AUDIT_TEXT / 2) });
  await tx.run(insertAudit, tx.now, actor.name, action, subject.slice(0, AUDIT_TEXT), text);
}
