import { Refusal } from '../../base/errors.ts';
import type { ReadTx } from '../db/sql.ts';
import { accountById } from '../directory/directory.sql.ts';
import { needDomain } from '../directory/find.ts';
import { requireAccount, requireAdmin, requireDomain } from '../directory/permission.ts';
import { toAccount } from '../directory/rows.ts';
import type { Actor } from '../directory/types.ts';
import { type Place, SCRIPT_NAME_LENGTH } from './types.ts';

/** Where the rows of a place are. */
export interface Spot {
  readonly place: Place['kind'];
  readonly owner: number;
  /** As an audit row names it. */
  readonly subject: string;
  /** There is one script only, and it runs as long as it is there. */
  readonly single: boolean;
}

/** @throws Refusal 'no-such-account', 'not-found', 'not-permitted' */
export async function spotFor(tx: ReadTx, place: Place, actor: Actor | undefined): Promise<Spot> {
  const { kind } = place;
  if (kind === 'account' || kind === 'generated') {
    const row = await tx.get(accountById, place.accountId);
    if (row === undefined || row.status === 'removed')
      throw new Refusal('no-such-account', 'There is no such account.');
    const account = toAccount(row);
    if (actor !== undefined && actor.name !== account.address) requireAccount(actor, account);
    return { place: kind, owner: row.id, subject: account.address, single: kind === 'generated' };
  }
  if (kind === 'domain-before' || kind === 'domain-after') {
    const domain = await needDomain(tx, place.domain);
    if (domain.alias_of !== null) {
      const text = `${domain.name} is an alias of ${domain.alias_of}: scripts are that one's.`;
      throw new Refusal('bad-input', text);
    }
    if (actor !== undefined) requireDomain(actor, domain.id);
    return { place: kind, owner: domain.id, subject: domain.name, single: true };
  }
  if (actor !== undefined) requireAdmin(actor);
  return { place: kind, owner: 0, subject: kind, single: kind !== 'global' };
}

/**
 * RFC 5804 1.6: Net-Unicode without controls and line separators; never empty. NFC, so that what looks the same is.
 * @throws Refusal 'bad-input'
 */
export function scriptName(given: string): string {
  const name = given.isWellFormed() ? given.normalize('NFC') : '';
  if (name === '') throw new Refusal('bad-input', 'A script needs a name.');
  if (name.length > SCRIPT_NAME_LENGTH)
    throw new Refusal('bad-input', `The name of a script may have at most ${SCRIPT_NAME_LENGTH} characters.`);
  if (/[\p{Cc}\u2028\u2029]/u.test(name))
    throw new Refusal('bad-input', 'The name of a script must not have control characters.');
  return name;
}
