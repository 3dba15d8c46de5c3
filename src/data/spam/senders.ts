import { nameUnnamedAll, noteNames } from '../account/contacts.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { MAX_REFERENCES, referenceHash } from '../mailstore/threads.ts';
import { REFERENCE_STEPS } from '../mailstore/threads.sql.ts';
import { senderKey } from './address.ts';
import { listMatcher, siteLists } from './lists.ts';
import { stateOf } from './models.ts';
import { forgetReputation } from './reputation.sql.ts';
import * as sql from './senders.sql.ts';
import { type ModelState, type Relation, type RelationRequest, type Sent, SITE } from './types.ts';

/** Remember whom an account wrote to, and its message: in the commit that accepts the submission, or brings the mail in. */
export async function noteSent(tx: WriteTx, sent: Sent): Promise<void> {
  const { accountId, addresses, messageId, at = tx.now } = sent;
  // Always in the same order: two submissions of one account must not wait for each other in a circle.
  for (const address of [...new Set(addresses.map(senderKey))].toSorted()) {
    if (address === '') continue;
    await tx.run(sql.addCorrespondent, accountId, address, at, accountId, address);
  }
  const note = sent.at === undefined ? noteNames : nameUnnamedAll;
  await note(tx, accountId, sent.names ?? []);
  if (messageId) await tx.run(sql.addSentId, referenceHash(messageId), accountId, at);
}

export interface Forget {
  /** Message-IDs sent before this time are forgotten. */
  readonly sentBefore: number;
  /** And the reputation of those not seen since this one. */
  readonly reputationBefore: number;
  /** The account to go on after: 0 at first, then what the last call gave. */
  readonly after: number;
  /** Reputations, and accounts, in one call. */
  readonly limit: number;
}

/** One batch of forgetting what is old or too much. */
export async function forget(tx: WriteTx, args: Forget): Promise<{ more: boolean; after: number }> {
  const { sentBefore, reputationBefore, limit } = args;
  const seen = await tx.run(forgetReputation, reputationBefore, limit);
  const accounts = await tx.all(sql.accountsAfter, args.after, limit);
  for (const { id } of accounts) {
    await tx.run(sql.deleteSentBefore, id, sentBefore);
    await tx.run(sql.trimCorrespondents, id, id);
  }
  return { more: seen >= limit || accounts.length >= limit, after: accounts.at(-1)?.id ?? args.after };
}

function padded<T>(values: readonly T[], length: number, nothing: T): T[] {
  return Array.from({ length }, (_, i) => values[i] ?? values[0] ?? nothing);
}

/** No address is a space: nothing is found for authors that are not there. */
const NO_ADDRESS = ' ';

/** Accounts that sent what the message answers. */
async function answered(tx: ReadTx, references: readonly string[]): Promise<ReadonlySet<number>> {
  const ids = [...new Set(references.slice(-MAX_REFERENCES))].filter((id) => id !== '');
  if (ids.length === 0) return new Set();
  const step = REFERENCE_STEPS.findIndex((n) => n >= ids.length);
  const statement = sql.sentBy[step];
  if (statement === undefined) throw new Error(`no statement for ${ids.length} references`);
  const hashes = padded(ids.map(referenceHash), REFERENCE_STEPS[step] ?? 0, 0);
  return new Set((await tx.all(statement, ...hashes)).map((row) => row.account_id));
}

/**
 * What ties each account to a message that arrives for it. It runs for each message, in place: a few indexed rows for an
 * account, and a few more when it has a list.
 */
export async function relations(tx: ReadTx, request: RelationRequest): Promise<Relation[]> {
  const authors = [...new Set(request.from.map(senderKey))].filter((key) => key !== '');
  const addresses = padded(authors, sql.MAX_AUTHORS, NO_ADDRESS);
  const senders = await answered(tx, request.references);
  const match = listMatcher(authors, request.ip);
  const ofSite = await match(tx, SITE, await siteLists(tx));
  const found: Relation[] = [];
  for (const accountId of request.accountIds) {
    const row = await tx.get(sql.relationOf, accountId, accountId, accountId, ...addresses, accountId);
    if (row === undefined) throw new Error('a SELECT of one row gave none');
    const wroteTo = authors.length > 0 && row.known === authors.length;
    const own = await match(tx, accountId, { senders: row.senders === 1, networks: row.networks === 1 });
    found.push({
      accountId,
      wroteTo,
      sent: wroteTo ? (row.sent ?? 0) : 0,
      answersOwn: senders.has(accountId),
      list: own ?? ofSite,
      model: modelOf(row),
    });
  }
  return found;
}

function modelOf({ ham, spam, updated_at }: sql.RelationRow): ModelState | undefined {
  if (ham === null || spam === null || updated_at === null) return undefined;
  return stateOf({ ham, spam, updated_at });
}
