import { Refusal } from '../../base/errors.ts';
import { bansOfSubject } from '../bans/bans.sql.ts';
import { add as addBan, lift as liftBan, setAgain as banAgain } from '../bans/writes.ts';
import type { WriteTx } from '../db/sql.ts';
import { setQuota, setRole, setStatus } from './accounts.ts';
import { putAdminDomains } from './admin-domains.ts';
import { aliasState, putAliasState, sameState } from './alias-state.ts';
import {
  auditById,
  deleteSetting,
  domainById,
  insertUndo,
  putSetting,
  setUndone,
  settingByName,
} from './directory.sql.ts';
import { setCatchAll } from './domains.ts';
import { needAccount, needDomain, needOwn } from './find.ts';
import { audit, requireAdmin } from './permission.ts';
import { digestOf, settingChange } from './setting-change.ts';
import type { Actor } from './types.ts';
import { changed, moreBack } from './undo-more.ts';
import type { Undo } from './undo-types.ts';

/** What was taken back, for those who have to be told. */
export type Undone =
  | { readonly kind: Exclude<Undo['kind'], 'setting' | 'ban-added' | 'ban-lifted'> }
  | { readonly kind: 'setting'; readonly name: string }
  | {
      readonly kind: 'ban-added' | 'ban-lifted';
      readonly ban: 'network' | 'account';
      readonly subject: string;
    };

/** Settings that are put back, and what a change of them is called; others are no administrator's. */
const SETTINGS: Readonly<Record<string, string>> = {
  filter: 'filter.settings',
  routing: 'routing.settings',
  intake: 'intake.settings',
  backup: 'backup.settings',
  'dns-providers': 'dns.settings',
  acme: 'certificate.settings',
  doctor: 'settings.doctor',
  housekeeping: 'settings.housekeeping',
  alerts: 'settings.alerts',
  journal: 'settings.journal',
  admin: 'settings.admin',
};

/**
 * Take back what an entry of the audit says was done. What is done now is written down as well, and may itself be taken
 * back. Refusals 'not-found', 'not-permitted', 'conflict' when it was changed since or cannot be taken back.
 */
export async function undo(
  tx: WriteTx,
  { actor, id }: { actor: Actor; id: number },
): Promise<{ id: number; undone: Undone }> {
  requireAdmin(actor);
  const row = await tx.get(auditById, id);
  if (row === undefined) throw new Refusal('not-found', 'There is no such entry.');
  if (row.undo === null) throw new Refusal('conflict', 'This cannot be taken back.');
  if (row.undone_by !== null) throw new Refusal('conflict', 'This was taken back already.');
  const change = JSON.parse(row.undo) as Undo;
  await takeBack(tx, actor, change);
  const data = JSON.stringify({ entry: id, action: row.action });
  const note = await tx.get(insertUndo, tx.now, actor.name, 'audit.undo', row.subject, data);
  if (note === undefined) throw new Error('an INSERT returned no row');
  if ((await tx.run(setUndone, note.id, id)) === 0)
    throw new Refusal('conflict', 'This was taken back already.');
  return { id: note.id, undone: toldOf(change) };
}

function toldOf(change: Undo): Undone {
  if (change.kind === 'setting') return { kind: 'setting', name: change.name };
  if (change.kind === 'ban-added' || change.kind === 'ban-lifted')
    return { kind: change.kind, ban: change.ban ?? 'network', subject: change.subject };
  return { kind: change.kind };
}

async function takeBack(tx: WriteTx, actor: Actor, change: Undo): Promise<void> {
  switch (change.kind) {
    case 'status':
    case 'role':
    case 'quota':
      return accountBack(tx, actor, change);
    case 'alias':
      return aliasBack(tx, actor, change);
    case 'catch-all': {
      const domain = await needDomain(tx, change.domain);
      if (domain.catch_all !== change.to) throw changed(`The catch-all of ${domain.name}`);
      await setCatchAll(tx, { actor, domain: domain.name, address: change.from });
      return;
    }
    case 'setting':
      return settingBack(tx, actor, change);
    case 'ban-added':
    case 'ban-lifted':
      return banBack(tx, actor, change);
    default:
      return moreBack(tx, actor, change);
  }
}

