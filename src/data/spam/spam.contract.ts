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
  fill,
  mailboxId,
  newAccount,
  type Operations,
  operations,
  refused,
  rowsOf,
  SYSTEM,
} from '../mailstore/contract-fixtures.ts';
import { Flag, type SpecialUse, type StoreMode } from '../mailstore/types.ts';
import { correspondentsOf, learnedOf, pendingOf, sentIdsOf, tablesNaming } from './contract.sql.ts';
import { HALVE_ABOVE } from './reputation.sql.ts';
import { MAX_CORRESPONDENTS } from './senders.sql.ts';
import { MAX_PENDING } from './training.sql.ts';
import type { Label, ListAction, RelationRequest, Sent } from './types.ts';

const DAY = 24 * 3600 * 1000;

/** What every engine's memory of the filter must do. One store serves all tests; each has an account of its own. */
export function spamContract(
  open: (options: { clock: ManualClock }) => Promise<InlineStore>,
  /** Fill what is bounded: over a socket that takes half a minute. */
  { fillUp }: { fillUp: boolean },
): void {
  describe('spam contract', () => {
    let store: InlineStore;
    let clock: ManualClock;
    let ops: Operations;
    let account = 0;
    let address = '';
    let inbox = 0;
    let junk = 0;
    let n = 0;

    before(async () => {
      clock = manualClock();
      store = await open({ clock });
      ops = operations(store);
      await ops.write('directory.addDomain', { actor: SYSTEM, name: DOMAIN });
    });
    beforeEach(async () => {
      address = `spam${++n}@${DOMAIN}`;
      account = await newAccount(ops, `spam${n}`);
      inbox = await mailboxId(ops, account, 'INBOX');
      junk = await mailboxId(ops, account, 'Junk');
    });
    after(async () => {
      try {
        await ops.sound();
      } finally {
        await store.close();
      }
    });

    /** "label cause" of each wish, with the places of the emails among those given. */
    const wishes = async (emails: readonly number[] = []) =>
      (await store.inspect((tx) => tx.all(pendingOf, account))).map((row) =>
        [emails.indexOf(row.email_id), row.label, row.cause].join(' '),
      );
    const transfer = (how: 'copy' | 'move', from: number, to: number, ranges = ALL) =>
      ops.write(`mailstore.${how}`, { accountId: account, mailboxId: from, ranges, targetId: to });
    const emailsIn = async (mailbox: number) => (await rowsOf(ops, mailbox)).map((row) => row.emailId);
    /** Answer all wishes of the account, as the trainer would. */
    const learnAll = async () => {
      const pending = await mine();
      const done = pending.map(({ id, accountId, emailId, label }) => ({ id, accountId, emailId, label }));
      await ops.write('spam.learned', { models: [], done });
    };
    const mine = async () =>
      (await ops.read('spam.pendingTraining', { limit: 20_000 })).filter(
        ({ accountId }) => accountId === account,
      );
    const deliver = async (where: { specialUse: SpecialUse } | { name: string }, text?: string) => {
      const deposit = depositOf(account, {
        mailbox: where,
        prefix: Buffer.from('Return-Path: <a@b.test>\r\n'),
        receivedAt: clock.now(),
      });
      const { deposits } = await ops.write('delivery.accept', acceptOf([deposit], text));
      assert.ok(deposits[0]?.status === 'stored');
      return deposits[0].emailId;
    };
    const mark = async (mailbox: number, mode: StoreMode, keywords: string[], ranges = ALL) => {
      const request = { accountId: account, mailboxId: mailbox, ranges, mode, set: { flags: 0, keywords } };
      await ops.write('mailstore.storeFlags', request);
    };

    describe('what people do', () => {
      it('into Junk is spam, out of it ham, into Trash and between others nothing', async () => {
        await fill(ops, account, inbox, 3);
        const emails = await emailsIn(inbox);
        const archive = await mailboxId(ops, account, 'Archive');
        const trash = await mailboxId(ops, account, 'Trash');
        await transfer('move', inbox, archive);
        await transfer('copy', archive, inbox);
        assert.deepEqual(await wishes(), []);
        await transfer('move', archive, junk);
        assert.deepEqual(await wishes(emails), ['0 spam moved', '1 spam moved', '2 spam moved']);
        await transfer('move', junk, trash, [{ from: 1, to: 1 }]);
        assert.deepEqual(await wishes(emails), ['0 spam moved', '1 spam moved', '2 spam moved']);
        await transfer('copy', junk, inbox, [{ from: 3, to: 3 }]);
        assert.deepEqual(
          await wishes(emails),
          ['0 spam moved', '1 spam moved', '2 ham moved'],
          'the newest counts',
        );
        const said = await wishes(emails);
        await transfer('copy', junk, junk);
        assert.deepEqual(await wishes(emails), said, 'within Junk nothing is said');
      });

      it('many and scattered messages are learned once each, the copies too', async () => {
        await fill(ops, account, inbox, 40);
        const emails = await emailsIn(inbox);
        await transfer('copy', inbox, inbox);
        const ranges = Array.from({ length: 40 }, (_, i) => ({ from: 2 * i + 1, to: 2 * i + 1 }));
        await transfer('move', inbox, junk, ranges);
        const once = emails.flatMap((_, i) => (i % 2 === 0 ? [`${i} spam moved`] : []));
        assert.deepEqual((await wishes(emails)).toSorted(), once.toSorted());
      });

      it('keywords in any case and of Thunderbird, by STORE and by APPEND', async () => {
        const cases: [string, Label | undefined][] = [
          ['$JUNK', 'spam'],
          ['junk', 'spam'],
          ['$NotJunk', 'ham'],
          ['NonJunk', 'ham'],
          ['Junky', undefined],
        ];
        for (const [keyword, label] of cases) {
          const [uid = 0] = await fill(ops, account, inbox, 1);
          const emailId = (await emailsIn(inbox)).at(-1) ?? 0;
          await mark(inbox, 'add', [keyword], [{ from: uid, to: uid }]);
          const stored = (await mine()).find((each) => each.emailId === emailId);
          assert.deepEqual(
            [stored?.label, stored?.cause],
            (label && [label, 'marked']) || [undefined, undefined],
            keyword,
          );
          await fill(ops, account, inbox, 1, { flags: 0, keywords: [keyword] });
          const appended = (await emailsIn(inbox)).at(-1);
          assert.equal(
            (await mine()).find((each) => each.emailId === appended)?.label,
            label,
            `APPEND ${keyword}`,
          );
        }
      });

      it('a keyword that was there says nothing new; both at once say nothing; taking one away leaves the other', async () => {
        await fill(ops, account, inbox, 4);
        const emails = await emailsIn(inbox);
        await mark(inbox, 'add', ['$NotJunk'], [{ from: 2, to: 2 }]);
        await learnAll();
        await mark(inbox, 'add', ['$NotJunk'], [{ from: 2, to: 2 }]);
        assert.deepEqual(await wishes(), [], 'nothing changed');
        await mark(inbox, 'add', ['Junk', 'other']);
        assert.deepEqual(await wishes(emails), ['0 spam marked', '2 spam marked', '3 spam marked']);
        await mark(inbox, 'remove', ['$NotJunk']);
        assert.deepEqual((await wishes(emails)).at(-1), '1 spam marked');
        await mark(inbox, 'replace', ['NonJunk'], [{ from: 3, to: 3 }]);
        assert.deepEqual((await wishes(emails)).at(-1), '2 ham marked');
        await mark(inbox, 'remove', ['Junk', 'NonJunk']);
        assert.equal((await wishes()).length, 4, 'nothing is unlearned');
        await learnAll();
        await mark(
          inbox,
          'add',
          ['$NotJunk'],
          [
            { from: 1, to: 1 },
            { from: 4, to: 4 },
          ],
        );
        assert.deepEqual(await wishes(emails), ['0 ham marked', '3 ham marked'], 'not what lies between');
        await learnAll();
        await mark(inbox, 'add', ['NonJunk'], [{ from: 1, to: 1 }]);
        assert.deepEqual(await wishes(), [], 'the same in other words');
      });

      it('the filter’s own Junk, an expunge, a flag and a renamed mailbox say nothing', async () => {
        await deliver({ specialUse: '\\Junk' });
        await deliver({ specialUse: '\\Junk' });
        await ops.write('mailstore.storeFlags', {
          accountId: account,
          mailboxId: junk,
          ranges: [{ from: 1, to: 1 }],
          mode: 'add',
          set: { flags: Flag.Deleted, keywords: ['$Forwarded'] },
        });
        await ops.write('mailstore.expunge', { accountId: account, mailboxId: junk });
        await ops.write('mailstore.renameMailbox', { accountId: account, from: 'INBOX', to: `Old ${n}` });
        assert.deepEqual(await wishes(), []);
      });

      it('UNCHANGEDSINCE that fails says nothing', async () => {
        await fill(ops, account, inbox, 2);
        const [first] = await rowsOf(ops, inbox);
        await ops.write('mailstore.storeFlags', {
          accountId: account,
          mailboxId: inbox,
          ranges: ALL,
          mode: 'add',
          set: { flags: 0, keywords: ['$Junk'] },
          unchangedSince: first?.modseq ?? 0,
        });
        assert.deepEqual(await wishes(await emailsIn(inbox)), ['0 spam marked']);
      });

      it('asked for: by email or a whole mailbox, of one’s own account only', async () => {
        await fill(ops, account, inbox, 3);
        const emails = await emailsIn(inbox);
        const other = await newAccount(ops, `other${n}`);
        const otherInbox = await mailboxId(ops, other, 'INBOX');
        await fill(ops, other, otherInbox, 1);
        const theirs = await emailsIn(otherInbox);
        const named = {
          accountId: account,
          emailIds: [emails[0] ?? 0, ...theirs, 999_999],
          label: 'spam',
        } as const;
        assert.deepEqual(await ops.write('spam.train', named), { count: 1 });
        assert.deepEqual(await wishes(emails), ['0 spam trained']);
        const whole = { accountId: account, mailboxId: inbox, label: 'ham' } as const;
        assert.deepEqual(await ops.write('spam.train', whole), { count: 3 });
        assert.deepEqual(await wishes(emails), ['0 ham trained', '1 ham trained', '2 ham trained']);
        await refused(ops.write('spam.train', { ...whole, mailboxId: otherInbox }), 'no-such-mailbox');
      });

      it('what waits is bounded: the oldest wishes go', { skip: !fillUp }, async () => {
        await fill(ops, account, inbox, 3);
        const [first = 0, second = 0, third = 0] = await emailsIn(inbox);
        await ops.write('spam.train', { accountId: account, emailIds: [first], label: 'ham' });
        const many = await ops.write('mailstore.createMailbox', { accountId: account, name: 'Many' });
        await fill(ops, account, many.id, MAX_PENDING + 1);
        const [oldest = 0, next = 0] = await emailsIn(many.id);
        await ops.write('spam.train', { accountId: account, mailboxId: many.id, label: 'ham' });
        const left = async () => (await mine()).map(({ emailId }) => emailId);
        const full = await left();
        assert.deepEqual([full.length, full[0], full.includes(oldest)], [MAX_PENDING, next, false]);
        await ops.write('spam.train', { accountId: account, emailIds: [second, third], label: 'ham' });
        const later = await left();
        assert.deepEqual([later.length, later.at(-2), later.at(-1)], [MAX_PENDING, second, third]);
        assert.equal(later.includes(next), false);
        await learnAll();
      });
    });

    describe('learning', () => {
      const model = (owner: number, text: string, ham = 1, spam = 2) => ({
        owner,
        model: Buffer.from(text),
        ham,
        spam,
      });

      it('wishes come in order, with what it takes to read the octets', async () => {
        const deposit = depositOf(account, { prefix: Buffer.from('X: 1\r\n'), hidden: [[0, 12]] });
        const content = contentOf({ structure: '{"parts":1}' });
        await ops.write('delivery.accept', acceptOf([deposit], 'Subject: x\r\n\r\nthe body\r\n', content));
        await transfer('move', inbox, junk);
        const [wish] = await mine();
        assert.ok(wish);
        assert.deepEqual(
          [wish.label, wish.cause, wish.learned, wish.at],
          ['spam', 'moved', undefined, clock.now()],
        );
        const { blobId, blobSize, structure, hidden, prefix, emailId } = wish.content;
        assert.equal((await store.blobs.bytes(blobId)).toString(), 'Subject: x\r\n\r\nthe body\r\n');
        assert.deepEqual(
          [blobSize, structure, hidden, Buffer.from(prefix).toString(), emailId],
          [24, '{"parts":1}', [[0, 12]], 'X: 1\r\n', wish.emailId],
        );
        await learnAll();
      });

      it('models and wishes are settled together, and a change of mind is learned again', async () => {
        await fill(ops, account, inbox, 1);
        await transfer('move', inbox, junk);
        const [first] = await mine();
        assert.ok(first);
        clock.advance(5);
        await ops.write('spam.learned', { models: [model(account, 'one')], done: [first] });
        assert.deepEqual(await mine(), []);
        const stored = await ops.read('spam.model', { owner: account });
        assert.deepEqual(
          [Buffer.from(stored?.model ?? []).toString(), stored?.ham, stored?.spam, stored?.updatedAt],
          ['one', 1, 2, clock.now()],
        );
        await transfer('move', junk, inbox);
        const [second] = await mine();
        assert.deepEqual([second?.label, second?.learned], ['ham', 'spam']);
        await learnAll();
        assert.deepEqual(
          (await store.inspect((tx) => tx.all(learnedOf, account))).map((row) => row.label),
          ['ham'],
        );
      });

      it('a refused write settles nothing', async () => {
        await fill(ops, account, inbox, 1);
        await transfer('move', inbox, junk);
        const [wish] = await mine();
        assert.ok(wish);
        const bad = { ...model(account, 'x'), ham: 'many' as unknown as number };
        await assert.rejects(
          ops.write('spam.learned', { models: [model(account, 'kept?'), bad], done: [wish] }),
        );
        assert.equal((await mine()).length, 1);
        assert.equal(await ops.read('spam.model', { owner: account }), undefined);
        await learnAll();
      });

      it('a mind changed while it is learned stands: the newer wish is not lost', async () => {
        await fill(ops, account, inbox, 1);
        await transfer('move', inbox, junk);
        const [read] = await mine();
        await transfer('move', junk, inbox);
        assert.ok(read);
        await ops.write('spam.learned', { models: [], done: [read] });
        const left = await mine();
        assert.deepEqual(
          left.map(({ label, learned }) => [label, learned]),
          [['ham', 'spam']],
        );
        await learnAll();
      });

      it('models are listed with their size; one of an account that is gone is dropped', async () => {
        await ops.write('spam.learned', {
          models: [model(account, 'abcd'), model(0, 'site'), model(987_654, 'x')],
          done: [],
        });
        await ops.write('spam.learned', { models: [model(0, 'larger', 7, 8)], done: [] });
        const all = await ops.read('spam.modelInfo', null);
        assert.deepEqual(
          all
            .filter(({ owner }) => [0, account, 987_654].includes(owner))
            .map(({ owner, bytes, ham }) => [owner, bytes, ham]),
          [
            [0, 6, 7],
            [account, 4, 1],
          ],
        );
      });

      it('a deleted email is forgotten: its wish, and that it was learned', async () => {
        await fill(ops, account, inbox, 2);
        await transfer('move', inbox, junk);
        const [first] = await mine();
        assert.ok(first);
        await ops.write('spam.learned', { models: [], done: [first] });
        await ops.write('mailstore.expunge', { accountId: account, mailboxId: junk, anyFlag: true });
        assert.equal((await mine()).length, 1, 'octets are there while it can be brought back');
        clock.advance(1);
        await ops.write('mailstore.purge', { before: clock.now(), limit: 1000 });
        assert.deepEqual(await wishes(), []);
        assert.deepEqual(await store.inspect((tx) => tx.all(learnedOf, account)), []);
        await ops.write('spam.learned', { models: [], done: [first] });
        await ops.sound();
      });
    });

    describe('what is kept unasked', () => {
      const kept = async (which: 'keptInbox' | 'junkKept', limit = 100) => {
        const request = {
          accountId: account,
          savedBefore: clock.now() - 2 * DAY,
          receivedAfter: clock.now() - 60 * DAY,
          limit,
        };
        return (await ops.read(`spam.${which}`, request)).map(({ emailId }) => emailId);
      };
      const seen = (mailbox: number) =>
        ops.write('mailstore.storeFlags', {
          accountId: account,
          mailboxId: mailbox,
          ranges: ALL,
          mode: 'add',
          set: { flags: Flag.Seen, keywords: [] },
        });

      it('read mail that lies for two days in a mailbox for keeping, newest first', async () => {
        const read = await deliver({ name: 'INBOX' });
        const archived = await deliver({ name: 'INBOX' });
        await deliver({ name: 'Sent' });
        await deliver({ name: 'Drafts' });
        await deliver({ name: 'Trash' });
        for (const name of ['INBOX', 'Sent', 'Drafts', 'Trash'])
          await seen(await mailboxId(ops, account, name));
        const unread = await deliver({ name: 'INBOX' });
        await transfer('copy', inbox, await mailboxId(ops, account, 'Archive'), [{ from: 2, to: 2 }]);
        assert.deepEqual(await kept('keptInbox'), [], 'too young');
        clock.advance(2 * DAY + 1);
        assert.deepEqual(
          await kept('keptInbox'),
          [archived, read],
          'once each, though one lies in two places',
        );
        assert.deepEqual(await kept('keptInbox', 1), [archived]);
        await ops.write('spam.learned', {
          models: [],
          done: [{ id: undefined, accountId: account, emailId: archived, label: 'ham' }],
        });
        assert.deepEqual(await kept('keptInbox'), [read], 'learned once');
        await ops.write('spam.train', { accountId: account, emailIds: [read], label: 'spam' });
        assert.deepEqual(await kept('keptInbox'), [], 'somebody said what it is');
        await seen(inbox);
        assert.deepEqual(await kept('keptInbox'), [unread]);
        clock.advance(58 * DAY);
        assert.deepEqual(await kept('keptInbox'), [], 'too old');
        await learnAll();
      });

      it('what the filter put into Junk and nobody took out, read or not', async () => {
        const own = await deliver({ specialUse: '\\Junk' });
        await deliver({ name: 'INBOX' });
        await transfer('move', inbox, junk);
        const [moved] = await mine();
        assert.ok(moved);
        await ops.write('spam.learned', { models: [], done: [{ ...moved, emailId: 0 }] });
        const theirs = depositOf(account, { receivedAt: clock.now() });
        const append = { accountId: account, mailboxId: junk, blob: blobOf('x'), content: contentOf() };
        await ops.write('mailstore.append', { ...append, deposit: theirs });
        const rescued = await deliver({ specialUse: '\\Junk' });
        const [, , , last] = await rowsOf(ops, junk);
        assert.equal(last?.emailId, rescued);
        await transfer('move', junk, inbox, [{ from: last?.uid ?? 0, to: last?.uid ?? 0 }]);
        assert.deepEqual(await kept('junkKept'), [], 'too young');
        clock.advance(2 * DAY + 1);
        assert.deepEqual(await kept('junkKept'), [own], 'not what was moved, or put there by a client');
        await learnAll();
      });
    });

    describe('whom they know', () => {
      const submit = (sent: Omit<Sent, 'accountId'>) =>
        ops.write('delivery.accept', {
          ...acceptOf([depositOf(account, { mailbox: { name: 'Sent' } })]),
          sent: { accountId: account, ...sent },
        });
      const relation = async (more: Partial<RelationRequest>) => {
        const request = { accountIds: [account], from: [], ip: undefined, references: [], ...more };
        const [found] = await ops.read('spam.relation', request);
        assert.ok(found);
        return found;
      };
      const add = (owner: string | null, pattern: string, action: ListAction) =>
        ops.write('spam.listAdd', { actor: SYSTEM, account: owner, pattern, action });

      it('correspondents, however the address is written; all authors must be known', async () => {
        await submit({ addresses: ['Ann@Friend.Test', 'bob@friend.test', address], messageId: undefined });
        await submit({ addresses: ['ann@friend.test'], messageId: undefined });
        const found = async (...from: string[]) => {
          const { wroteTo, sent } = await relation({ from });
          return [wroteTo, sent];
        };
        assert.deepEqual(await found('ANN@friend.test'), [true, 2]);
        assert.deepEqual(await found('bob@friend.test', 'ann@Friend.test'), [true, 1]);
        assert.deepEqual(await found('ann@friend.test', 'eve@evil.test'), [false, 0]);
        assert.deepEqual(await found(address), [false, 0], 'oneself is no correspondent');
        assert.deepEqual(await found(), [false, 0]);
        assert.deepEqual(await found('ann@friend.test', '1@x.test', '2@x.test', '3@x.test', '4@x.test'), [
          false,
          0,
        ]);
      });

      it('nothing is remembered of what was not accepted', async () => {
        const nobody = acceptOf([depositOf(987_654)]);
        await ops.write('delivery.accept', {
          ...nobody,
          sent: { accountId: account, addresses: ['a@b.test'], messageId: 'x@y' },
        });
        assert.equal((await relation({ from: ['a@b.test'] })).wroteTo, false);
      });

      it('answers to own mail, by any of up to twenty references, for the account that wrote it', async () => {
        await submit({ addresses: [], messageId: `own${n}@mail.test` });
        const references = Array.from({ length: 30 }, (_, i) => `ref${i}@x.test`);
        assert.equal((await relation({ references })).answersOwn, false);
        references[25] = `own${n}@mail.test`;
        assert.equal((await relation({ references })).answersOwn, true);
        assert.equal((await relation({ references: [`own${n}@mail.test`] })).answersOwn, true);
        references[2] = `own${n}@mail.test`;
        references[25] = 'other@x.test';
        assert.equal((await relation({ references })).answersOwn, false, 'the newest twenty count');
        const other = await newAccount(ops, `reader${n}`);
        const both = await ops.read('spam.relation', {
          accountIds: [other, account],
          from: [],
          ip: undefined,
          references: [`own${n}@mail.test`],
        });
        assert.deepEqual(
          both.map(({ accountId, answersOwn }) => [accountId, answersOwn]),
          [
            [other, false],
            [account, true],
          ],
        );
      });

      it('the own model, without its octets', async () => {
        assert.equal((await relation({})).model, undefined);
        await ops.write('spam.learned', {
          models: [{ owner: account, model: Buffer.from('m'), ham: 3, spam: 4 }],
          done: [],
        });
        assert.deepEqual((await relation({})).model, { ham: 3, spam: 4, updatedAt: clock.now() });
      });

      it('lists: own before site’s, address before domain before network, narrow before wide', async () => {
        const list = async (...from: string[]) => {
          const { list: found } = await relation({ from, ip: '192.0.2.77' });
          return found && `${found.action} ${found.pattern}${found.site ? ' (site)' : ''}`;
        };
        const d = `d${n}.test`;
        assert.equal(await list(`a@${d}`), undefined);
        await add(null, d, 'block');
        assert.equal(await list(`a@${d}`), `block @${d} (site)`);
        await add(address, '192.0.0.0/16', 'block');
        assert.equal(await list('x@elsewhere.test'), 'block 192.0.0.0/16');
        await add(address, '192.0.2.64/27', 'allow');
        assert.equal(await list('x@elsewhere.test'), 'allow 192.0.2.64/27');
        await add(address, `@${d.toUpperCase()}`, 'allow');
        assert.equal(await list(`A@${d}`), `allow @${d}`);
        assert.equal(await list(`a@sub.${d}`), 'allow 192.0.2.64/27', 'a domain is not those below it');
        await add(address, `A@${d}`, 'block');
        assert.equal(await list(`a@${d}`), `block a@${d}`);
        assert.equal(await list(`b@${d}`, `a@${d}`), `block a@${d}`, 'one blocked author is enough');
        assert.equal(await list(`b@${d}`, 'x@elsewhere.test'), 'allow 192.0.2.64/27', 'allowed when all are');
        for (const owner of [address, null]) {
          for (const entry of await ops.read('spam.lists', { account: owner })) {
            await ops.write('spam.listRemove', { actor: SYSTEM, account: owner, pattern: entry.pattern });
          }
        }
        assert.equal(await list(`a@${d}`), undefined);
      });

      it('networks of IPv6, and IPv4 in IPv6 clothes', async () => {
        await add(address, '2001:DB8:0::1/32', 'block');
        await add(address, '2001:db8:f000::1/36', 'block');
        await add(address, '198.51.100.7', 'block');
        const ip = async (text: string) => (await relation({ from: ['a@b.test'], ip: text })).list?.pattern;
        assert.equal(await ip('2001:db8:efff::1'), '2001:db8::/32');
        assert.equal(await ip('2001:db8:ffff::1'), '2001:db8:f000::/36');
        assert.equal(await ip('2001:db9::1'), undefined);
        assert.equal(await ip('::ffff:198.51.100.7'), '198.51.100.7/32');
        assert.equal(await ip('unknown'), undefined);
        const bad = (pattern: string) => refused(add(address, pattern, 'allow'), 'bad-input');
        for (const pattern of [
          '',
          '2001:db8::/33',
          '10.0.0.0/7',
          '10.0.0.0/33',
          '10.0.0.0/x',
          'a b@c.test',
          '@',
          '1.2.3',
        ])
          await bad(pattern);
      });

      it('lists: who may change them, and the record of it', async () => {
        const owner: Actor = { name: address, role: 'user', domainId: 1 };
        const stranger: Actor = { name: `x@${DOMAIN}`, role: 'user', domainId: 1 };
        const entry = { account: address, pattern: 'Eve@Evil.test', action: 'block', note: 'spam' } as const;
        assert.deepEqual(await ops.write('spam.listAdd', { ...entry, actor: owner }), {
          pattern: 'eve@evil.test',
        });
        assert.deepEqual(await ops.read('spam.lists', { account: address }), [
          { pattern: 'eve@evil.test', action: 'block', note: 'spam', createdAt: clock.now() },
        ]);
        const [record] = await ops.read('directory.audit', { limit: 1 });
        assert.deepEqual(
          [record?.actor, record?.action, record?.subject, record?.data],
          [address, 'sender-list.block', address, '{"pattern":"eve@evil.test","note":"spam"}'],
        );
        await refused(ops.write('spam.listAdd', { ...entry, actor: stranger }), 'not-permitted');
        await refused(ops.write('spam.listAdd', { ...entry, account: null, actor: owner }), 'not-permitted');
        const gone = { account: address, pattern: 'eve@evil.test' };
        await refused(ops.write('spam.listRemove', { ...gone, actor: stranger }), 'not-permitted');
        await ops.write('spam.listRemove', { ...gone, actor: owner });
        await refused(ops.write('spam.listRemove', { ...gone, actor: owner }), 'not-found');
        assert.deepEqual(await ops.read('spam.lists', { account: address }), []);
      });

      it('forgets old message ids and the correspondents beyond the bound, oldest first', async () => {
        await submit({ addresses: ['oldest@x.test'], messageId: `old${n}@mail.test` });
        clock.advance(DAY);
        const many = Array.from({ length: MAX_CORRESPONDENTS }, (_, i) => `c${i}@x.test`);
        await submit({ addresses: many.slice(0, 2000), messageId: undefined });
        clock.advance(DAY);
        await submit({ addresses: many.slice(2000), messageId: `new${n}@mail.test` });
        const count = async () => (await store.inspect((tx) => tx.all(correspondentsOf, account))).length;
        assert.equal(await count(), MAX_CORRESPONDENTS + 1);
        let last = 0;
        for (let more = true; more; ) {
          const args = { sentBefore: clock.now(), reputationBefore: 0, after: last, limit: 1 };
          ({ more, after: last } = await ops.write('spam.forget', args));
        }
        assert.equal(await count(), MAX_CORRESPONDENTS);
        assert.equal((await relation({ from: ['oldest@x.test'] })).wroteTo, false);
        assert.equal((await relation({ references: [`old${n}@mail.test`] })).answersOwn, false);
        assert.equal((await relation({ references: [`new${n}@mail.test`] })).answersOwn, true);
        assert.equal((await store.inspect((tx) => tx.get(sentIdsOf, account)))?.count, 1);
      });
    });

    describe('reputation', () => {
      it('counts, fades, and forgets who was not seen for long', async () => {
        const domain = `r${n}.test`;
        const note = (label: Label, count: number) =>
          ops.write('spam.noteReputation', {
            notes: Array.from({ length: count }, () => ({ kind: 'domain' as const, name: domain, label })),
          });
        const seen = async () => {
          const { domain: found, network } = await ops.read('spam.reputation', {
            domain,
            network: '192.0.2.0/24',
          });
          assert.equal(network, undefined);
          return found && [found.ham, found.spam, found.lastAt];
        };
        assert.equal(await seen(), undefined);
        await note('ham', 3);
        await note('spam', 1);
        assert.deepEqual(await seen(), [3, 1, clock.now()]);
        clock.advance(1);
        await note('ham', HALVE_ABOVE - 4);
        assert.deepEqual(await seen(), [HALVE_ABOVE - 1, 1, clock.now()]);
        await note('spam', 1);
        assert.deepEqual(await seen(), [Math.floor((HALVE_ABOVE - 1) / 2), 1, clock.now()]);
        const forget = (reputationBefore: number) =>
          ops.write('spam.forget', {
            sentBefore: 0,
            reputationBefore,
            after: Number.MAX_SAFE_INTEGER,
            limit: 100,
          });
        assert.equal((await forget(clock.now())).more, false);
        assert.ok(await seen());
        await forget(clock.now() + 1);
        assert.equal(await seen(), undefined);
      });
    });

    it('settings: for administrators, with a record', async () => {
      assert.equal(await ops.read('spam.settings', null), undefined);
      const user: Actor = { name: address, role: 'user', domainId: 1 };
      await refused(ops.write('spam.saveSettings', { actor: user, json: '{}' }), 'not-permitted');
      await ops.write('spam.saveSettings', { actor: SYSTEM, json: '{"enabled":false}' });
      assert.equal(await ops.read('spam.settings', null), '{"enabled":false}');
      const [record] = await ops.read('directory.audit', { limit: 1 });
      assert.deepEqual(
        [record?.action, JSON.parse(record?.data ?? '')],
        ['filter.settings', { before: null, after: '{"enabled":false}' }],
      );
    });

    it('an account that goes for good leaves nothing', async () => {
      await fill(ops, account, inbox, 2);
      await transfer('move', inbox, junk);
      const [wish] = await mine();
      assert.ok(wish);
      await ops.write('spam.learned', {
        models: [{ owner: account, model: Buffer.from('m'), ham: 1, spam: 1 }],
        done: [wish],
      });
      await ops.write('delivery.accept', {
        blob: blobOf('x'),
        content: contentOf(),
        deposits: [depositOf(account)],
        overQuota: 'report',
        queue: [],
        events: [],
        sent: { accountId: account, addresses: ['a@b.test'], messageId: 'x@y' },
      });
      await ops.write('spam.listAdd', {
        actor: SYSTEM,
        account: address,
        pattern: '@b.test',
        action: 'allow',
      });
      const naming = async () => {
        const found: string[] = [];
        for (const { table, rows } of tablesNaming) {
          if (((await store.inspect((tx) => tx.get(rows, account)))?.count ?? 0) > 0) found.push(table);
        }
        return found;
      };
      assert.deepEqual((await naming()).toSorted(), [
        'correspondents',
        'sender_lists',
        'sent_message_ids',
        'spam_learned',
        'spam_models',
        'spam_training',
      ]);
      await ops.write('directory.removeAccount', { actor: SYSTEM, address, purge: true });
      assert.deepEqual(await naming(), []);
      await ops.sound();
    });
  });
}
