import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import type { Actor } from '../directory/types.ts';
import type { InlineStore } from '../inline.ts';
import {
  acceptOf,
  ALL,
  blobOf,
  contentOf,
  depositOf,
  DOMAIN,
  mailboxId,
  newAccount,
  type Operations,
  operations,
  refused,
  rowsOf,
  SYSTEM,
} from '../mailstore/contract-fixtures.ts';
import { Flag } from '../mailstore/types.ts';
import { tablesNaming } from './contract.sql.ts';
import { MAX_KEY_BYTES, MAX_KEYS_OF_ADDRESS, type NewKey } from './keys.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** What every engine must do with what people keep for themselves. */
export function accountContract(open: (options: { clock: ManualClock }) => Promise<InlineStore>): void {
  describe('account contract', () => {
    let store: InlineStore;
    let clock: ManualClock;
    let ops: Operations;
    let accountId = 0;
    let inbox = 0;
    let self: Actor = SYSTEM;
    let n = 0;

    before(async () => {
      clock = manualClock();
      store = await open({ clock });
      ops = operations(store);
      await ops.write('directory.addDomain', { actor: SYSTEM, name: DOMAIN });
    });
    beforeEach(async () => {
      accountId = await newAccount(ops, `own${++n}`);
      self = { name: `own${n}@${DOMAIN}`, role: 'user', domainId: undefined };
      inbox = await mailboxId(ops, accountId, 'INBOX');
    });
    after(async () => {
      try {
        await ops.sound();
      } finally {
        await store.close();
      }
    });

    const append = async (mailbox: number, keywords: string[] = []): Promise<number> => {
      const set = { flags: Flag.Seen, keywords };
      const { emailId } = await ops.write('mailstore.append', {
        accountId,
        mailboxId: mailbox,
        blob: blobOf('Subject: x\r\n\r\n'),
        content: contentOf(),
        deposit: depositOf(accountId, { set }),
      });
      return emailId;
    };
    const lying = async (name: string) => {
      const box = await ops.read('mailstore.mailbox', { accountId, name });
      if (box === undefined) return [];
      return (await rowsOf(ops, box.id)).map(({ emailId, flags, keywords }) => ({
        emailId,
        flags,
        keywords,
      }));
    };
    const wakeDue = () => ops.write('account.wakeDue', { now: clock.now(), limit: 100 });
    const snooze = (emailIds: number[], ms = HOUR, more: { mailboxId?: number } = {}) =>
      ops.write('account.snooze', { accountId, emailIds, until: clock.now() + ms, ...more });
    const resolve = (address: string) => {
      const [localPart = '', domain = ''] = address.split('@');
      return ops.read('directory.resolve', { localPart, domain, delimiter: '+', size: 1 });
    };
    const mask = (more: { label?: string; site?: string } = {}) =>
      ops.write('account.addMasked', { actor: self, accountId, label: 'a shop', site: '', ...more });
    const only = async () => {
      const { addresses } = await ops.read('account.masked', { accountId });
      const [first] = addresses;
      assert.ok(first);
      return first;
    };

    it('puts mail away and brings it back once, unread, without its mark', async () => {
      const id = await append(inbox, ['$work']);
      assert.deepEqual(await snooze([id]), { snoozed: 1 });
      assert.deepEqual(await lying('INBOX'), []);
      assert.deepEqual(await lying('Snoozed'), [
        { emailId: id, flags: Flag.Seen, keywords: ['$work', '$snoozed'] },
      ]);
      assert.equal((await wakeDue()).woken, 0);
      assert.deepEqual(
        (await ops.read('account.snoozed', { accountId })).map(({ emailId }) => emailId),
        [id],
      );
      clock.advance(HOUR);
      assert.equal(await ops.read('account.anyDue', { now: clock.now() }), true);
      assert.equal((await wakeDue()).woken, 1);
      assert.deepEqual(await lying('INBOX'), [{ emailId: id, flags: 0, keywords: ['$work'] }]);
      assert.deepEqual(await lying('Snoozed'), []);
      assert.equal((await wakeDue()).woken, 0);
      assert.equal(await ops.read('account.anyDue', { now: clock.now() }), false);
    });

    it('brings it back to the mailbox it was in, or to the inbox when that is gone', async () => {
      const lists = await ops.write('mailstore.createMailbox', { accountId, name: 'Lists' });
      const gone = await ops.write('mailstore.createMailbox', { accountId, name: 'Gone' });
      const [a, b] = [await append(lists.id), await append(gone.id)];
      await snooze([a, b]);
      await ops.write('mailstore.deleteMailbox', { accountId, name: 'Gone' });
      clock.advance(HOUR);
      await wakeDue();
      assert.deepEqual(
        (await lying('Lists')).map(({ emailId }) => emailId),
        [a],
      );
      assert.deepEqual(
        (await lying('INBOX')).map(({ emailId }) => emailId),
        [b],
      );
    });

    it('leaves mail alone that was moved or deleted meanwhile', async () => {
      const [moved, deleted] = [await append(inbox), await append(inbox)];
      await snooze([moved, deleted]);
      const box = await mailboxId(ops, accountId, 'Snoozed');
      const [first, second] = await rowsOf(ops, box);
      const archive = await mailboxId(ops, accountId, 'Archive');
      const range = (uid = 0) => [{ from: uid, to: uid }];
      await ops.write('mailstore.move', {
        accountId,
        mailboxId: box,
        ranges: range(first?.uid),
        targetId: archive,
      });
      await ops.write('mailstore.expunge', {
        accountId,
        mailboxId: box,
        ranges: range(second?.uid),
        anyFlag: true,
      });
      clock.advance(HOUR);
      assert.equal((await wakeDue()).woken, 0);
      assert.deepEqual(await lying('Archive'), [{ emailId: moved, flags: Flag.Seen, keywords: [] }]);
      assert.deepEqual(await lying('INBOX'), []);
      assert.deepEqual(await ops.read('account.snoozed', { accountId }), []);
    });

    it('takes a new time for what is snoozed, wakes early, and refuses what is not there', async () => {
      const id = await append(inbox);
      await snooze([id], HOUR);
      await snooze([id], DAY);
      clock.advance(2 * HOUR);
      assert.equal((await wakeDue()).woken, 0);
      assert.deepEqual(await ops.write('account.wake', { accountId, emailIds: [id] }), { woken: 1 });
      assert.deepEqual(await ops.write('account.wake', { accountId, emailIds: [id] }), { woken: 0 });
      assert.equal((await lying('INBOX')).length, 1);
      await refused(snooze([id + 1000]), 'no-such-message');
      await refused(snooze([id], -1), 'bad-input');
      const other = await newAccount(ops, `other${n}`);
      const until = clock.now() + HOUR;
      await refused(
        ops.write('account.snooze', { accountId: other, emailIds: [id], until }),
        'no-such-message',
      );
      await refused(ops.write('account.wake', { accountId: other, emailIds: [id] }), 'no-such-message');
    });

    it('forgets snoozed mail that is purged for good', async () => {
      const id = await append(inbox);
      await snooze([id], 90 * DAY);
      const box = await mailboxId(ops, accountId, 'Snoozed');
      await ops.write('mailstore.expunge', { accountId, mailboxId: box, ranges: ALL, anyFlag: true });
      clock.advance(31 * DAY);
      await ops.write('mailstore.purge', { before: clock.now(), limit: 1000 });
      assert.deepEqual(await ops.read('account.snoozed', { accountId }), []);
    });

    it('leads masked addresses to their account, and nowhere when they are off', async () => {
      const { address, id, state } = await mask();
      assert.equal(state, 'on');
      assert.match(address, /^[a-z]{4}\.[a-z]{5}\.\d{4}@mail\.test$/);
      const found = await resolve(address.replace(/^[^@]*/, (local) => local.toUpperCase()));
      assert.ok(found.status === 'ok');
      const [target] = found.targets;
      assert.ok(target?.kind === 'account');
      assert.equal(target.accountId, accountId);
      assert.equal(target.masked, id);
      await ops.write('directory.setCatchAll', { actor: SYSTEM, domain: DOMAIN, address: self.name });
      const change = (next: 'on' | 'off' | 'deleted') =>
        ops.write('account.changeMasked', { actor: self, accountId, id, state: next });
      await change('off');
      assert.deepEqual(await resolve(address), { status: 'unknown', switchedOff: true });
      await change('on');
      assert.equal((await resolve(address)).status, 'ok');
      await change('deleted');
      assert.deepEqual(await resolve(address), { status: 'unknown', switchedOff: true });
      await ops.write('directory.setCatchAll', { actor: SYSTEM, domain: DOMAIN, address: null });
      assert.deepEqual((await ops.read('account.masked', { accountId })).addresses, []);
      await refused(change('on'), 'not-found');
      // Nobody else ever gets its name.
      const alias = { actor: SYSTEM, address, targets: [self.name] };
      await refused(ops.write('directory.addAlias', alias), 'already-exists');
    });

    it('lets the account send as its masked address, and nobody log in by it', async () => {
      const { address } = await mask();
      const [localPart = '', domain = ''] = address.split('@');
      const may = (who: number) =>
        ops.read('directory.maySendAs', { accountId: who, localPart, domain, delimiter: '+' });
      assert.equal(await may(accountId), true);
      assert.equal(await may(await newAccount(ops, `sender${n}`)), false);
      assert.equal(await ops.read('directory.credential', { login: address }), undefined);
      assert.notEqual(await ops.read('directory.credential', { login: self.name }), undefined);
    });

    it('counts who writes to a masked address, and tells that it leaked', async () => {
      const { id, address } = await mask({ site: 'https://www.shop.example/register' });
      const come = async (domain: string) => {
        const accept = { ...acceptOf([depositOf(accountId)]), masked: { ids: [id], domain } };
        await ops.write('delivery.accept', accept);
        clock.advance(1000);
      };
      await come('shop.example');
      await come('news.shop.example');
      assert.equal((await only()).leaked, false);
      await come('spam.example');
      await come('spam.example');
      const { senders, leaked, count, site } = await only();
      assert.equal(site, 'shop.example');
      assert.equal(count, 4);
      assert.equal(leaked, true);
      assert.deepEqual(
        senders.map((each) => [each.domain, each.count, each.expected]),
        [
          ['shop.example', 1, true],
          ['news.shop.example', 1, true],
          ['spam.example', 2, false],
        ],
      );
      assert.equal((await resolve(address)).status, 'ok');
    });

    it('takes the first sender for the site when none was named', async () => {
      const { id } = await mask();
      for (const domain of ['first.example', 'second.example']) {
        await ops.write('delivery.accept', {
          ...acceptOf([depositOf(accountId)]),
          masked: { ids: [id], domain },
        });
        clock.advance(1000);
      }
      assert.deepEqual(
        (await only()).senders.map(({ expected }) => expected),
        [true, false],
      );
    });

    it('keeps masked addresses to their owner', async () => {
      const { id } = await mask();
      const other = await newAccount(ops, `else${n}`);
      const actor: Actor = { name: `else${n}@${DOMAIN}`, role: 'user', domainId: undefined };
      const change = { actor, accountId: other, id, state: 'off' as const };
      await refused(ops.write('account.changeMasked', change), 'not-found');
      await refused(ops.write('account.changeMasked', { ...change, accountId }), 'not-permitted');
      await refused(mask({ site: 'not a site' }), 'bad-input');
    });

    it('proposes those who were written to, by what they are called', async () => {
      const send = (addresses: string[], names: { name: string; address: string }[]) =>
        ops.write('delivery.accept', {
          ...acceptOf([depositOf(accountId)]),
          sent: { accountId, addresses, messageId: undefined, names },
        });
      await send(['Zoe@b.example', 'ann@a.example'], [{ name: 'Zoë Müller', address: 'zoe@b.example' }]);
      await send(['ann@a.example'], [{ name: 'ann@a.example', address: 'ann@a.example' }]);
      const find = async (q = '') =>
        (await ops.read('account.contacts', { accountId, q, limit: 10 })).map(({ name, address, times }) => [
          name,
          address,
          times,
        ]);
      assert.deepEqual(await find(), [
        ['', 'ann@a.example', 2],
        ['Zoë Müller', 'zoe@b.example', 1],
      ]);
      for (const q of ['zoe', 'mull', 'b.ex', 'zoe mü']) assert.equal((await find(q)).length, 1, q);
      assert.deepEqual(await find('nobody'), []);
      // What they call themselves counts where the account has no name for them.
      for (const [name, address] of [
        ['Ann Author', 'ann@a.example'],
        ['Not Zoe', 'zoe@b.example'],
      ] as const)
        await ops.write('delivery.accept', {
          ...acceptOf([depositOf(accountId)]),
          author: { name, address },
        });
      assert.deepEqual(
        (await find()).map(([name]) => name),
        ['Ann Author', 'Zoë Müller'],
      );
      await ops.write('account.forgetContact', { accountId, address: 'ANN@a.example' });
      assert.equal((await find('ann')).length, 0);
      await refused(ops.write('account.forgetContact', { accountId, address: 'ann@a.example' }), 'not-found');
      await send(['ann@a.example'], []);
      assert.equal((await find('ann')).length, 1);
    });

    it('keeps settings of each kind within their size', async () => {
      const json = JSON.stringify({ theme: 'dark', text: 'ä\u0000' });
      await ops.write('account.setSetting', { accountId, kind: 'preferences', json });
      assert.equal(await ops.read('account.setting', { accountId, kind: 'preferences' }), json);
      assert.equal(await ops.read('account.setting', { accountId, kind: 'labels' }), undefined);
      const large = JSON.stringify('x'.repeat(16 * 1024));
      await refused(
        ops.write('account.setSetting', { accountId, kind: 'preferences', json: large }),
        'too-large',
      );
    });

    const key = (address: string, digits: string, more: Partial<NewKey> = {}): NewKey => ({
      accountId,
      kind: 'pgp',
      address,
      fingerprint: digits.repeat(20),
      data: Buffer.from(`key ${digits}`),
      source: 'message',
      trusted: false,
      ...more,
    });

    it('keeps keys of correspondents, and what is known of them is not lost when they come again', async () => {
      const first = await ops.write('account.putKey', key('Ann@A.example', 'Aa'));
      assert.equal(first.address, 'ann@a.example');
      assert.equal(first.fingerprint, 'aa'.repeat(20));
      const seen = clock.now();
      clock.advance(HOUR);
      await ops.write('account.putKey', key('ann@a.example', 'aa', { source: 'domain' }));
      await ops.write('account.trustKey', { accountId, id: first.id, trusted: true });
      const again = await ops.write(
        'account.putKey',
        key('ann@a.example', 'aa', { data: Buffer.from('renewed') }),
      );
      assert.deepEqual(
        { ...again, data: Buffer.from(again.data ?? []).toString() },
        {
          id: first.id,
          kind: 'pgp',
          address: 'ann@a.example',
          fingerprint: 'aa'.repeat(20),
          source: 'domain',
          trusted: true,
          firstSeen: seen,
          changedAt: clock.now(),
          size: 7,
          data: 'renewed',
        },
      );
      await ops.write('account.putKey', key('bea@b.example', 'bb'));
      const listed = await ops.read('account.keys', { accountId });
      assert.deepEqual(
        listed.map(({ address, data }) => [address, data]),
        [
          ['ann@a.example', undefined],
          ['bea@b.example', undefined],
        ],
      );
      const [ann] = await ops.read('account.keys', { accountId, address: 'ANN@a.example' });
      assert.equal(Buffer.from(ann?.data ?? []).toString(), 'renewed');
      // Somebody else's id is that of nothing.
      const other = await newAccount(ops, `spy${n}`);
      const theirs = { accountId: other, id: first.id };
      assert.equal(await ops.read('account.key', theirs), undefined);
      await refused(ops.write('account.trustKey', { ...theirs, trusted: false }), 'not-found');
      await refused(ops.write('account.removeKey', theirs), 'not-found');
      await ops.write('account.removeKey', { accountId, id: first.id });
      assert.deepEqual(await ops.read('account.keys', { accountId, address: 'ann@a.example' }), []);
    });

    it('bounds keys: their octets, and how many there are of one address', async () => {
      const large = key('ann@a.example', 'aa', { data: Buffer.alloc(MAX_KEY_BYTES + 1) });
      await refused(ops.write('account.putKey', large), 'too-large');
      await refused(
        ops.write('account.putKey', { ...large, data: Buffer.alloc(1), fingerprint: 'x' }),
        'bad-input',
      );
      for (let i = 0; i < MAX_KEYS_OF_ADDRESS; i++)
        await ops.write('account.putKey', key('ann@a.example', `1${i}`));
      await refused(ops.write('account.putKey', key('ann@a.example', 'ff')), 'limit');
      // A known one is renewed all the same.
      await ops.write('account.putKey', key('ann@a.example', '10', { source: 'given' }));
    });

    it('lists deleted mail in pages without old drafts, and lets its owner bring it back', async () => {
      const ids: number[] = [];
      for (let i = 0; i < 5; i++) ids.push(await append(inbox));
      const draft = await ops.write('mailstore.append', {
        accountId,
        mailboxId: inbox,
        blob: blobOf('draft'),
        content: contentOf(),
        deposit: depositOf(accountId, { set: { flags: Flag.Draft, keywords: [] } }),
      });
      await ops.write('mailstore.expunge', { accountId, mailboxId: inbox, ranges: ALL, anyFlag: true });
      const first = await ops.read('account.deleted', { accountId, limit: 3 });
      assert.deepEqual(
        first.emails.map(({ id }) => id),
        ids.toReversed().slice(0, 3),
      );
      assert.ok(first.next);
      const rest = await ops.read('account.deleted', { accountId, limit: 3, before: first.next });
      assert.deepEqual(
        rest.emails.map(({ id }) => id),
        ids.toReversed().slice(3),
      );
      assert.equal(rest.next, undefined);
      assert.equal(
        [...first.emails, ...rest.emails].some(({ id }) => id === draft.emailId),
        false,
      );
      const [emailId = 0] = ids;
      const way = await ops.read('account.wayBack', { accountId, emailId });
      assert.deepEqual(way, { mailboxId: inbox, mailbox: 'INBOX' });
      const other = await newAccount(ops, `thief${n}`);
      assert.equal(await ops.read('account.wayBack', { accountId: other, emailId }), undefined);
      const thief: Actor = { name: `thief${n}@${DOMAIN}`, role: 'user', domainId: undefined };
      const args = { accountId, emailId, mailboxId: inbox };
      await refused(ops.write('mailstore.undelete', { actor: thief, ...args }), 'not-permitted');
      await ops.write('mailstore.undelete', { actor: self, ...args });
      assert.deepEqual(
        (await lying('INBOX')).map((row) => row.emailId),
        [emailId],
      );
    });

    it('goes with its account', async () => {
      const id = await append(inbox);
      await snooze([id]);
      const { id: masked } = await mask();
      await ops.write('delivery.accept', {
        ...acceptOf([depositOf(accountId)]),
        masked: { ids: [masked], domain: 'a.example' },
      });
      await ops.write('account.setSetting', { accountId, kind: 'labels', json: '[]' });
      await ops.write('account.putKey', key('ann@a.example', 'aa'));
      const naming = async () => {
        const found: string[] = [];
        for (const { table, rows } of tablesNaming)
          if (((await store.inspect((tx) => tx.get(rows, accountId)))?.count ?? 0) > 0) found.push(table);
        return found;
      };
      assert.equal((await naming()).length, tablesNaming.length);
      await ops.write('directory.removeAccount', { actor: SYSTEM, address: self.name, purge: true });
      assert.deepEqual(await naming(), []);
    });
  });
}
