import { Refusal } from '../../base/errors.ts';
import { normalizeDomain } from '../../mail/address/domain.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { deleteDkimKey, deleteSetting, dkimTimes, setDkimState } from './dkim-states.sql.ts';
import { dkimKeysOfDomain, putSetting } from './directory.sql.ts';
import { needDomain } from './find.ts';
import { audit, requireDomain } from './permission.ts';
import { toDkimKey } from './rows.ts';
import type { Actor, DkimKey } from './types.ts';

/**
 * The life of a signing key: pending (its record is to be published) -> active (it signs) -> retired (it signed, its
 * record stays) -> revoked (its record says so) -> gone.
 */

/** Milliseconds since the epoch. */
export interface DkimTimes {
  readonly selector: string;
  readonly createdAt: number;
  /** When it got the state it has. */
  readonly changedAt: number;
}

function settingName(domain: string, selector: string): string {
  return `dkim.changed ${domain} ${selector}`;
}

/** Give keys of a domain other states, all in one commit: signing goes from the old to the new without a gap. */
export async function changeDkimKeys(
  tx: WriteTx,
  args: {
    actor: Actor;
    domain: string;
    changes: readonly { selector: string; state: DkimKey['state'] | 'gone' }[];
  },
): Promise<null> {
  const domain = await needDomain(tx, args.domain);
  requireDomain(args.actor, domain.id);
  const keys = (await tx.all(dkimKeysOfDomain, domain.name)).map(toDkimKey);
  for (const { selector, state } of args.changes) {
    if (!keys.some((key) => key.selector === selector))
      throw new Refusal('not-found', `${domain.name} has no key with the selector ${selector}.`);
    const name = settingName(domain.name, selector);
    if (state === 'gone') {
      await tx.run(deleteDkimKey, domain.id, selector);
      await tx.run(deleteSetting, name);
    } else {
      await tx.run(setDkimState, state, domain.id, selector);
      await tx.run(putSetting, name, String(tx.now));
    }
    await audit(tx, args.actor, 'domain.dkim-key', domain.name, { selector, state });
  }
  return null;
}

export async function readDkimTimes(tx: ReadTx, args: { domain: string }): Promise<DkimTimes[]> {
  const rows = await tx.all(dkimTimes, normalizeDomain(args.domain) ?? '');
  return rows.map(({ selector, created_at: createdAt, changed }) => ({
    selector,
    createdAt,
    changedAt: changed === null ? createdAt : Number(changed),
  }));
}
