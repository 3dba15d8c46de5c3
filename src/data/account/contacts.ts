import { Refusal } from '../../base/errors.ts';
import { isAscii } from '../../mail/address/domain.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { senderKey } from '../spam/address.ts';
import { MAX_CORRESPONDENTS } from '../spam/senders.sql.ts';
import * as sql from './contacts.sql.ts';

/** UTF-16 units of a name. */
const NAME_LENGTH = 100;
/** Words of a question that count. */
const MAX_WORDS = 5;

export interface Contact {
  readonly name: string;
  readonly address: string;
  /** Messages that were sent there. */
  readonly times: number;
  readonly lastAt: number;
}

/** Somebody's name as it stands beside their address. */
export interface NamedAddress {
  readonly name: string;
  readonly address: string;
}

/** Without case and accents. */
function fold(text: string): string {
  if (isAscii(text)) return text.toLowerCase();
  return text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
}

/**
 * Correspondents, those written to most first; with `q` those in whose name or address each word of it begins a word.
 * It reads what one account may have at most, so it belongs into a reader thread.
 */
export async function contacts(
  tx: ReadTx,
  { accountId, q, limit }: { accountId: number; q: string; limit: number },
): Promise<Contact[]> {
  const words = fold(q)
    .split(/[\s,;<>"]+/)
    .filter((word) => word !== '')
    .slice(0, MAX_WORDS);
  const rows = await tx.all(sql.contactsOf, accountId, words.length === 0 ? limit : MAX_CORRESPONDENTS);
  const found: Contact[] = [];
  for (const row of rows) {
    if (found.length >= limit) break;
    if (words.length > 0 && !matches(row, words)) continue;
    found.push({ name: row.name, address: row.address, times: row.sent, lastAt: row.last_at });
  }
  return found;
}

function matches({ name, address }: sql.ContactRow, words: readonly string[]): boolean {
  let called: string | undefined;
  return words.every((word) => beginsWord(address, word) || beginsWord((called ??= fold(name)), word));
}

const LETTER = /[\p{L}\p{N}]/u;

/** Whether a word of the text begins so. */
function beginsWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (at === 0 || !LETTER.test(text.charAt(at - 1))) return true;
  }
  return false;
}

/** Not proposed any more, until it is written to again. Refusal 'not-found'. */
export async function forgetContact(
  tx: WriteTx,
  { accountId, address }: { accountId: number; address: string },
): Promise<null> {
  if ((await tx.run(sql.hideContact, accountId, senderKey(address))) === 0)
    throw new Refusal('not-found', 'There is no such contact.');
  return null;
}

function cleanName({ name, address }: NamedAddress): string {
  const text = name
    .replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ')
    .toWellFormed()
    .trim()
    .slice(0, NAME_LENGTH);
  // A name that looks like an address is none, or it could pass for another one.
  return text.includes('@') || text.toLowerCase() === address.toLowerCase() ? '' : text;
}

/** What the account itself calls those it writes to; after they were counted as correspondents. */
export async function noteNames(
  tx: WriteTx,
  accountId: number,
  names: readonly NamedAddress[],
): Promise<void> {
  await nameAll(tx, sql.nameContact, accountId, names);
}

/** The same from mail of years ago: names that are known now stay. */
export async function nameUnnamedAll(
  tx: WriteTx,
  accountId: number,
  names: readonly NamedAddress[],
): Promise<void> {
  await nameAll(tx, sql.nameUnnamed, accountId, names);
}

async function nameAll(
  tx: WriteTx,
  statement: typeof sql.nameContact,
  accountId: number,
  names: readonly NamedAddress[],
): Promise<void> {
  const found = new Map(names.map((each) => [senderKey(each.address), cleanName(each)]));
  for (const key of [...found.keys()].toSorted()) {
    const name = found.get(key) ?? '';
    if (name !== '' && key !== '') await tx.run(statement, name, accountId, key);
  }
}

/** What somebody who has proven who they are calls themselves, for accounts that write to them. */
export async function noteAuthor(
  tx: WriteTx,
  accountIds: readonly number[],
  author: NamedAddress,
): Promise<void> {
  const name = cleanName(author);
  const key = senderKey(author.address);
  if (name === '' || key === '') return;
  for (const accountId of [...new Set(accountIds)].toSorted((a, b) => a - b))
    await tx.run(sql.nameUnnamed, name, accountId, key);
}