async function banBack(
  tx: WriteTx,
  actor: Actor,
  change: Extract<Undo, { kind: 'ban-added' | 'ban-lifted' }>,
): Promise<void> {
  const { subject, ban: kind = 'network', until } = change;
  const now = await tx.all(bansOfSubject, kind, subject, tx.now);
  if (change.kind === 'ban-added') {
    if (now[0]?.until !== until) throw changed(`The ban of ${subject}`);
    await liftBan(tx, { actor, kind, subject });
    return;
  }
  if (until - tx.now < 1000) throw new Refusal('conflict', 'That ban would have ended by now.');
  if (now.length > 0) throw changed(`The ban of ${subject}`);
  const { reason, offences = 0 } = change;
  if (kind === 'account') await banAgain(tx, { actor, subject, until, reason, offences });
  else await addBan(tx, { actor, network: subject, forMs: until - tx.now, reason });
}

async function accountBack(
  tx: WriteTx,
  actor: Actor,
  change: Extract<Undo, { kind: 'status' | 'role' | 'quota' }>,
): Promise<void> {
  const account = await needAccount(tx, change.address);
  if (account[change.kind] !== change.to) throw changed(account.address);
  const { address } = account;
  if (change.kind === 'status') {
    if (change.from === 'removed') throw changed(address);
    await setStatus(tx, { actor, address, status: change.from });
  } else if (change.kind === 'quota') await setQuota(tx, { actor, address, quota: change.from });
  else {
    await setRole(tx, { actor, address, role: change.from });
    const still: number[] = [];
    for (const id of change.domains) if ((await tx.get(domainById, id)) !== undefined) still.push(id);
    if (change.from === 'domain-admin') await putAdminDomains(tx, account.id, still);
  }
}

async function aliasBack(
  tx: WriteTx,
  actor: Actor,
  { address, before, after }: Extract<Undo, { kind: 'alias' }>,
): Promise<void> {
  const place = await needOwn(tx, address);
  const now = await aliasState(tx, place);
  if (!sameState(now, after)) throw changed(address);
  await putAliasState(tx, place, before);
  const undoing = { kind: 'alias', address, before: now, after: before } as const;
  await audit(tx, actor, 'alias.restore', address, { targets: before?.targets.join(' ') ?? null }, undoing);
}

/** Only the server's own command line lets webhooks into our own network: taking back must not either. */
function requireAllowed(actor: Actor, before: string | null, now: string | null): void {
  const inside = (json: string | null): boolean => {
    const { webhook } = JSON.parse(json ?? '{}') as { webhook?: { private?: boolean } };
    return webhook?.private === true;
  };
  if (actor.role !== 'system' && inside(before) && !inside(now))
    throw new Refusal('not-permitted', 'Take this back by the command line on the server itself.');
}

async function settingBack(
  tx: WriteTx,
  actor: Actor,
  { name, before, after }: Extract<Undo, { kind: 'setting' }>,
): Promise<void> {
  const now = (await tx.get(settingByName, name))?.value ?? null;
  const action = Object.hasOwn(SETTINGS, name) ? SETTINGS[name] : undefined;
  // Of what was never set: nothing, which has a digest as well.
  if (action === undefined || digestOf(now ?? '') !== after) throw changed(`The setting "${name}"`);
  if (name === 'alerts') requireAllowed(actor, before, now);
  const again = await settingChange(tx, name, before ?? '');
  if (before === null) await tx.run(deleteSetting, name);
  else await tx.run(putSetting, name, before);
  await audit(tx, actor, action, name, { before: now, after: before }, again);
}
