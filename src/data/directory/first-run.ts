import { Refusal } from '../../base/errors.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { addAccount } from './accounts.ts';
import { allDomains, deleteSetting, putSetting, settingByName } from './directory.sql.ts';
import { addDomain } from './domains.ts';
import type { Account, Actor, ScramSecret } from './types.ts';

/** The first domain and the first administrator of a server that has none, by a link that is good once. */

/** Links that are good at a time: whoever is at the form of one may go on when the server was started anew. */
const LINKS = 3;
/** Setting with the SHA-256 of the tokens of the newest links, in hex, the newest first. */
const TOKEN = 'setup.token';

/** Make this the token of one more link. False: there are domains already, no link is needed. */
export async function setSetupToken(tx: WriteTx, args: { digest: string }): Promise<boolean> {
  if ((await tx.all(allDomains)).length > 0) {
    await tx.run(deleteSetting, TOKEN);
    return false;
  }
  const links = [args.digest, ...(await digests(tx))].slice(0, LINKS);
  await tx.run(putSetting, TOKEN, links.join(' '));
  return true;
}

/** Whether the link with this token is good now. */
export async function isSetupToken(tx: ReadTx, args: { digest: string }): Promise<boolean> {
  const isOurs = (await digests(tx)).some((kept) => kept === args.digest);
  return isOurs && (await tx.all(allDomains)).length === 0;
}

async function digests(tx: ReadTx): Promise<string[]> {
  const kept = (await tx.get(settingByName, TOKEN))?.value ?? '';
  return kept.split(' ').filter((digest) => digest !== '');
}

export interface FirstRun {
  readonly digest: string;
  readonly domain: string;
  readonly address: string;
  readonly displayName: string;
  readonly hash: string;
  readonly scram: ScramSecret | null;
}

/** Refusals 'not-permitted' (no such link, or there is a domain), 'bad-input'. */
export async function firstRun(tx: WriteTx, args: FirstRun): Promise<Account> {
  if (!(await isSetupToken(tx, args)))
    throw new Refusal(
      'not-permitted',
      'This link is not good any more: the server was set up with another one.',
    );
  const actor: Actor = { name: 'setup link', role: 'system', domainId: undefined };
  await addDomain(tx, { actor, name: args.domain });
  const { address, displayName, hash, scram } = args;
  const account = await addAccount(tx, { actor, address, displayName, role: 'admin', quota: 0, hash, scram });
  await tx.run(deleteSetting, TOKEN);
  return account;
}
