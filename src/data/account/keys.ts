import { Refusal } from '../../base/errors.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { senderKey } from '../spam/address.ts';
import * as sql from './keys.sql.ts';

/**
 * Keys and certificates of correspondents, by which their signatures are checked. What is in them is for the web app to
 * read: here they are octets with a fingerprint, and what is known of where they came from.
 */

/** Octets of one: those with many signatures of others are larger, and are sent without these. */
export const MAX_KEY_BYTES = 64 * 1024;
/** Keys of one account, and of one address in it. */
export const MAX_KEYS = 1000;
export const MAX_KEYS_OF_ADDRESS = 10;

export type KeyKind = 'pgp' | 'smime';
/** given: by the owner of the account; domain: by the address's own domain (Web Key Directory); the others: with mail. */
export type KeySource = 'given' | 'domain' | 'autocrypt' | 'message';
/** Where they say more about whose key it is, the better ones first. */
const SOURCES: readonly KeySource[] = ['given', 'domain', 'autocrypt', 'message'];

export interface CorrespondentKey {
  readonly id: number;
  readonly kind: KeyKind;
  /** In lower case. */
  readonly address: string;
  readonly fingerprint: string;
  readonly source: KeySource;
  readonly trusted: boolean;
  /** Milliseconds since the epoch. */
  readonly firstSeen: number;
  readonly changedAt: number;
  /** Octets. */
  readonly size: number;
  /** Left out of long lists. */
  readonly data: Uint8Array | undefined;
}

function toKey(row: sql.KeyRow): CorrespondentKey {
  return {
    id: row.id,
    kind: row.kind === 'smime' ? 'smime' : 'pgp',
    address: row.address,
    fingerprint: row.fingerprint,
    source: SOURCES.find((each) => each === row.source) ?? 'message',
    trusted: row.trusted === 1,
    firstSeen: row.first_seen,
    changedAt: row.changed_at,
    size: row.size,
    data: row.data ?? undefined,
  };
}

/** Those of one address with their octets, or all without. */
export async function correspondentKeys(
  tx: ReadTx,
  { accountId, address }: { accountId: number; address?: string },
): Promise<CorrespondentKey[]> {
  const rows =
    address === undefined
      ? await tx.all(sql.keyList, accountId)
      : await tx.all(sql.keysOfAddress, accountId, senderKey(address));
  return rows.map(toKey);
}

export async function correspondentKey(
  tx: ReadTx,
  { accountId, id }: { accountId: number; id: number },
): Promise<CorrespondentKey | undefined> {
  const row = await tx.get(sql.keyById, id, accountId);
  return row && toKey(row);
}

export interface NewKey {
  readonly accountId: number;
  readonly kind: KeyKind;
  readonly address: string;
  /** Hex. */
  readonly fingerprint: string;
  readonly data: Uint8Array;
  readonly source: KeySource;
  readonly trusted: boolean;
}

/**
 * Keep a key. One that is known has its octets renewed; what was known of its origin, and that it is trusted, stays when
 * it comes again with less. Refusals 'too-large', 'limit', 'bad-input'.
 */
export async function putKey(tx: WriteTx, given: NewKey): Promise<CorrespondentKey> {
  const { accountId, kind, data, source, trusted } = given;
  if (data.length > MAX_KEY_BYTES)
    throw new Refusal('too-large', `A key may have at most ${MAX_KEY_BYTES / 1024} KiB.`);
  const address = senderKey(given.address);
  const fingerprint = given.fingerprint.toLowerCase();
  if (!address.includes('@') || !/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(fingerprint))
    throw new Refusal('bad-input', 'A key has an address and a fingerprint.');
  const known = await tx.get(sql.keyLike, accountId, kind, address, fingerprint);
  if (known !== undefined) {
    const better = SOURCES.findIndex((each) => each === source || each === known.source);
    const from = SOURCES[better] ?? source;
    await tx.run(sql.changeKey, data, from, trusted ? 1 : known.trusted, tx.now, known.id);
    return need(tx, accountId, known.id);
  }
  const counts = await tx.get(sql.countKeys, address, accountId);
  if ((counts?.own ?? 0) >= MAX_KEYS_OF_ADDRESS)
    throw new Refusal(
      'limit',
      `There are ${MAX_KEYS_OF_ADDRESS} keys of ${address} already; remove one first.`,
    );
  if ((counts?.all_keys ?? 0) >= MAX_KEYS)
    throw new Refusal('limit', `There are ${MAX_KEYS} keys already; remove some first.`);
  const made = await tx.get(
    sql.insertKey,
    accountId,
    kind,
    address,
    fingerprint,
    data,
    source,
    trusted ? 1 : 0,
    tx.now,
    tx.now,
  );
  return need(tx, accountId, made?.id ?? 0);
}

async function need(tx: ReadTx, accountId: number, id: number): Promise<CorrespondentKey> {
  const found = await correspondentKey(tx, { accountId, id });
  if (found === undefined) throw new Refusal('not-found', 'There is no such key.');
  return found;
}

/** Say that a key is to be trusted for its address, or not any more. Refusal 'not-found'. */
export async function trustKey(
  tx: WriteTx,
  { accountId, id, trusted }: { accountId: number; id: number; trusted: boolean },
): Promise<CorrespondentKey> {
  await tx.run(sql.setTrust, trusted ? 1 : 0, tx.now, id, accountId);
  return need(tx, accountId, id);
}

/** Refusal 'not-found'. */
export async function removeKey(
  tx: WriteTx,
  { accountId, id }: { accountId: number; id: number },
): Promise<null> {
  if ((await tx.run(sql.deleteKey, id, accountId)) === 0)
    throw new Refusal('not-found', 'There is no such key.');
  return null;
}
