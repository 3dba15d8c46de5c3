import assert from 'node:assert/strict';
import { afterEach, beforeEach, it } from 'node:test';
import type { SqlValue, Statement, WriteTx } from '../db/sql.ts';
import { accept } from '../delivery/accept.ts';
import { type BareStore, openBareStore } from '../mailstore/bare-store.ts';
import { acceptOf, ALL, depositOf } from '../mailstore/contract-fixtures.ts';
import { findMailbox } from '../mailstore/mailboxes.ts';
import { expunge, move } from '../mailstore/placements.ts';
import { storeFlags } from '../mailstore/store-flags.ts';

/** What everybody does all day costs nothing more for the filter's memory: not one statement on its tables. */

const FILTER = /\b(?:spam_\w+|correspondents|sent_message_ids|sender_lists|reputation|vault\w*)\b/;

let store: BareStore;
beforeEach(async () => {
  store = await openBareStore(Date.UTC(2030, 0, 1));
});
afterEach(() => store.db.close());

/** The statements on the filter's tables that a write runs. */
async function filterStatements(fn: (tx: WriteTx) => Promise<unknown>): Promise<string[]> {
  const seen: string[] = [];
  const note = (statement: Statement<readonly SqlValue[], unknown>): void => {
    if (FILTER.test(statement.text.sqlite)) seen.push(statement.text.sqlite);
  };
  await store.transact((tx) => {
    const watched: WriteTx = {
      dialect: tx.dialect,
      now: tx.now,
      segments: tx.segments,
      touch: (account) => tx.touch(account),
      touchQueue: () => tx.touchQueue(),
      revoke: (account) => tx.revoke(account),
      get: (statement, ...params) => (note(statement as never), tx.get(statement, ...params)),
      all: (statement, ...params) => (note(statement as never), tx.all(statement, ...params)),
      run: (statement, ...params) => (note(statement as never), tx.run(statement, ...params)),
    };
    return fn(watched);
  });
  return seen;
}

const deliver = (mailbox: { name: string } | { specialUse: '\\Junk' }) => (tx: WriteTx) =>
  accept(tx, acceptOf([depositOf(store.accountId, { mailbox })]));
const named = async (name: string) => {
  const found = await store.transact((tx) => findMailbox(tx, { accountId: store.accountId, name }));
  assert.ok(found);
  return found.id;
};
const mark = async (keywords: string[]) => {
  const mailboxId = await named('INBOX');
  const set = { flags: 1, keywords };
  return filterStatements((tx) =>
    storeFlags(tx, { accountId: store.accountId, mailboxId, ranges: ALL, mode: 'add', set }),
  );
};
const moved = async (from: string, to: string) => {
  const [mailboxId, targetId] = [await named(from), await named(to)];
  return filterStatements((tx) => move(tx, { accountId: store.accountId, mailboxId, ranges: ALL, targetId }));
};

it('a delivery into INBOX and into Junk', async () => {
  assert.deepEqual(await filterStatements(deliver({ name: 'INBOX' })), []);
  assert.deepEqual(await filterStatements(deliver({ specialUse: '\\Junk' })), []);
});

it('marking mail as read or with other keywords; marking it as junk does', async () => {
  await store.transact(deliver({ name: 'INBOX' }));
  assert.deepEqual(await mark(['$Forwarded']), []);
  assert.equal((await mark(['$Junk'])).length, 3);
  assert.deepEqual(await mark(['$Junk']), [], 'it was marked already');
});

it('moving between mailboxes that are not Junk; into Junk does', async () => {
  await store.transact(deliver({ name: 'INBOX' }));
  assert.deepEqual(await moved('INBOX', 'Archive'), []);
  assert.deepEqual(await moved('Archive', 'Trash'), []);
  assert.equal((await moved('Trash', 'Junk')).length, 3);
  assert.deepEqual(await moved('INBOX', 'Junk'), [], 'nothing was there to move');
});

it('an expunge', async () => {
  await store.transact(deliver({ name: 'INBOX' }));
  const mailboxId = await named('INBOX');
  const args = { accountId: store.accountId, mailboxId, anyFlag: true };
  assert.deepEqual(await filterStatements((tx) => expunge(tx, args)), []);
});
