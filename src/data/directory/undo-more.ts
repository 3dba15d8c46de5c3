import { Refusal } from '../../base/errors.ts';
import { exemptionOf } from '../bans/bans.sql.ts';
import { exempt, unexempt } from '../bans/writes.ts';
import type { WriteTx } from '../db/sql.ts';
import { saveSettings as saveLookup, settings as lookupSettings } from '../lookup/lookup.ts';
import { listAdd, listRemove, listState } from '../spam/lists.ts';
import {
  remove as removeSuppression,
  suppress,
  type Suppression,
  suppressionState,
} from '../suppression/suppression.ts';
import { deleteSuppression } from '../suppression/suppression.sql.ts';
import { restoreAccount, setStatus } from './accounts.ts';
import { adminDomains, setAdminDomains } from './admin-domains.ts';
import { grantHeld } from './addresses.sql.ts';
import { addGrant, removeGrant } from './aliases.ts';
import { needAccount } from './find.ts';
import { audit } from './permission.ts';
import { digestOf } from './setting-change.ts';
import type { Actor } from './types.ts';
import type { Undo } from './undo-types.ts';

/** What is taken back by doing the opposite: that is written down, and can itself be taken back. */

export type OppositeUndo = Extract<
  Undo,
  {
    kind: 'exemption' | 'grant' | 'lookup' | 'suppression' | 'sender-list' | 'admin-domains' | 'removed';
  }
>;

export function changed(what: string): Refusal {
  return new Refusal('conflict', `${what} has been changed since; it stays as it is.`);
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export async function moreBack(tx: WriteTx, actor: Actor, change: OppositeUndo): Promise<void> {
  switch (change.kind) {
    case 'grant':
      return grantBack(tx, actor, change);
    case 'exemption': {
      const { network, before, after } = change;
      const now = (await tx.get(exemptionOf, network))?.note ?? null;
      if (now !== after) throw changed(`What holds for ${network}`);
      if (before === null) await unexempt(tx, { actor, network });
      else await exempt(tx, { actor, network, note: before });
      return;
    }
    case 'lookup': {
      const now = await lookupSettings(tx);
      if (now === undefined || digestOf(now) !== change.after) throw changed('What holds for lookup tables');
      const texts = change.texts.map(({ table, before }) => ({ table, text: before }));
      await saveLookup(tx, { actor, json: change.before ?? '{}', what: 'taken back', texts });
      return;
    }
    case 'suppression':
      return suppressionBack(tx, actor, change);
    case 'sender-list': {
      const { account, pattern, before, after } = change;
      if (!same(await listState(tx, { account, pattern }), after)) throw changed(`What holds for ${pattern}`);
      if (before === null) await listRemove(tx, { actor, account, pattern });
      else await listAdd(tx, { actor, account, pattern, ...before });
      return;
    }
    case 'admin-domains': {
      const account = await needAccount(tx, change.address);
      const now = (await adminDomains(tx, { accountId: account.id })).map(({ name }) => name);
      if (!same(now, change.after)) throw changed(account.address);
      await setAdminDomains(tx, { actor, address: account.address, domains: change.before });
      return;
    }
    case 'removed': {
      const { address, from } = change;
      await restoreAccount(tx, { actor, address });
      if (from === 'suspended') await setStatus(tx, { actor, address, status: 'suspended' });
    }
  }
}

async function grantBack(
  tx: WriteTx,
  actor: Actor,
  { account: name, address, held }: Extract<Undo, { kind: 'grant' }>,
): Promise<void> {
  const account = await needAccount(tx, name);
  const has = (await tx.get(grantHeld, account.id, address)) !== undefined;
  if (has !== held) throw changed(`What ${account.address} may send as`);
  const args = { actor, account: account.address, address };
  await (held ? removeGrant(tx, args) : addGrant(tx, args));
}

async function suppressionBack(
  tx: WriteTx,
  actor: Actor,
  { address, before, after }: Extract<Undo, { kind: 'suppression' }>,
): Promise<void> {
  if (!same(await suppressionState(tx, address), after)) throw changed(`What holds for ${address}`);
  if (before === null) {
    await removeSuppression(tx, { actor, address });
    return;
  }
  const { reason, source, detail, until } = before;
  if (until !== null && until <= tx.now)
    throw new Refusal('conflict', 'Mail would be sent to that address again by now.');
  // Nothing is made shorter by adding: what holds longer has to go first.
  await tx.run(deleteSuppression, address);
  const entry = {
    address,
    reason: reason as Suppression['reason'],
    source: source as Suppression['source'],
    detail,
    queueId: undefined,
    accountId: undefined,
    until: until ?? undefined,
  };
  await suppress(tx, entry);
  const undo = { kind: 'suppression', address, before: after, after: before } as const;
  await audit(tx, actor, 'suppression.add', address, { detail }, undo);
}
