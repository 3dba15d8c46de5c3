import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { accept } from '../delivery/accept.ts';
import { type BareStore, openBareStore } from './bare-store.ts';
import { acceptOf, contentOf, depositOf } from './contract-fixtures.ts';
import { damages } from './contract.sql.ts';
import { checkInvariants } from './invariants.ts';
import { purgeAccount, purgeAccountStep } from './purge.ts';

describe('invariants', () => {
  let store: BareStore;
  let inbox = 0;
  let emailId = 0;

  beforeEach(async () => {
    store = await openBareStore(Date.UTC(2026, 0, 1));
    const { accountId } = store;
    const deposit = depositOf(accountId, { set: { flags: 1, keywords: ['k'] } });
    const content = contentOf({ messageId: 'one@x', references: ['zero@x'] });
    const { deposits } = await store.transact((tx) => accept(tx, acceptOf([deposit], 'text', content)));
    assert.ok(deposits[0]?.status === 'stored');
    ({ mailboxId: inbox, emailId } = deposits[0]);
    assert.deepEqual(await store.transact(checkInvariants), []);
    store.db.exec('PRAGMA foreign_keys = OFF');
  });
  afterEach(() => store.db.close());

  const cases: [keyof typeof damages, () => number, string[]][] = [
    ['messages', () => inbox, ['mailbox {inbox} counts 2 messages but has 1']],
    ['unseen', () => inbox, ['mailbox {inbox} counts 0 unseen messages but has 1']],
    ['uidnext', () => inbox, ['mailbox {inbox} has UID 1 but uidnext 1']],
    ['modseq', () => inbox, ['mailbox {inbox}: modseq 1003 of UID 1 is above the mailbox’s']],
    ['used', () => store.accountId, ['account {account} counts 5 octets in use but has 4']],
    [
      'orphan',
      () => emailId,
      [
        'account {account} counts 4 octets in use but has 0',
        'account {account} counts 1 emails in use but has 0',
        'mailbox {inbox}: UID 1 places email {email}, which is an orphan',
      ],
    ],
    [
      'blob',
      () => emailId,
      [
        'email {email} refers to blob 999999, which does not exist',
        'blob 1 of 4 octets belongs to no email, no queued message and nothing in the vault',
      ],
    ],
    [
      'training',
      () => store.accountId,
      ['account {account} wants email 999999 learned, which does not exist or is not its own'],
    ],
    [
      'learned',
      () => store.accountId,
      ['account {account} has learned email 999999, which does not exist or is not its own'],
    ],
    ['model', () => store.accountId, ['there is a model of account 1001, which does not exist']],
    ['senders', () => store.accountId, ['there is a list of senders of account 1001, which does not exist']],
    [
      'vault',
      () => store.accountId,
      ['vault entry 77 is for account {account}, and one of the two does not exist'],
    ],
  ];
  for (const [name, id, expected] of cases) {
    it(`notice damage: ${name}`, async () => {
      await store.transact((tx) => tx.run(damages[name], id()));
      const ids = { inbox, email: emailId, account: store.accountId };
      const texts = expected.map((text) =>
        text.replaceAll(/\{(\w+)\}/g, (_, key: keyof typeof ids) => String(ids[key])),
      );
      assert.deepEqual(await store.transact(checkInvariants), texts);
    });
  }

  it('hold after a delivery that had to make the inbox anew', async () => {
    await store.transact((tx) => purgeAccount(tx, store.accountId));
    const { deposits } = await store.transact((tx) => accept(tx, acceptOf([depositOf(store.accountId)])));
    assert.ok(deposits[0]?.status === 'stored');
    assert.equal(deposits[0].mailbox, 'INBOX');
    assert.notEqual(deposits[0].mailboxId, inbox);
    assert.deepEqual(await store.transact(checkInvariants), []);
  });

  it('hold between the steps of an account’s removal', async () => {
    for (let i = 0; i < 4; i++) {
      await store.transact((tx) => accept(tx, acceptOf([depositOf(store.accountId)], `text ${i}`)));
    }
    const steps: boolean[] = [];
    do {
      const { done } = await store.transact((tx) => purgeAccountStep(tx, store.accountId, 2));
      assert.deepEqual(await store.transact(checkInvariants), []);
      steps.push(done);
    } while (!steps.at(-1));
    assert.deepEqual(steps, [false, false, true]);
  });
});
