import { Refusal } from '../../base/errors.ts';
import type { WriteTx } from '../db/sql.ts';
import { insertAudit } from './directory.sql.ts';
import type { Actor, Role } from './types.ts';
import type { Undo } from './undo-types.ts';

/** UTF-16 units of an audit row's text, and of what is kept to take it back: beyond it nothing is. */
const AUDIT_TEXT = 2000;
const UNDO_TEXT = 256 * 1024;

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
  if (!domainsOf(actor).includes(domainId)) throw notPermitted();
}

/** Domains of a domain administrator; none for others. */
export function domainsOf({ role, domainId, domainIds = [] }: Actor): readonly number[] {
  if (role !== 'domain-admin') return [];
  return domainId === undefined ? domainIds : [domainId, ...domainIds];
}

/**
 * Refusal unless the actor may change this account: nobody below an administrator may change one, nor an account that
 * administers domains beside its own, or its password would be a way to these.
 */
export function requireAccount(
  actor: Actor,
  account: { domainId: number; role: Role; delegated?: boolean },
): void {
  requireDomain(actor, account.domainId);
  if (account.role === 'admin' || account.delegated === true) requireAdmin(actor);
}

export function notPermitted(): Refusal {
  return new Refusal('not-permitted', 'You may not do this; an administrator can.');
}

/** Who did what; never a password or a hash. `undo`: how it can be taken back, where it can. */
export async function audit(
  tx: WriteTx,
  actor: Actor,
  action: string,
  subject: string,
  data: { readonly [key: string]: string | number | null } = {},
  undo?: Undo,
): Promise<void> {
  const json = JSON.stringify(data);
  const text = json.length <= AUDIT_TEXT ? json : JSON.stringify({ cut: json.slice(0, AUDIT_TEXT / 2) });
  const back = undo === undefined ? null : JSON.stringify(undo);
  const kept = back !== null && back.length > UNDO_TEXT ? null : back;
  await tx.run(insertAudit, tx.now, actor.name, action, subject.slice(0, AUDIT_TEXT), text, kept);
}
