import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import {
  ALL,
  acceptOf,
  contentOf,
  depositOf,
  DOMAIN,
  newAccount,
  type Operations,
  operations,
  refused,
  SYSTEM,
} from '../mailstore/contract-fixtures.ts';
import type { RefusalKind } from '../../base/errors.ts';
import type { InlineStore } from '../inline.ts';
import { formatRights, parseRights } from './rights.ts';

const refuses = (kind: RefusalKind, promise: Promise<unknown>): Promise<void> => refused(promise, kind);

const allOf = (ops: Operations, mailboxId: number, want: ('content' | 'thread')[]) =>
  ops.read('mailstore.fetch', { mailboxId, ranges: ALL, want, limit: 1000 });

/** What every engine must do about rights, subscriptions and annotations. */
export function sharingContract(open: () => Promise<InlineStore>): void {
  describe('sharing contract', () => {
    let store: InlineStore;
    let ops: Operations;
    let n = 0;
    let alice: number;
    let bob: number;
    let mailboxId: number;

    before(async () => {
      store = await open();
      ops = operations(store);
      await ops.write('directory.addDomain', { actor: SYSTEM, name: DOMAIN });
      await ops.write('directory.addDomain', { actor: SYSTEM, name: 'other.test' });
    });
    beforeEach(async () => {
      n++;
      alice = await newAccount(ops, `alice${n}`);
      bob = await newAccount(ops, `bob${n}`);
      mailboxId = (await ops.write('mailstore.createMailbox', { accountId: alice, name: 'Work' })).id;
    });
    after(async () => {
      await ops.sound();
      await store.close();
    });

    const grant = (identifier: string, rights: string, more: { mailbox?: string; account?: string } = {}) =>
      ops.write('sharing.setRights', {
        actor: SYSTEM,
        account: more.account ?? `alice${n}@${DOMAIN}`,
        mailbox: more.mailbox ?? 'Work',
        identifier,
        mode: 'replace',
        rights: parseRights(rights) ?? 0,
      });
    const rightsOf = async (accountId: number, id = mailboxId): Promise<string> =>
      formatRights(await ops.read('sharing.rights', { accountId, mailboxId: id }));
    const foreign = (path = 'Work'): string => `Other Users/alice${n}@${DOMAIN}/${path}`;
    const seenBy = async (accountId: number): Promise<string[]> =>
      (await ops.read('sharing.mailboxes', { accountId }))
        .filter(({ own }) => !own)
        .map(({ mailbox }) => mailbox.name)
        // Those of this test.
        .filter((name) => name.includes(`${n}@`));

    it('gives the owner everything and nobody else anything', async () => {
      assert.equal(await rightsOf(alice), 'lrswipkxtea');
      assert.equal(await rightsOf(bob), '');
      assert.deepEqual(await seenBy(bob), []);
      assert.equal(await ops.read('sharing.resolve', { accountId: bob, name: foreign() }), undefined);
    });

    it('adds what all that mean somebody give, and takes away what negative entries say', async () => {
      await grant(`bob${n}@${DOMAIN}`, 'lr');
      await grant('anyone', 's');
      await grant(`@${DOMAIN}`, 'wt');
      assert.equal(await rightsOf(bob), 'lrswt');
      await grant(`-bob${n}@${DOMAIN}`, 'rw');
      assert.equal(await rightsOf(bob), 'lst');
      await grant('anyone', '');
      await grant(`-bob${n}@${DOMAIN}`, '');
      assert.equal(await rightsOf(bob), 'lrwt');
      // What stands is only about this mailbox and these people.
      await grant(`@${DOMAIN}`, '');
      const carol = await newAccount(ops, `carol${n}`);
      assert.equal(await rightsOf(carol), '');
    });

    it('knows groups: accounts an alias leads to, as long as it does', async () => {
      const address = `team${n}@${DOMAIN}`;
      const target = `bob${n}@${DOMAIN}`;
      await ops.write('directory.addAlias', { actor: SYSTEM, address, targets: [target] });
      await grant(`group:${address}`, 'lr');
      assert.equal(await rightsOf(bob), 'lr');
      assert.deepEqual(await seenBy(bob), [foreign()]);
      assert.deepEqual(
        (await ops.read('sharing.acl', { mailboxId })).map(({ identifier }) => identifier),
        [`alice${n}@${DOMAIN}`, `group:${address}`],
      );
      await ops.write('directory.removeAlias', { actor: SYSTEM, address });
      assert.equal(await rightsOf(bob), '');
      // One of the same name is another group.
      await ops.write('directory.addAlias', { actor: SYSTEM, address, targets: [target] });
      assert.equal(await rightsOf(bob), '');
    });

    it('never takes l and a from the owner', async () => {
      await grant(`alice${n}@${DOMAIN}`, '');
      assert.equal(await rightsOf(alice), 'la');
      await grant(`-alice${n}@${DOMAIN}`, 'lrswipkxtea');
      assert.equal(await rightsOf(alice), 'la');
      await grant(`alice${n}@${DOMAIN}`, 'lrswipkxtea');
      await grant(`-alice${n}@${DOMAIN}`, '');
      assert.equal(await rightsOf(alice), 'lrswipkxtea');
      assert.equal((await ops.read('sharing.acl', { mailboxId })).length, 1);
    });

    it('lets only who has the right a change the list, and tells nobody else that there is one', async () => {
      const change = { accountId: bob, mailboxId, identifier: 'anyone', mode: 'add', rights: 1 } as const;
      await refuses('no-such-mailbox', ops.write('sharing.setRightsAs', change));
      await grant(`bob${n}@${DOMAIN}`, 'l');
      await refuses('not-permitted', ops.write('sharing.setRightsAs', change));
      await grant(`bob${n}@${DOMAIN}`, 'la');
      await ops.write('sharing.setRightsAs', change);
      await ops.write('sharing.setRightsAs', {
        ...change,
        identifier: `bob${n}@${DOMAIN}`,
        mode: 'remove',
        rights: 1024,
      });
      await refuses('not-permitted', ops.write('sharing.setRightsAs', change));
      const rows = await ops.read('directory.audit', { limit: 1 });
      assert.equal(rows[0]?.actor, `bob${n}@${DOMAIN}`);
      assert.equal(rows[0]?.action, 'mailbox.rights');
    });

    it('does not give old rights to a new account of an old name', async () => {
      await grant(`bob${n}@${DOMAIN}`, 'lr');
      const address = `bob${n}@${DOMAIN}`;
      await ops.write('directory.removeAccount', { actor: SYSTEM, address, purge: true });
      const again = await newAccount(ops, `bob${n}`);
      assert.notEqual(again, bob);
      assert.equal(await rightsOf(again), '');
      assert.equal((await ops.read('sharing.acl', { mailboxId })).length, 1);
    });

    it('keeps rights over a removal that is undone, and forgets all with the account', async () => {
      const address = `bob${n}@${DOMAIN}`;
      await grant(address, 'lr');
      await ops.write('sharing.subscribe', { accountId: bob, name: foreign(), subscribed: true });
      const note = { scope: 'private', entry: '/comment', value: Buffer.from('x') } as const;
      await ops.write('sharing.annotate', { accountId: bob, mailboxId, changes: [note] });
      await ops.write('directory.removeAccount', { actor: SYSTEM, address, purge: false });
      assert.equal((await ops.read('sharing.acl', { mailboxId })).length, 1, 'not shown meanwhile');
      await ops.write('directory.restoreAccount', { actor: SYSTEM, address });
      assert.equal(await rightsOf(bob), 'lr');
      assert.deepEqual(await seenBy(bob), [foreign()]);
      await ops.write('directory.removeAccount', { actor: SYSTEM, address, purge: true });
      assert.equal((await ops.read('sharing.annotations', { accountId: bob, mailboxId })).length, 0);
      // Its own mailboxes take their lists along.
      await grant('anyone', 'lr');
      const owner = `alice${n}@${DOMAIN}`;
      await ops.write('directory.removeAccount', { actor: SYSTEM, address: owner, purge: true });
      assert.deepEqual(await ops.read('sharing.acl', { mailboxId }), []);
    });

    it('hides the mailboxes of an account that was removed', async () => {
      await grant('anyone', 'lr');
      const address = `alice${n}@${DOMAIN}`;
      await ops.write('directory.removeAccount', { actor: SYSTEM, address, purge: false });
      assert.equal(await ops.read('sharing.resolve', { accountId: bob, name: foreign() }), undefined);
      assert.equal((await seenBy(bob)).includes(foreign()), false);
      await ops.write('directory.restoreAccount', { actor: SYSTEM, address });
      assert.equal((await seenBy(bob)).includes(foreign()), true);
      await grant('anyone', '');
    });

    it('begins a new mailbox with the list of the one above it', async () => {
      await grant(`bob${n}@${DOMAIN}`, 'lrk');
      const { id } = await ops.write('mailstore.createMailbox', { accountId: alice, name: 'Work/2026/Q1' });
      assert.equal(await rightsOf(bob, id), 'lrk');
      const place = await ops.read('sharing.place', { accountId: bob, name: foreign('Work/2026/New') });
      assert.equal(formatRights(place?.above ?? 0), 'lrk');
      assert.equal((await ops.read('sharing.place', { accountId: bob, name: foreign('Top') }))?.above, 0);
      assert.equal(await ops.read('sharing.place', { accountId: bob, name: 'Shared/x' }), undefined);
      // What is renamed keeps its list.
      await ops.write('mailstore.renameMailbox', { accountId: alice, from: 'Work/2026', to: 'Old' });
      assert.equal(await rightsOf(bob, id), 'lrk');
    });

    it('keeps shared accounts apart: no password, another namespace, the inbox above everything', async () => {
      const address = `info${n}@${DOMAIN}`;
      const account = {
        actor: SYSTEM,
        address,
        displayName: '',
        role: 'user',
        quota: 0,
        scram: null,
      } as const;
      const { id: info } = await ops.write('directory.addAccount', { ...account, hash: 'x', shared: true });
      assert.equal(await ops.read('directory.credential', { login: address }), undefined);
      await refuses(
        'conflict',
        ops.write('directory.setPassword', { actor: SYSTEM, address, hash: 'x', scram: null }),
      );
      await refuses('conflict', ops.write('directory.setRole', { actor: SYSTEM, address, role: 'admin' }));
      await grant(`bob${n}@${DOMAIN}`, 'lrk', { account: address, mailbox: 'INBOX' });
      assert.deepEqual(await seenBy(bob), [`Shared/${address}/INBOX`]);
      const name = `Other Users/${address}/INBOX`;
      assert.equal(await ops.read('sharing.resolve', { accountId: bob, name }), undefined);
      const place = await ops.read('sharing.place', { accountId: bob, name: `Shared/${address}/Orders` });
      assert.equal(formatRights(place?.above ?? 0), 'lrk');
      const made = await ops.write('mailstore.createMailbox', { accountId: info, name: 'Orders' });
      assert.equal(await rightsOf(bob, made.id), 'lrk');
    });

    it('keeps subscriptions to names of others, also when the mailbox goes', async () => {
      const name = foreign();
      await refuses(
        'no-such-mailbox',
        ops.write('sharing.subscribe', { accountId: bob, name, subscribed: true }),
      );
      await grant(`bob${n}@${DOMAIN}`, 'lr');
      await ops.write('sharing.subscribe', { accountId: bob, name, subscribed: true });
      const find = async () =>
        (await ops.read('sharing.mailboxes', { accountId: bob })).find(
          ({ mailbox }) => mailbox.name === name,
        );
      assert.equal((await find())?.mailbox.subscribed, true);
      await ops.write('mailstore.deleteMailbox', { accountId: alice, name: 'Work' });
      assert.equal((await find())?.mailbox.id, 0);
      await ops.write('sharing.subscribe', { accountId: bob, name, subscribed: false });
      assert.equal(await find(), undefined);
    });

    it('copies and moves between accounts: same octets, each its own email, quota and thread', async () => {
      const envelope = Buffer.from('("d" "s" NIL NIL NIL NIL NIL NIL "<a@x>" "<b@x>")');
      const content = contentOf({ envelope, messageId: 'b@x', references: ['a@x'] });
      const set = { flags: 1 | 4, keywords: ['$Done'] };
      const deposit = depositOf(alice, { mailbox: { id: mailboxId }, set });
      await ops.write('delivery.accept', acceptOf([deposit, { ...deposit }], 'one', content));
      const reply = contentOf({
        envelope: Buffer.from('(NIL NIL "<b@x>" "<c@x>")'),
        messageId: 'c@x',
        references: ['b@x'],
      });
      await ops.write('delivery.accept', acceptOf([deposit], 'two', reply));
      const target = await ops.read('mailstore.mailbox', { accountId: bob, name: 'INBOX' });
      const way = {
        accountId: alice,
        mailboxId,
        ranges: [{ from: 1, to: 9 }],
        targetId: target?.id ?? 0,
        targetAccountId: bob,
      };
      const untouched = await ops.read('mailstore.quota', { accountId: alice });
      const { pairs } = await ops.write('mailstore.copy', {
        ...way,
        permitted: { flags: 1, keywords: false },
      });
      assert.deepEqual(
        pairs.map(([from, to]) => [from, to]),
        [
          [1, 1],
          [2, 2],
        ],
      );
      const rows = await allOf(ops, way.targetId, ['content', 'thread']);
      const originals = await allOf(ops, mailboxId, ['content', 'thread']);
      assert.deepEqual(
        rows.map((row) => [row.flags, row.keywords]),
        [
          [1, []],
          [1, []],
        ],
      );
      assert.deepEqual(
        rows.map((row) => row.content?.blobId),
        originals.map((row) => row.content?.blobId),
      );
      assert.notDeepEqual(
        rows.map((row) => row.emailId),
        originals.map((row) => row.emailId),
      );
      assert.equal(rows[0]?.threadId, rows[1]?.threadId, 'a reply is in the thread of what it answers');
      assert.equal((await ops.read('mailstore.quota', { accountId: bob })).emails, 2);
      assert.deepEqual(await ops.read('mailstore.quota', { accountId: alice }), untouched);
      await ops.write('mailstore.move', way);
      assert.equal((await ops.read('mailstore.quota', { accountId: alice })).emails, 0);
      assert.equal((await ops.read('mailstore.quota', { accountId: bob })).emails, 4);
      await ops.sound();
      // All or nothing.
      const address = `bob${n}@${DOMAIN}`;
      await ops.write('directory.setQuota', { actor: SYSTEM, address, quota: 0, messages: 5 });
      const back = { accountId: bob, mailboxId: way.targetId, ranges: way.ranges, targetId: mailboxId };
      await ops.write('mailstore.copy', { ...back, targetAccountId: alice });
      await refuses('over-quota', ops.write('mailstore.copy', way));
      assert.equal((await ops.read('mailstore.quota', { accountId: bob })).emails, 4);
    });

    it('changes only the flags that are permitted', async () => {
      await ops.write(
        'delivery.accept',
        acceptOf([depositOf(alice, { mailbox: { id: mailboxId }, set: { flags: 4, keywords: ['a'] } })]),
      );
      const change = (mode: 'add' | 'remove' | 'replace', flags: number, keywords: readonly string[]) =>
        ops.write('mailstore.storeFlags', {
          accountId: alice,
          mailboxId,
          ranges: [{ from: 1, to: 1 }],
          mode,
          set: { flags, keywords },
          permitted: { flags: 1, keywords: false },
        });
      assert.deepEqual(
        (await change('replace', 1 | 8, ['b'])).rows.map((row) => [row.flags, row.keywords]),
        [[5, ['a']]],
      );
      assert.deepEqual(
        (await change('remove', 31, ['a'])).rows.map((row) => [row.flags, row.keywords]),
        [[4, ['a']]],
      );
      assert.deepEqual(
        (await change('add', 31, ['c'])).rows.map((row) => [row.flags, row.keywords]),
        [[5, ['a']]],
      );
      await ops.sound();
    });

    it('bounds lists and annotations', async () => {
      const value = Buffer.alloc(32 * 1024 + 1);
      const annotate = (
        changes: readonly { scope: 'private' | 'shared'; entry: string; value: Uint8Array | null }[],
      ) => ops.write('sharing.annotate', { accountId: alice, mailboxId, changes });
      await refuses('limit', annotate([{ scope: 'shared', entry: '/comment', value }]));
      const many = Array.from(
        { length: 101 },
        (_, i) => ({ scope: 'private', entry: `/x/${i}`, value: Buffer.from('y') }) as const,
      );
      await refuses('limit', annotate(many));
      assert.equal(
        (await ops.read('sharing.annotations', { accountId: alice, mailboxId })).length,
        0,
        'all or nothing',
      );
      await annotate(many.slice(0, 100));
      await annotate([{ scope: 'private', entry: '/x/0', value: null }]);
      assert.equal((await ops.read('sharing.annotations', { accountId: alice, mailboxId })).length, 99);
      assert.equal((await ops.read('sharing.annotations', { accountId: bob, mailboxId })).length, 0);
      await refuses(
        'not-permitted',
        ops.write('sharing.annotate', {
          accountId: alice,
          mailboxId: 0,
          changes: [{ scope: 'shared', entry: '/comment', value: Buffer.from('x') }],
        }),
      );
    });

    it('refuses identifiers that mean nobody', async () => {
      for (const identifier of [
        'nobody@mail.test',
        '@elsewhere.test',
        'group:nobody@mail.test',
        'x',
        '-',
        '',
      ]) {
        await refuses('not-found', grant(identifier, 'lr'));
      }
      await refuses('bad-input', grant('x'.repeat(500), 'lr'));
    });
  });
}
