import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import type { Actor } from '../directory/types.ts';
import type { InlineStore } from '../inline.ts';
import {
  ALL,
  acceptOf,
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
} from './contract-fixtures.ts';
import { countBlobs } from './contract.sql.ts';
import { randomisedContract } from './model.contract.ts';
import { TOMBSTONE_MS } from './purge.ts';
import { appendAllContract } from './append-all.contract.ts';
import { sortingContract } from './sorting.contract.ts';
import { type Deposit, Flag, type FlagSet } from './types.ts';

const DAY = 24 * 3600 * 1000;
const NONE: FlagSet = { flags: 0, keywords: [] };

function flagged(flags: number, ...keywords: string[]): FlagSet {
  return { flags, keywords };
}

/** What every engine's mail store must do. One store serves all tests; each has an account of its own. */
export function mailstoreContract(
  open: (options: { clock: ManualClock }) => Promise<InlineStore>,
  seeds: readonly number[] = [1],
): void {
  describe('mail store contract', () => {
    let store: InlineStore;
    let clock: ManualClock;
    let ops: Operations;
    let account = 0;
    let inbox = 0;
    let n = 0;

    before(async () => {
      clock = manualClock();
      store = await open({ clock });
      ops = operations(store);
      await ops.write('directory.addDomain', { actor: SYSTEM, name: DOMAIN });
    });
    beforeEach(async () => {
      account = await newAccount(ops, `user${++n}`);
      inbox = await mailboxId(ops, account, 'INBOX');
    });
    after(async () => {
      try {
        await ops.sound();
      } finally {
        await store.close();
      }
    });

    const mailbox = async (id = inbox) => {
      const found = await ops.read('mailstore.mailboxById', { mailboxId: id });
      assert.ok(found);
      return found;
    };
    const names = async () =>
      (await ops.read('mailstore.mailboxes', { accountId: account })).map((each) => each.name);

    const create = (name: string) => ops.write('mailstore.createMailbox', { accountId: account, name });

    const send = async (messageId: string | undefined, references: string[], to = account) => {
      const content = contentOf({ messageId, references });
      await ops.write('delivery.accept', acceptOf([depositOf(to)], 'x', content));
    };

    const threads = async () =>
      (
        await ops.read('mailstore.fetch', { mailboxId: inbox, ranges: ALL, want: ['thread'], limit: 100 })
      ).map((row) => row.threadId ?? 0);

    const append = (to: number, set: FlagSet = NONE, text = 'text') =>
      ops.write('mailstore.append', {
        accountId: account,
        mailboxId: to,
        blob: blobOf(text),
        content: contentOf(),
        deposit: depositOf(account, { set }),
      });

    const storeFlags = (
      mode: 'add' | 'remove' | 'replace',
      set: FlagSet,
      more: {
        ranges?: { from: number; to: number }[];
        unchangedSince?: number;
        knownModseq?: number;
      } = {},
    ) =>
      ops.write('mailstore.storeFlags', {
        accountId: account,
        mailboxId: inbox,
        ranges: [...ALL],
        mode,
        set,
        ...more,
      });

    const archive = () => mailboxId(ops, account, 'Archive');

    const blobs = async () => (await store.inspect((tx) => tx.get(countBlobs)))?.n ?? 0;

    describe('mailboxes', () => {
      it('gives a new account its special-use mailboxes, subscribed', async () => {
        const all = await ops.read('mailstore.mailboxes', { accountId: account });
        assert.deepEqual(
          all.map((each) => [each.name, each.specialUse, each.subscribed]),
          [
            ['Archive', '\\Archive', true],
            ['Drafts', '\\Drafts', true],
            ['INBOX', undefined, true],
            ['Junk', '\\Junk', true],
            ['Sent', '\\Sent', true],
            ['Trash', '\\Trash', true],
          ],
        );
        assert.equal(new Set(all.map((each) => each.uidvalidity)).size, 6);
        await ops.write('mailstore.createDefaults', { accountId: account });
        assert.equal((await names()).length, 6);
      });

      it('creates missing parents, and names are one in every form and case of INBOX', async () => {
        const made = await ops.write('mailstore.createMailbox', {
          accountId: account,
          name: 'a/b/cafe\u0301/',
        });
        assert.equal(made.name, 'a/b/caf\u00e9');
        assert.equal(made.subscribed, false);
        await ops.write('mailstore.createMailbox', { accountId: account, name: 'inbox/lists' });
        assert.deepEqual(
          (await names()).filter((name) => name.includes('/') || name === 'a'),
          ['INBOX/lists', 'a', 'a/b', 'a/b/caf\u00e9'],
        );
        assert.equal(
          await mailboxId(ops, account, 'inbox/lists'),
          await mailboxId(ops, account, 'INBOX/lists'),
        );
        await refused(
          ops.write('mailstore.createMailbox', { accountId: account, name: 'a/b/caf\u00e9' }),
          'already-exists',
          'ALREADYEXISTS',
        );
        await refused(
          ops.write('mailstore.createMailbox', { accountId: account, name: 'iNbOx' }),
          'already-exists',
        );
      });

      it('refuses names that cannot be', async () => {
        for (const name of ['', '/', '/a', 'a//b', 'a\r\nb', 'a\u0085', '\ud800'])
          await refused(create(name), 'bad-input');
        await refused(create('x'.repeat(1001)), 'limit');
        await refused(create('\u00e9'.repeat(501)), 'limit');
        await refused(create(Array.from({ length: 21 }, () => 'x').join('/')), 'limit');
        await create('\u00e9'.repeat(500));
      });

      it('keeps special uses unique', async () => {
        await refused(
          ops.write('mailstore.createMailbox', { accountId: account, name: 'Spam', specialUse: '\\Junk' }),
          'not-permitted',
          'USEATTR',
        );
        await ops.write('mailstore.deleteMailbox', { accountId: account, name: 'Junk' });
        const spam = await ops.write('mailstore.createMailbox', {
          accountId: account,
          name: 'Spam',
          specialUse: '\\Junk',
        });
        assert.equal(spam.specialUse, '\\Junk');
      });

      it('gives a name used again a higher UIDVALIDITY, and keeps it subscribed meanwhile', async () => {
        const made = await ops.write('mailstore.createMailbox', { accountId: account, name: 'again' });
        await ops.write('mailstore.subscribe', { accountId: account, name: 'again', subscribed: true });
        await fill(ops, account, made.id, 2);
        assert.deepEqual(await ops.write('mailstore.deleteMailbox', { accountId: account, name: 'again' }), {
          id: made.id,
        });
        const dead = (await ops.read('mailstore.mailboxes', { accountId: account })).find(
          (each) => each.name === 'again',
        );
        assert.deepEqual([dead?.id, dead?.subscribed], [0, true]);
        assert.equal(
          (await ops.read('mailstore.changesSince', { mailboxId: made.id, modseq: 1 })).exists,
          false,
        );
        const anew = await ops.write('mailstore.createMailbox', { accountId: account, name: 'again' });
        assert.ok(anew.uidvalidity > made.uidvalidity);
        assert.deepEqual([anew.subscribed, anew.uidnext, anew.messages], [true, 1, 0]);
        assert.equal((await names()).filter((name) => name === 'again').length, 1);
      });

      it('unsubscribes names that are gone, and refuses to subscribe what never was', async () => {
        await ops.write('mailstore.createMailbox', { accountId: account, name: 'gone' });
        await ops.write('mailstore.subscribe', { accountId: account, name: 'gone', subscribed: true });
        await ops.write('mailstore.deleteMailbox', { accountId: account, name: 'gone' });
        await ops.write('mailstore.subscribe', { accountId: account, name: 'gone', subscribed: true });
        await ops.write('mailstore.subscribe', { accountId: account, name: 'gone', subscribed: false });
        assert.ok(!(await names()).includes('gone'));
        await refused(
          ops.write('mailstore.subscribe', { accountId: account, name: 'gone', subscribed: true }),
          'no-such-mailbox',
        );
        await ops.write('mailstore.subscribe', { accountId: account, name: 'Sent', subscribed: false });
        assert.equal(
          (await ops.read('mailstore.mailbox', { accountId: account, name: 'Sent' }))?.subscribed,
          false,
        );
      });

      it('refuses to delete INBOX, a parent, or what is not there', async () => {
        await ops.write('mailstore.createMailbox', { accountId: account, name: 'top/below' });
        const remove = (name: string) => ops.write('mailstore.deleteMailbox', { accountId: account, name });
        await refused(remove('inbox'), 'not-permitted', 'CANNOT');
        await refused(remove('top'), 'not-permitted', 'HASCHILDREN');
        await refused(remove('to'), 'no-such-mailbox', 'NONEXISTENT');
        await remove('top/below');
        await remove('top');
      });

      it('renames with children, and keeps what lies inside', async () => {
        const rename = (from: string, to: string) =>
          ops.write('mailstore.renameMailbox', { accountId: account, from, to });
        const child = await ops.write('mailstore.createMailbox', { accountId: account, name: 'old/x/y' });
        await ops.write('mailstore.createMailbox', { accountId: account, name: 'older' });
        const uids = await fill(ops, account, child.id, 3);
        await rename('old', 'new/place');
        assert.deepEqual(
          (await names()).filter((name) => /^(old|new)/.test(name)),
          ['new', 'new/place', 'new/place/x', 'new/place/x/y', 'older'],
        );
        assert.equal(await mailboxId(ops, account, 'new/place/x/y'), child.id);
        assert.deepEqual(
          (await rowsOf(ops, child.id)).map((row) => row.uid),
          uids,
        );
        await refused(rename('new', 'new/place/deeper'), 'not-permitted');
        await refused(rename('new', 'older'), 'already-exists', 'ALREADYEXISTS');
        await refused(rename('new', 'new'), 'already-exists');
        await refused(rename('nothing', 'something'), 'no-such-mailbox');
        await refused(rename('new', 'x'.repeat(995)), 'limit');
      });

      it('moves the messages of INBOX when it is renamed; its children stay', async () => {
        await ops.write('mailstore.createMailbox', { accountId: account, name: 'INBOX/child' });
        await fill(ops, account, inbox, 3, flagged(Flag.Flagged, 'work'));
        await ops.write('mailstore.renameMailbox', { accountId: account, from: 'INBOX', to: 'kept/all' });
        const kept = await mailboxId(ops, account, 'kept/all');
        assert.deepEqual(
          (await rowsOf(ops, kept)).map((row) => [row.uid, row.flags, row.keywords]),
          [
            [1, Flag.Flagged, ['work']],
            [2, Flag.Flagged, ['work']],
            [3, Flag.Flagged, ['work']],
          ],
        );
        assert.equal(await mailboxId(ops, account, 'INBOX'), inbox);
        assert.deepEqual([(await mailbox()).messages, (await mailbox()).uidnext], [0, 4]);
        await mailboxId(ops, account, 'INBOX/child');
        await ops.sound();
      });

      it('tells each arrival as recent to one session only', async () => {
        await fill(ops, account, inbox, 2);
        assert.deepEqual(await ops.write('mailstore.claimRecent', { mailboxId: inbox }), { recentUid: 1 });
        assert.deepEqual(await ops.write('mailstore.claimRecent', { mailboxId: inbox }), { recentUid: 3 });
        await fill(ops, account, inbox, 1);
        assert.deepEqual(await ops.write('mailstore.claimRecent', { mailboxId: inbox }), { recentUid: 3 });
      });
    });

    describe('delivery', () => {
      it('stores the octets once for all recipients and answers in order', async () => {
        const other = await newAccount(ops, `other${n}`);
        const earlier = await blobs();
        const { deposits } = await ops.write(
          'delivery.accept',
          acceptOf([
            depositOf(other, { mailbox: { specialUse: '\\Junk' } }),
            depositOf(account, { prefix: Buffer.from('Return-Path: <a@b>\r\n'), hidden: [[2, 5]] }),
            depositOf(999_999),
          ]),
        );
        assert.deepEqual(
          deposits.map((each) => each.status),
          ['stored', 'stored', 'no-account'],
        );
        assert.ok(deposits[0]?.status === 'stored' && deposits[1]?.status === 'stored');
        assert.equal(deposits[0].mailbox, 'Junk');
        assert.deepEqual([deposits[1].mailbox, deposits[1].uid], ['INBOX', 1]);
        assert.equal(await blobs(), earlier + 1);
        const first = await ops.read('mailstore.content', { accountId: other, emailId: deposits[0].emailId });
        const second = await ops.read('mailstore.content', {
          accountId: account,
          emailId: deposits[1].emailId,
        });
        assert.equal(first?.blobId, second?.blobId);
        assert.equal(Buffer.from(second?.prefix ?? []).toString(), 'Return-Path: <a@b>\r\n');
        assert.deepEqual(second?.hidden, [[2, 5]]);
        assert.equal(second?.blobSize, 20);
        assert.equal((await rowsOf(ops, inbox))[0]?.size, 20 + 20 - 3);
        const stranger = await ops.read('mailstore.content', {
          accountId: account,
          emailId: deposits[0].emailId,
        });
        assert.equal(stranger, undefined);
      });

      it('places one email in several mailboxes of an account, counting it once', async () => {
        const { deposits } = await ops.write(
          'delivery.accept',
          acceptOf([
            depositOf(account, { mailbox: { name: 'Archive' }, set: flagged(Flag.Seen) }),
            depositOf(account, { mailbox: { id: inbox } }),
            depositOf(account, { mailbox: { name: 'no such' } }),
          ]),
        );
        const stored = deposits.flatMap((each) => (each.status === 'stored' ? [each] : []));
        assert.deepEqual(
          stored.map((each) => each.mailbox),
          ['Archive', 'INBOX', 'INBOX'],
        );
        assert.equal(new Set(stored.map((each) => each.emailId)).size, 1);
        assert.equal((await mailbox()).messages, 1);
        const quota = await ops.read('mailstore.quota', { accountId: account });
        assert.deepEqual(quota, { used: 20, emails: 1, limit: 0, messageLimit: 0 });
      });

      it('falls back to INBOX', async () => {
        await ops.write('mailstore.deleteMailbox', { accountId: account, name: 'Junk' });
        const lost = { specialUse: '\\Junk' } as const;
        const { deposits } = await ops.write(
          'delivery.accept',
          acceptOf([depositOf(account, { mailbox: lost })]),
        );
        assert.ok(deposits[0]?.status === 'stored');
        assert.equal(deposits[0].mailboxId, inbox);
      });

      it('holds one to the quota without cost to the others', async () => {
        const small = await newAccount(ops, `small${n}`, 50);
        const both = [depositOf(small), depositOf(account)];
        const statuses = async (deposits = both) =>
          (await ops.write('delivery.accept', acceptOf(deposits))).deposits.map((each) => each.status);
        assert.deepEqual(await statuses(), ['stored', 'stored']);
        assert.deepEqual(await statuses(), ['stored', 'stored']);
        assert.deepEqual(await statuses(), ['over-quota', 'stored']);
        assert.deepEqual(await statuses([depositOf(small)]), ['over-quota']);
        assert.deepEqual(await ops.read('mailstore.quota', { accountId: small }), {
          used: 40,
          emails: 2,
          limit: 50,
          messageLimit: 0,
        });
        assert.deepEqual(await statuses([depositOf(small, { ignoreQuota: true })]), ['stored']);
        assert.equal((await ops.read('mailstore.quota', { accountId: small })).used, 60);
        await ops.write('directory.removeAccount', {
          actor: SYSTEM,
          address: `small${n}@${DOMAIN}`,
          purge: false,
        });
        assert.deepEqual(await statuses(), ['no-account', 'stored']);
        await ops.sound();
      });

      it('puts a copy above the quota into Junk when others have taken the message, and refuses when nobody has', async () => {
        const small = await newAccount(ops, `junk${n}`, 10);
        const junk = (deposits: Deposit[]) =>
          ops.write('delivery.accept', { ...acceptOf(deposits), overQuota: 'junk' });
        const { deposits } = await junk([depositOf(small), depositOf(account)]);
        assert.deepEqual(
          deposits.map((each) => each.status === 'stored' && each.mailbox),
          ['Junk', 'INBOX'],
        );
        await refused(junk([depositOf(small)]), 'over-quota');
        assert.equal((await ops.read('mailstore.quota', { accountId: small })).emails, 1);
        await ops.sound();
      });

      it('delivers octets that are stored already', async () => {
        const { deposits } = await ops.write('delivery.accept', acceptOf([depositOf(account)]));
        const emailId = deposits[0]?.status === 'stored' ? deposits[0].emailId : 0;
        const known = await ops.read('mailstore.content', { accountId: account, emailId });
        assert.ok(known);
        const blob = { id: known.blobId, size: known.blobSize };
        await ops.write('delivery.accept', { ...acceptOf([depositOf(account)]), blob });
        const rows = await ops.read('mailstore.fetch', {
          mailboxId: inbox,
          ranges: ALL,
          want: ['content'],
          limit: 9,
        });
        assert.deepEqual(
          rows.map((row) => row.content?.blobId),
          [known.blobId, known.blobId],
        );
        await ops.sound();
      });

      it('commits queue rows and journal with the message', async () => {
        await ops.write('delivery.accept', {
          ...acceptOf([]),
          queue: [
            {
              queueId: `q${n}`,
              trace: 't',
              origin: 'submission',
              accountId: account,
              reversePath: 'a@b.test',
              mayBounce: true,
              prefix: Buffer.alloc(0),
              hidden: [],
              ret: undefined,
              envid: undefined,
              body: '8BITMIME',
              smtputf8: false,
              requireTls: false,
              originated: true,
              messageId: undefined,
              size: 20,
              warnAt: undefined,
              expiresAt: undefined,
              holdReason: undefined,
              recipients: [{ address: 'c@d.test', destination: 'd.test', orcpt: undefined, notify: '' }],
            },
          ],
          events: [{ trace: 't', at: 1, kind: 'message.accepted', data: { size: 20 }, terms: ['m:x'] }],
        });
        await ops.sound();
      });

      it('leaves out keywords that cannot be kept rather than the message', async () => {
        const set = flagged(255, 'ok', 'OK', 'two words', 'x'.repeat(201), '');
        await ops.write('delivery.accept', acceptOf([depositOf(account, { set })]));
        const [row] = await rowsOf(ops, inbox);
        assert.deepEqual([row?.flags, row?.keywords], [31, ['ok']]);
      });

      it('ties replies to what they reply to, whichever came first', async () => {
        await send('one@x', []);
        await send('two@x', ['one@x']);
        await send('alone@x', []);
        await send('four@x', ['three@x', 'one@x']);
        await send('three@x', ['lost@x']);
        await send(undefined, []);
        await send('many@x', ['two@x', ...Array.from({ length: 19 }, (_, i) => `r${i}@x`)]);
        await send('late@x', ['r3@x']);
        const [one = 0, two, alone, four, three, bare, many, late] = await threads();
        assert.deepEqual([two, four, three, many, late], [one, one, one, one, one]);
        assert.equal(new Set([one, alone, bare]).size, 3);
      });
    });

    describe('append', () => {
      it('gives ascending UIDs and counts', async () => {
        clock.advance(5000);
        const first = await append(inbox, flagged(Flag.Seen, 'Work', '$Label1'));
        const second = await append(inbox, flagged(Flag.Deleted));
        assert.deepEqual([first.uid, second.uid], [1, 2]);
        const found = await mailbox();
        assert.equal(first.uidvalidity, found.uidvalidity);
        assert.deepEqual(
          [found.messages, found.unseen, found.deleted, found.size, found.uidnext],
          [2, 1, 1, 8, 3],
        );
        const [row] = await rowsOf(ops, inbox);
        assert.ok(row);
        assert.deepEqual(
          [row.keywords, row.receivedAt, row.savedAt],
          [['Work', '$Label1'], 1000, clock.now()],
        );
        assert.ok(row.modseq < found.modseq);
      });

      it('refuses a mailbox that is gone or another account’s, bad keywords, and what exceeds the quota', async () => {
        await refused(append(999_999), 'no-such-mailbox', 'TRYCREATE');
        const other = await newAccount(ops, `theirs${n}`, 3);
        const theirs = await mailboxId(ops, other, 'INBOX');
        await refused(append(theirs), 'no-such-mailbox', 'TRYCREATE');
        await refused(append(inbox, flagged(0, 'a b')), 'bad-input');
        await refused(append(inbox, flagged(0, 'a'.repeat(201))), 'limit');
        const deposit = depositOf(other);
        await refused(
          ops.write('mailstore.append', {
            accountId: other,
            mailboxId: theirs,
            blob: blobOf('text'),
            content: contentOf(),
            deposit,
          }),
          'over-quota',
          'OVERQUOTA',
        );
        assert.equal((await ops.read('mailstore.quota', { accountId: account })).emails, 0);
      });
    });

    describe('storing flags', () => {
      it('adds, removes and replaces, and leaves what is so already', async () => {
        await fill(ops, account, inbox, 3);
        const seen = await storeFlags('add', flagged(Flag.Seen), { ranges: [{ from: 2, to: 2 }] });
        assert.deepEqual(seen.rows, [{ uid: 2, modseq: seen.modseq, flags: 1, keywords: [] }]);
        const all = await storeFlags('add', flagged(Flag.Seen));
        assert.ok(all.modseq > seen.modseq);
        assert.deepEqual([seen.changed, all.changed], [1, 2]);
        assert.deepEqual(
          all.rows.map((row) => row.modseq),
          [all.modseq, seen.modseq, all.modseq],
        );
        assert.equal((await mailbox()).unseen, 0);
        const same = await storeFlags('add', flagged(Flag.Seen));
        assert.equal(same.modseq, all.modseq);
        assert.equal(same.changed, 0);
        assert.equal((await mailbox()).modseq, all.modseq);
        const replaced = await storeFlags('replace', flagged(Flag.Deleted | Flag.Answered), {
          ranges: [{ from: 1, to: 2 }],
        });
        assert.deepEqual(
          replaced.rows.map((row) => row.flags),
          [10, 10],
        );
        assert.deepEqual([(await mailbox()).unseen, (await mailbox()).deleted], [2, 2]);
        await storeFlags('remove', flagged(Flag.Deleted | Flag.Flagged));
        assert.deepEqual(
          (await rowsOf(ops, inbox)).map((row) => row.flags),
          [2, 2, 1],
        );
        assert.equal((await mailbox()).deleted, 0);
      });

      it('leaves out the rows for who knows them, unless something else has changed', async () => {
        await fill(ops, account, inbox, 3);
        const first = await storeFlags('add', flagged(Flag.Deleted), { ranges: [{ from: 2, to: 2 }] });
        const known = { knownModseq: first.modseq };
        const all = await storeFlags('add', flagged(Flag.Seen | Flag.Deleted), known);
        assert.deepEqual([all.rows, all.count, all.changed], [[], 3, 3]);
        assert.equal(all.modseqBefore, first.modseq);
        assert.deepEqual(
          (await rowsOf(ops, inbox)).map((row) => [row.flags, row.modseq]),
          [
            [9, all.modseq],
            [9, all.modseq],
            [9, all.modseq],
          ],
        );
        assert.deepEqual([(await mailbox()).unseen, (await mailbox()).deleted], [0, 3]);
        const late = await storeFlags('remove', flagged(Flag.Seen), known);
        assert.deepEqual([late.rows.length, late.count, late.changed], [3, 3, 3]);
        const one = { ranges: [{ from: 3, to: 9 }], knownModseq: late.modseq };
        const undone = await storeFlags('remove', flagged(Flag.Deleted), one);
        assert.deepEqual([undone.rows, undone.count, undone.changed], [[], 1, 1]);
        assert.deepEqual([(await mailbox()).unseen, (await mailbox()).deleted], [3, 2]);
        const same = await storeFlags('remove', flagged(Flag.Seen), { knownModseq: undone.modseq });
        assert.deepEqual([same.count, same.changed, same.modseq], [3, 0, undone.modseq]);
        const word = await storeFlags('add', flagged(0, 'word'), { knownModseq: undone.modseq });
        assert.deepEqual([word.rows.length, word.count], [3, 3]);
      });

      it('compares keywords without case and keeps the case they came in', async () => {
        await fill(ops, account, inbox, 2, flagged(0, 'Work'));
        await fill(ops, account, inbox, 2);
        const added = await storeFlags('add', flagged(0, 'WORK', 'Home'));
        assert.deepEqual(
          added.rows.map((row) => row.keywords.join()),
          ['Work,Home', 'Work,Home', 'WORK,Home', 'WORK,Home'],
        );
        const same = await storeFlags('replace', flagged(0, 'home', 'work'));
        assert.equal(same.modseq, added.modseq);
        const removed = await storeFlags('remove', flagged(0, 'work'), { ranges: [{ from: 2, to: 3 }] });
        assert.deepEqual(
          removed.rows.map((row) => row.keywords),
          [['Home'], ['Home']],
        );
        const rows = await rowsOf(ops, inbox);
        assert.deepEqual(
          rows.map((row) => row.keywords.join()),
          ['Work,Home', 'Home', 'Home', 'WORK,Home'],
        );
        assert.deepEqual(
          rows.map((row) => row.modseq > added.modseq),
          [false, true, true, false],
        );
        assert.deepEqual(
          (await storeFlags('replace', NONE)).rows.map((row) => row.keywords),
          [[], [], [], []],
        );
        const snapshot = await ops.read('mailstore.snapshot', { mailboxId: inbox });
        assert.deepEqual(snapshot?.keywords, []);
      });

      it('changes flags and keywords of mixed rows in one go', async () => {
        for (let i = 0; i < 6; i++) {
          await fill(ops, account, inbox, 1, i % 2 ? flagged(Flag.Answered, 'b') : flagged(Flag.Seen));
        }
        const result = await storeFlags('add', flagged(Flag.Flagged, 'b'));
        assert.deepEqual(
          result.rows.map((row) => [row.flags, row.keywords.join()]),
          [
            [5, 'b'],
            [6, 'b'],
            [5, 'b'],
            [6, 'b'],
            [5, 'b'],
            [6, 'b'],
          ],
        );
        const stored = await rowsOf(ops, inbox);
        assert.deepEqual(
          stored.map(({ uid, modseq, flags, keywords }) => ({ uid, modseq, flags, keywords })),
          result.rows,
        );
      });

      it('does not touch rows between those that change', async () => {
        await fill(ops, account, inbox, 1);
        await fill(ops, account, inbox, 1, flagged(Flag.Seen, 'b', 'c'));
        await fill(ops, account, inbox, 2);
        const earlier = await rowsOf(ops, inbox);
        await storeFlags('add', flagged(Flag.Flagged), { ranges: [{ from: 3, to: 3 }] });
        const since = earlier[3]?.modseq ?? 0;
        await storeFlags('add', flagged(Flag.Seen, 'b'), { unchangedSince: since });
        const rows = await rowsOf(ops, inbox);
        assert.deepEqual(
          rows.map((row) => [row.flags, row.keywords.join()]),
          [
            [1, 'b'],
            [1, 'b,c'],
            [4, ''],
            [1, 'b'],
          ],
        );
        assert.equal(rows[1]?.modseq, earlier[1]?.modseq);
      });

      it('leaves alone what changed since, and says so', async () => {
        await fill(ops, account, inbox, 3);
        const since = (await mailbox()).modseq;
        await storeFlags('add', flagged(Flag.Flagged), { ranges: [{ from: 2, to: 2 }] });
        const result = await storeFlags('add', flagged(Flag.Seen), { unchangedSince: since });
        assert.deepEqual(result.modified, [2]);
        assert.deepEqual(
          result.rows.map((row) => row.uid),
          [1, 3],
        );
        assert.deepEqual(
          (await rowsOf(ops, inbox)).map((row) => row.flags),
          [1, 4, 1],
        );
        const words = await storeFlags('add', flagged(0, 'k'), { unchangedSince: since });
        assert.deepEqual([words.modified, words.rows], [[1, 2, 3], []]);
      });

      it('bounds keywords and refuses what is none', async () => {
        await fill(ops, account, inbox, 1, flagged(0, ...Array.from({ length: 99 }, (_, i) => `k${i}`)));
        await storeFlags('add', flagged(0, 'hundredth', 'K5'));
        await refused(storeFlags('add', flagged(0, 'more')), 'limit', 'LIMIT');
        await refused(storeFlags('add', flagged(0, 'x'.repeat(201))), 'limit');
        await refused(
          storeFlags('replace', flagged(0, ...Array.from({ length: 101 }, (_, i) => `j${i}`))),
          'limit',
        );
        await refused(storeFlags('add', flagged(0, 'a b')), 'bad-input');
        assert.equal((await rowsOf(ops, inbox))[0]?.keywords.length, 100);
      });

      it('refuses a mailbox of another account', async () => {
        const other = await newAccount(ops, `flags${n}`);
        await refused(
          ops.write('mailstore.storeFlags', {
            accountId: other,
            mailboxId: inbox,
            ranges: ALL,
            mode: 'add',
            set: flagged(1),
          }),
          'no-such-mailbox',
        );
      });
    });

    describe('copy, move, expunge', () => {
      it('copies in order, sharing the emails', async () => {
        await fill(ops, account, inbox, 4, flagged(Flag.Seen, 'w'));
        const target = await archive();
        await fill(ops, account, target, 2);
        const used = await ops.read('mailstore.quota', { accountId: account });
        const copied = await ops.write('mailstore.copy', {
          accountId: account,
          mailboxId: inbox,
          targetId: target,
          ranges: [
            { from: 4, to: 9 },
            { from: 1, to: 2 },
          ],
        });
        assert.deepEqual(copied.pairs, [
          [1, 3],
          [2, 4],
          [4, 5],
        ]);
        assert.equal(copied.uidvalidity, (await mailbox(target)).uidvalidity);
        assert.deepEqual(await ops.read('mailstore.quota', { accountId: account }), used);
        const sources = await rowsOf(ops, inbox);
        const copies = (await rowsOf(ops, target)).slice(2);
        assert.deepEqual(
          copies.map((row) => row.emailId),
          [1, 2, 4].map((uid) => sources.find((row) => row.uid === uid)?.emailId),
        );
        assert.deepEqual(copies[0]?.keywords, ['w']);
        assert.equal((await mailbox(target)).modseq, copies[0]?.modseq);
        const nothing = await ops.write('mailstore.copy', {
          accountId: account,
          mailboxId: inbox,
          targetId: target,
          ranges: [{ from: 50, to: 60 }],
        });
        assert.deepEqual(nothing.pairs, []);
        await refused(
          ops.write('mailstore.copy', {
            accountId: account,
            mailboxId: inbox,
            targetId: 999_999,
            ranges: ALL,
          }),
          'no-such-mailbox',
          'TRYCREATE',
        );
        await ops.sound();
      });

      it('copies and moves within one mailbox, with new UIDs', async () => {
        await fill(ops, account, inbox, 2);
        const args = { accountId: account, mailboxId: inbox, targetId: inbox, ranges: ALL };
        assert.deepEqual((await ops.write('mailstore.copy', args)).pairs, [
          [1, 3],
          [2, 4],
        ]);
        const moved = await ops.write('mailstore.move', { ...args, ranges: [{ from: 1, to: 3 }] });
        assert.deepEqual(moved.pairs, [
          [1, 5],
          [2, 6],
          [3, 7],
        ]);
        assert.deepEqual(
          (await rowsOf(ops, inbox)).map((row) => row.uid),
          [4, 5, 6, 7],
        );
        assert.equal((await ops.read('mailstore.quota', { accountId: account })).emails, 2);
        await ops.sound();
      });

      it('moves: gone here, there with the same email, nothing orphaned', async () => {
        await fill(ops, account, inbox, 3, flagged(Flag.Deleted));
        const target = await archive();
        const since = (await mailbox()).modseq;
        const moved = await ops.write('mailstore.move', {
          accountId: account,
          mailboxId: inbox,
          targetId: target,
          ranges: [{ from: 2, to: 3 }],
        });
        assert.deepEqual(moved.pairs, [
          [2, 1],
          [3, 2],
        ]);
        const changes = await ops.read('mailstore.changesSince', { mailboxId: inbox, modseq: since });
        assert.deepEqual([changes.expunged, changes.changed, changes.modseq], [[2, 3], [], moved.modseq]);
        assert.deepEqual(await ops.read('mailstore.orphans', { accountId: account, limit: 9 }), []);
        assert.equal((await ops.read('mailstore.quota', { accountId: account })).emails, 3);
      });

      it('expunges what is marked, within ranges, or all of them', async () => {
        await fill(ops, account, inbox, 5, flagged(Flag.Deleted));
        await fill(ops, account, inbox, 2);
        const at = { accountId: account, mailboxId: inbox };
        const some = await ops.write('mailstore.expunge', {
          ...at,
          ranges: [
            { from: 2, to: 3 },
            { from: 6, to: 6 },
          ],
        });
        assert.deepEqual(some.uids, [2, 3]);
        assert.equal((await mailbox()).modseq, some.modseq);
        assert.deepEqual((await ops.write('mailstore.expunge', at)).uids, [1, 4, 5]);
        const none = await ops.write('mailstore.expunge', at);
        assert.deepEqual(none, { uids: [], modseq: (await mailbox()).modseq });
        const any = await ops.write('mailstore.expunge', {
          ...at,
          ranges: [{ from: 7, to: 7 }],
          anyFlag: true,
        });
        assert.deepEqual(any.uids, [7]);
        assert.deepEqual(
          (await rowsOf(ops, inbox)).map((row) => row.uid),
          [6],
        );
        assert.equal((await ops.read('mailstore.quota', { accountId: account })).emails, 1);
        assert.deepEqual(await fill(ops, account, inbox, 1), [8]);
      });

      it('orphans an email only with its last placement, and brings it back', async () => {
        await fill(ops, account, inbox, 1, flagged(Flag.Flagged, 'kept'));
        const target = await archive();
        await ops.write('mailstore.copy', {
          accountId: account,
          mailboxId: inbox,
          targetId: target,
          ranges: ALL,
        });
        const emailId = (await rowsOf(ops, inbox))[0]?.emailId ?? 0;
        const orphans = () => ops.read('mailstore.orphans', { accountId: account, limit: 10 });
        await ops.write('mailstore.expunge', { accountId: account, mailboxId: inbox, anyFlag: true });
        assert.deepEqual(await orphans(), []);
        clock.advance(1000);
        await ops.write('mailstore.expunge', { accountId: account, mailboxId: target, anyFlag: true });
        assert.deepEqual(await orphans(), [{ emailId, mailboxId: target, uid: 1, orphanedAt: clock.now() }]);
        assert.equal((await ops.read('mailstore.quota', { accountId: account })).used, 0);
        const undelete = (email: number, into = inbox, actor = SYSTEM) =>
          ops.write('mailstore.undelete', { actor, accountId: account, emailId: email, mailboxId: into });
        await refused(undelete(emailId, 999_999), 'no-such-mailbox');
        assert.deepEqual(await undelete(emailId), { uid: 2 });
        const [row] = await rowsOf(ops, inbox);
        assert.deepEqual([row?.emailId, row?.flags, row?.keywords], [emailId, Flag.Flagged, ['kept']]);
        assert.deepEqual(await orphans(), []);
        assert.equal((await ops.read('mailstore.quota', { accountId: account })).emails, 1);
        await refused(undelete(emailId), 'no-such-message');
        await ops.sound();
      });

      it('brings mail back for those who administer the account, and writes down who did', async () => {
        const emailIds: number[] = [];
        for (let i = 0; i < 2; i++) {
          await fill(ops, account, inbox, 1);
          emailIds.push((await rowsOf(ops, inbox))[0]?.emailId ?? 0);
          await ops.write('mailstore.expunge', { accountId: account, mailboxId: inbox, anyFlag: true });
        }
        const undelete = (emailId: number, actor: Actor, accountId = account) =>
          ops.write('mailstore.undelete', { actor, accountId, emailId, mailboxId: inbox });
        const [first = 0, second = 0] = emailIds;
        const domain = await ops.read('directory.domain', { name: DOMAIN });
        assert.ok(domain);
        const carol: Actor = { name: `carol@${DOMAIN}`, role: 'domain-admin', domainId: domain.id };
        const audited = async () =>
          (await ops.read('directory.audit', { limit: 100 }))
            .filter(({ action }) => action === 'account.undelete')
            .map(({ actor, subject, data }) => [actor, subject, JSON.parse(data)]);
        const before = await audited();
        await refused(undelete(first, { ...carol, domainId: domain.id + 1 }), 'not-permitted');
        await refused(undelete(first, { ...carol, role: 'user' }), 'not-permitted');
        await refused(undelete(first, carol, 999_999), 'not-permitted');
        await refused(undelete(first, SYSTEM, 999_999), 'no-such-account');
        assert.deepEqual(await audited(), before);
        assert.equal((await mailbox()).messages, 0);
        await undelete(first, carol);
        await undelete(second, SYSTEM);
        const address = `user${n}@${DOMAIN}`;
        const added = (await audited()).slice(0, 2);
        assert.deepEqual(added, [
          ['system', address, { emailId: second, mailbox: 'INBOX' }],
          [carol.name, address, { emailId: first, mailbox: 'INBOX' }],
        ]);
        assert.equal((await mailbox()).messages, 2);
      });

      it('brings back what lay in a deleted mailbox', async () => {
        const doomed = await ops.write('mailstore.createMailbox', { accountId: account, name: 'doomed' });
        await fill(ops, account, doomed.id, 2);
        await ops.write('mailstore.deleteMailbox', { accountId: account, name: 'doomed' });
        const found = await ops.read('mailstore.orphans', { accountId: account, limit: 10 });
        assert.deepEqual(
          found.map((each) => [each.mailboxId, each.uid]),
          [
            [doomed.id, 2],
            [doomed.id, 1],
          ],
        );
        for (const { emailId } of found) {
          await ops.write('mailstore.undelete', {
            actor: SYSTEM,
            accountId: account,
            emailId,
            mailboxId: inbox,
          });
        }
        assert.equal((await mailbox()).messages, 2);
      });
    });

    describe('purge', () => {
      it('removes what was orphaned long ago, octets and files with the last holder', async () => {
        const other = await newAccount(ops, `holder${n}`);
        const file = { size: 5, encoding: 'raw', data: undefined, file: `f${n}` } as const;
        const { deposits } = await ops.write('delivery.accept', {
          ...acceptOf([depositOf(account), depositOf(other)]),
          blob: file,
        });
        const emailId = deposits[0]?.status === 'stored' ? deposits[0].emailId : 0;
        const expunge = async (accountId: number) =>
          ops.write('mailstore.expunge', {
            accountId,
            mailboxId: await mailboxId(ops, accountId, 'INBOX'),
            anyFlag: true,
          });
        const purge = () => ops.write('mailstore.purge', { before: clock.now() - DAY, limit: 1000 });
        await expunge(account);
        await purge();
        assert.equal((await ops.read('mailstore.orphans', { accountId: account, limit: 9 })).length, 1);
        clock.advance(2 * DAY);
        assert.deepEqual((await purge()).files, []);
        assert.equal(await ops.read('mailstore.content', { accountId: account, emailId }), undefined);
        assert.deepEqual(await ops.read('mailstore.orphans', { accountId: account, limit: 9 }), []);
        await expunge(other);
        clock.advance(2 * DAY);
        assert.deepEqual((await purge()).files, [`f${n}`]);
        await ops.sound();
      });

      it('keeps tombstones long enough for clients that were away, and says when it forgot some', async () => {
        await fill(ops, account, inbox, 2);
        const since = (await mailbox()).modseq;
        await ops.write('mailstore.expunge', { accountId: account, mailboxId: inbox, anyFlag: true });
        const changes = () => ops.read('mailstore.changesSince', { mailboxId: inbox, modseq: since });
        clock.advance(TOMBSTONE_MS - DAY);
        await ops.write('mailstore.purge', { before: clock.now() + 1, limit: 1000 });
        assert.deepEqual([(await changes()).expunged, (await changes()).complete], [[1, 2], true]);
        clock.advance(TOMBSTONE_MS + 1);
        await ops.write('mailstore.purge', { before: clock.now(), limit: 1000 });
        assert.deepEqual([(await changes()).expunged, (await changes()).complete], [[], false]);
        const current = await ops.read('mailstore.changesSince', {
          mailboxId: inbox,
          modseq: (await mailbox()).modseq,
        });
        assert.equal(current.complete, true);
      });
    });

    describe('reading', () => {
      it('fetches what is asked for, in UID order, bounded', async () => {
        await fill(ops, account, inbox, 5);
        await ops.write('mailstore.expunge', {
          accountId: account,
          mailboxId: inbox,
          ranges: [{ from: 2, to: 2 }],
          anyFlag: true,
        });
        const fetch = (more: object) =>
          ops.read('mailstore.fetch', { mailboxId: inbox, ranges: ALL, want: [], limit: 100, ...more });
        assert.deepEqual(
          (
            await fetch({
              ranges: [
                { from: 1, to: 3 },
                { from: 5, to: 9 },
              ],
            })
          ).map((row) => row.uid),
          [1, 3, 5],
        );
        assert.deepEqual(
          (
            await fetch({
              ranges: [
                { from: 1, to: 3 },
                { from: 5, to: 9 },
              ],
              limit: 2,
            })
          ).map((row) => row.uid),
          [1, 3],
        );
        const [bare] = await fetch({});
        assert.deepEqual(Object.keys(bare ?? {}).toSorted(), [
          'emailId',
          'flags',
          'keywords',
          'modseq',
          'receivedAt',
          'savedAt',
          'size',
          'uid',
        ]);
        const [full] = await fetch({ want: ['envelope', 'bodystructure', 'content', 'thread'] });
        assert.equal(Buffer.from(full?.envelope ?? []).toString(), '(envelope)');
        assert.equal(Buffer.from(full?.bodystructure ?? []).toString(), '(bodystructure)');
        assert.deepEqual(
          [full?.content?.structure, full?.content?.blobSize, full?.content?.hidden],
          ['{}', 9, []],
        );
        assert.equal(typeof full?.threadId, 'number');
        const newest = (await fetch({})).at(-1)?.modseq ?? 0;
        assert.deepEqual(
          (await fetch({ changedSince: newest - 1 })).map((row) => row.uid),
          [5],
        );
      });

      it('snapshots a mailbox: UIDs, first unseen, keywords', async () => {
        await fill(ops, account, inbox, 2, flagged(Flag.Seen, 'B', 'a'));
        await fill(ops, account, inbox, 2, flagged(0, 'b'));
        const snapshot = await ops.read('mailstore.snapshot', { mailboxId: inbox });
        assert.ok(snapshot);
        assert.deepEqual(snapshot.uids, Uint32Array.of(1, 2, 3, 4));
        assert.equal(snapshot.firstUnseen, 3);
        assert.deepEqual(
          snapshot.keywords.map((each) => each.toLowerCase()),
          ['a', 'b'],
        );
        assert.deepEqual(snapshot.mailbox, await mailbox());
        assert.equal(await ops.read('mailstore.snapshot', { mailboxId: 999_999 }), undefined);
        const empty = await ops.read('mailstore.snapshot', {
          mailboxId: await mailboxId(ops, account, 'Sent'),
        });
        assert.deepEqual([empty?.uids.length, empty?.firstUnseen], [0, undefined]);
      });

      it('finds UIDs by flags and keywords', async () => {
        await fill(ops, account, inbox, 1, flagged(Flag.Seen, 'x'));
        await fill(ops, account, inbox, 1, flagged(Flag.Seen | Flag.Flagged, 'X', 'y'));
        await fill(ops, account, inbox, 1);
        const find = async (more: object) => [
          ...(await ops.read('mailstore.uidsByFlags', { mailboxId: inbox, all: 0, none: 0, ...more })),
        ];
        assert.deepEqual(await find({}), [1, 2, 3]);
        assert.deepEqual(await find({ all: Flag.Seen }), [1, 2]);
        assert.deepEqual(await find({ all: Flag.Seen, none: Flag.Flagged }), [1]);
        assert.deepEqual(await find({ none: Flag.Seen }), [3]);
        assert.deepEqual(await find({ keyword: 'x' }), [1, 2]);
        assert.deepEqual(await find({ keyword: 'X', notKeyword: 'Y' }), [1]);
        assert.deepEqual(await find({ notKeyword: 'x' }), [3]);
      });
    });

    it('wakes those who watch an account when its mail changed, and only then', async () => {
      const target = await mailboxId(ops, account, 'Archive');
      const at = { accountId: account, mailboxId: inbox, ranges: ALL };
      const seen = { mode: 'add', set: flagged(Flag.Seen) } as const;
      let wakes = 0;
      const stop = store.changes.onAccount(account, () => wakes++);
      const wakesOf = async (operation: () => Promise<unknown>): Promise<number> => {
        wakes = 0;
        await operation();
        await new Promise((resolve) => setImmediate(resolve));
        return wakes;
      };
      assert.equal(await wakesOf(() => ops.write('delivery.accept', acceptOf([depositOf(account)]))), 1);
      assert.equal(await wakesOf(() => fill(ops, account, inbox, 1)), 1);
      assert.equal(await wakesOf(() => ops.write('mailstore.storeFlags', { ...at, ...seen })), 1);
      assert.equal(await wakesOf(() => ops.write('mailstore.storeFlags', { ...at, ...seen })), 0);
      assert.equal(await wakesOf(() => ops.write('mailstore.copy', { ...at, targetId: target })), 1);
      assert.equal(await wakesOf(() => ops.write('mailstore.expunge', at)), 0);
      assert.equal(await wakesOf(() => ops.write('mailstore.move', { ...at, targetId: target })), 1);
      assert.equal(
        await wakesOf(() => ops.write('mailstore.expunge', { ...at, mailboxId: target, anyFlag: true })),
        1,
      );
      assert.equal(
        await wakesOf(() => ops.write('mailstore.createMailbox', { accountId: account, name: 'w' })),
        1,
      );
      stop();
    });

    sortingContract(() => ({ ops, now: () => clock.now() }));
    appendAllContract(() => ({ ops }));
    randomisedContract(() => ({ ops, clock }), seeds);
  });
}
