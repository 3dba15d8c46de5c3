import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import type { Actor } from '../directory/types.ts';
import type { InlineStore } from '../inline.ts';
import type { JournalEvent } from '../journal/types.ts';
import {
  acceptOf,
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
import { countBlobs } from '../mailstore/contract.sql.ts';
import type { NewVaultEntry } from './types.ts';

const DAY = 24 * 3600 * 1000;
const TEXT = 'Subject: x\r\nX-Postern-Claim: y\r\n\r\nthe body\r\n';

/** What every engine's vault must do. One store serves all tests; each has accounts and cases of its own. */
export function vaultContract(open: (options: { clock: ManualClock }) => Promise<InlineStore>): void {
  describe('vault contract', () => {
    let store: InlineStore;
    let clock: ManualClock;
    let ops: Operations;
    let ann = 0;
    let bob = 0;
    let caseNumber = '';
    let n = 0;

    before(async () => {
      clock = manualClock();
      store = await open({ clock });
      ops = operations(store);
      await ops.write('directory.addDomain', { actor: SYSTEM, name: DOMAIN });
    });
    beforeEach(async () => {
      n++;
      ann = await newAccount(ops, `ann${n}`);
      bob = await newAccount(ops, `bob${n}`);
      caseNumber = `CASE-${n}`;
    });
    after(async () => {
      try {
        await ops.sound();
      } finally {
        await store.close();
      }
    });

    const annAs: () => Actor = () => ({ name: `ann${n}@${DOMAIN}`, role: 'user', domainId: undefined });
    const bobAs: () => Actor = () => ({ name: `bob${n}@${DOMAIN}`, role: 'user', domainId: undefined });

    const entryOf = (more: Partial<NewVaultEntry> = {}): NewVaultEntry => ({
      caseNumber,
      trace: `trace-${n}`,
      kind: 'refused',
      reversePath: 'eve@evil.test',
      ip: '192.0.2.1',
      author: 'Eve <eve@evil.test>',
      subject: 'x',
      reason: 'It looks like spam.',
      verdict: '{"action":"refuse"}',
      expiresAt: clock.now() + 14 * DAY,
      received: Buffer.from('Received: by us\r\n'),
      hidden: [[12, 32]],
      recipients: [
        { accountId: ann, address: `ann${n}@${DOMAIN}` },
        { accountId: bob, address: `list${n}@${DOMAIN}` },
      ],
      ...more,
    });
    const event = (kind: JournalEvent['kind']): JournalEvent => ({
      trace: `trace-${n}`,
      at: clock.now(),
      kind,
      data: { caseNumber },
      terms: [`c:${caseNumber}`],
    });
    const refuse = (more: Partial<NewVaultEntry> = {}, text = TEXT) =>
      ops.write('delivery.accept', {
        ...acceptOf(
          [],
          text,
          contentOf({ messageId: `m${n}@evil.test`, references: ['r@x.test'], structure: '{"s":1}' }),
        ),
        events: [event('message.refused')],
        vault: entryOf(more),
      });
    const blobs = async () => (await store.inspect((tx) => tx.get(countBlobs)))?.n ?? 0;
    const get = (scope: { accountId: number } | { all: true } = { all: true }) =>
      ops.read('vault.get', { caseNumber, scope });
    /** What the journal tells when it is asked for the case. */
    const kinds = async () => {
      const [found] = await ops.read('journal.find', { term: `c:${caseNumber}`, limit: 50 });
      if (found === undefined) return [];
      return (await ops.read('journal.byTrace', { trace: found.trace })).map(({ kind }) => kind);
    };
    const inbox = async (account: number) => rowsOf(ops, await mailboxId(ops, account, 'INBOX'));
    /** An email's octets as its reader sees them. */
    const shown = async (account: number): Promise<string> => {
      const [row] = await ops.read('mailstore.fetch', {
        mailboxId: await mailboxId(ops, account, 'INBOX'),
        ranges: [{ from: 1, to: 0xffff_ffff }],
        want: ['content'],
        limit: 1,
      });
      assert.ok(row?.content);
      const text = (await store.blobs.bytes(row.content.blobId)).toString();
      const visible = row.content.hidden.reduceRight(
        (left, [from, to]) => left.slice(0, from) + left.slice(to),
        text,
      );
      return Buffer.from(row.content.prefix).toString() + visible;
    };
    const state = async () => (await get())?.recipients.map((each) => each.state);

    it('keeps a message that was refused: its octets, what was found, and the journal, nothing else', async () => {
      const stored = await blobs();
      assert.deepEqual(await refuse(), { deposits: [] });
      assert.equal(await blobs(), stored + 1);
      const found = await get();
      assert.ok(found);
      const { content, id: _, ...rest } = found;
      assert.deepEqual(rest, {
        caseNumber,
        trace: `trace-${n}`,
        kind: 'refused',
        size: TEXT.length,
        reversePath: 'eve@evil.test',
        ip: '192.0.2.1',
        author: 'Eve <eve@evil.test>',
        subject: 'x',
        reason: 'It looks like spam.',
        createdAt: clock.now(),
        expiresAt: clock.now() + 14 * DAY,
        verdict: '{"action":"refuse"}',
        recipients: [
          { accountId: ann, address: `ann${n}@${DOMAIN}`, state: 'kept' },
          { accountId: bob, address: `list${n}@${DOMAIN}`, state: 'kept' },
        ],
      });
      assert.equal((await store.blobs.bytes(content.blobId)).toString(), TEXT);
      assert.deepEqual(
        [Buffer.from(content.prefix).toString(), content.hidden, content.structure, content.blobSize],
        ['Received: by us\r\n', [[12, 32]], '{"s":1}', TEXT.length],
      );
      assert.deepEqual(await kinds(), ['message.refused']);
      assert.deepEqual([await inbox(ann), await inbox(bob)], [[], []]);
      await ops.sound();
    });

    it('beside deposits: the octets are stored once, the others get theirs', async () => {
      const stored = await blobs();
      const { deposits } = await ops.write('delivery.accept', {
        ...acceptOf([depositOf(bob)], TEXT),
        events: [event('message.accepted')],
        vault: entryOf({ kind: 'held', recipients: [{ accountId: ann, address: `ann${n}@${DOMAIN}` }] }),
      });
      assert.equal(deposits[0]?.status, 'stored');
      assert.equal(await blobs(), stored + 1);
      assert.deepEqual([await state(), await kinds()], [['kept'], ['message.accepted']]);
    });

    it('what is held counts as taken, what is refused does not', async () => {
      const accept = (kind: 'held' | 'refused') =>
        ops.write('delivery.accept', {
          ...acceptOf([depositOf(987_654)], TEXT),
          events: [event('message.accepted')],
          vault: entryOf({ kind, caseNumber: `${caseNumber}-${kind}` }),
        });
      await accept('refused');
      assert.deepEqual(await kinds(), [], 'nobody took it: that it was accepted is not told');
      assert.ok(await ops.read('vault.get', { caseNumber: `${caseNumber}-refused`, scope: { all: true } }));
      await accept('held');
      assert.deepEqual(await kinds(), ['message.accepted']);
    });

    it('text of strangers is cut and cleaned; unknown and doubled recipients are left out', async () => {
      const recipients = [ann, ann, 987_654].map((accountId) => ({ accountId, address: 'a@b.test' }));
      await refuse({ subject: `\0\ud800${'s'.repeat(1000)}`, recipients });
      const found = await get();
      assert.deepEqual([found?.subject.slice(0, 3), found?.subject.length], ['\ufffd\ufffds', 300]);
      assert.deepEqual(found?.recipients.length, 1);
    });

    it('is listed newest first, in pages; everybody sees their own and who else got it stays unknown', async () => {
      await refuse();
      await refuse({ caseNumber: `${caseNumber}-b`, recipients: [{ accountId: bob, address: 'b@x.test' }] });
      await refuse({ caseNumber: `${caseNumber}-c`, recipients: [{ accountId: ann, address: 'a@x.test' }] });
      const list = (scope: { accountId: number } | { all: true }, limit = 9, below?: number) =>
        ops.read('vault.list', { scope, limit, ...(below !== undefined && { before: below }) });
      const cases = async (...args: Parameters<typeof list>) =>
        (await list(...args)).map((each) => each.caseNumber);
      assert.deepEqual(await cases({ accountId: ann }), [`${caseNumber}-c`, caseNumber]);
      assert.deepEqual(await cases({ accountId: bob }), [`${caseNumber}-b`, caseNumber]);
      assert.deepEqual((await cases({ all: true })).slice(0, 3), [
        `${caseNumber}-c`,
        `${caseNumber}-b`,
        caseNumber,
      ]);
      const [first] = await list({ accountId: ann }, 1);
      assert.deepEqual(await cases({ accountId: ann }, 1, first?.id), [caseNumber]);
      const [, mine] = await list({ accountId: ann });
      assert.deepEqual(mine?.recipients, [{ accountId: ann, address: `ann${n}@${DOMAIN}`, state: 'kept' }]);
      assert.equal(
        await ops.read('vault.get', { caseNumber: `${caseNumber}-b`, scope: { accountId: ann } }),
        undefined,
      );
      const domain = await ops.read('directory.domain', { name: DOMAIN });
      const ofDomain = await ops.read('vault.list', { scope: { domainIds: [domain?.id ?? 0] }, limit: 1 });
      assert.deepEqual(
        ofDomain.map((each) => each.caseNumber),
        [`${caseNumber}-c`],
      );
      assert.deepEqual(await ops.read('vault.list', { scope: { domainIds: [987_654] }, limit: 1 }), []);
    });

    it('release: delivered as it came, learned as good mail, told, recorded; once', async () => {
      const stored = await blobs();
      const at = clock.now();
      await refuse();
      clock.advance(DAY);
      const release = (actor = annAs()) => ops.write('vault.release', { actor, caseNumber, accountId: ann });
      const { deposits } = await release();
      assert.equal(
        await shown(ann),
        `Return-Path: <eve@evil.test>\r\nDelivered-To: ann${n}@${DOMAIN}\r\nReceived: by us\r\nSubject: x\r\n\r\nthe body\r\n`,
      );
      const [row] = await inbox(ann);
      assert.deepEqual([row?.receivedAt, row?.flags, deposits[0]?.emailId], [at, 0, row?.emailId]);
      assert.equal(await blobs(), stored + 1, 'the octets are shared');
      const wishes = await ops.read('spam.pendingTraining', { limit: 1000 });
      const wish = wishes.find(({ accountId }) => accountId === ann);
      assert.deepEqual([wish?.emailId, wish?.label, wish?.cause], [row?.emailId, 'ham', 'released']);
      assert.deepEqual(await kinds(), ['message.refused', 'message.deposited']);
      const [record] = await ops.read('directory.audit', { limit: 1 });
      assert.deepEqual([record?.actor, record?.action], [annAs().name, 'vault.release']);
      assert.deepEqual(await state(), ['released', 'kept']);
      await assert.rejects(release(), /released already/);
      await refused(release(), 'conflict');
      assert.equal((await inbox(ann)).length, 1);
      assert.deepEqual(await inbox(bob), []);
      await ops.sound();
    });

    it('release for all, by who may; a thread goes on', async () => {
      await refuse();
      await refused(ops.write('vault.release', { actor: annAs(), caseNumber }), 'not-permitted');
      await refused(
        ops.write('vault.release', { actor: annAs(), caseNumber, accountId: bob }),
        'not-permitted',
      );
      await refused(ops.write('vault.release', { actor: annAs(), caseNumber: 'none' }), 'not-found');
      assert.deepEqual(await state(), ['kept', 'kept'], 'a refused release changes nothing');
      await ops.write(
        'delivery.accept',
        acceptOf([depositOf(ann)], 'first', contentOf({ messageId: 'r@x.test' })),
      );
      const { deposits } = await ops.write('vault.release', { actor: SYSTEM, caseNumber });
      assert.deepEqual(
        deposits.map(({ accountId }) => accountId),
        [ann, bob],
      );
      assert.match(await shown(bob), new RegExp(`Delivered-To: list${n}@`));
      const reply = contentOf({ messageId: 'reply@x', references: [`m${n}@evil.test`] });
      await ops.write('delivery.accept', acceptOf([depositOf(ann)], 'reply', reply));
      const threads = await ops.read('mailstore.fetch', {
        mailboxId: await mailboxId(ops, ann, 'INBOX'),
        ranges: [{ from: 1, to: 9 }],
        want: ['thread'],
        limit: 9,
      });
      assert.deepEqual([threads.length, new Set(threads.map(({ threadId }) => threadId)).size], [3, 1]);
      await refused(ops.write('vault.release', { actor: SYSTEM, caseNumber }), 'conflict');
    });

    it('two who release at once: one does, and one copy is there', async () => {
      await refuse();
      const both = await Promise.allSettled(
        [annAs(), SYSTEM].map((actor) => ops.write('vault.release', { actor, caseNumber, accountId: ann })),
      );
      assert.deepEqual(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
      const lost = both.find((each) => each.status === 'rejected');
      await refused(Promise.reject(lost?.reason), 'conflict');
      assert.equal((await inbox(ann)).length, 1);
    });

    it('release into a full mailbox changes nothing', async () => {
      await refuse();
      await ops.write('directory.setQuota', { actor: SYSTEM, address: `bob${n}@${DOMAIN}`, quota: 1 });
      await refused(ops.write('vault.release', { actor: SYSTEM, caseNumber }), 'over-quota');
      assert.deepEqual([await state(), await inbox(ann)], [['kept', 'kept'], []]);
    });

    it('a case for nobody here can be looked at and deleted, not released', async () => {
      await refuse({ recipients: [] });
      await refused(ops.write('vault.release', { actor: SYSTEM, caseNumber }), 'conflict');
      await refused(ops.write('vault.delete', { actor: annAs(), caseNumber }), 'not-found');
      await ops.write('vault.delete', { actor: SYSTEM, caseNumber });
      assert.equal(await get(), undefined);
      await ops.sound();
    });

    it('delete: for oneself at once, for good with the last', async () => {
      const stored = await blobs();
      await refuse();
      assert.deepEqual(await ops.write('vault.delete', { actor: annAs(), caseNumber, accountId: ann }), {
        files: [],
      });
      assert.deepEqual(await state(), ['deleted', 'kept']);
      assert.deepEqual(await ops.read('vault.list', { scope: { accountId: ann }, limit: 9 }), []);
      assert.equal(await get({ accountId: ann }), undefined);
      await refused(ops.write('vault.delete', { actor: annAs(), caseNumber, accountId: ann }), 'conflict');
      await refused(ops.write('vault.release', { actor: annAs(), caseNumber, accountId: ann }), 'conflict');
      await refused(
        ops.write('vault.delete', { actor: annAs(), caseNumber, accountId: bob }),
        'not-permitted',
      );
      await ops.write('vault.release', { actor: bobAs(), caseNumber, accountId: bob });
      await ops.write('vault.delete', { actor: bobAs(), caseNumber, accountId: bob });
      assert.equal(await get(), undefined);
      assert.match(await shown(bob), /the body/, 'what was released stays');
      assert.equal(await blobs(), stored + 1);
      await ops.sound();
    });

    it('large ones give back their file with the last who needs it', async () => {
      const file = `${'f'.repeat(24)}${String(n).padStart(2, '0')}`;
      await ops.write('delivery.accept', {
        ...acceptOf([depositOf(ann)]),
        blob: { size: 10, encoding: 'raw', data: undefined, file },
        vault: entryOf(),
      });
      await ops.write('mailstore.expunge', {
        accountId: ann,
        mailboxId: await mailboxId(ops, ann, 'INBOX'),
        anyFlag: true,
      });
      clock.advance(1);
      const purged = await ops.write('mailstore.purge', { before: clock.now(), limit: 1000 });
      assert.deepEqual([purged.emails, purged.files], [1, []], 'the vault needs it');
      await ops.sound();
      assert.deepEqual(await ops.write('vault.delete', { actor: SYSTEM, caseNumber }), { files: [file] });
      await ops.sound();
    });

    it('purge: what is over, then the oldest beyond the bound, in batches', async () => {
      const purge = (maxBytes: number, limit = 100) =>
        ops.write('vault.purge', { before: clock.now(), maxBytes, limit });
      while (
        (await ops.write('vault.purge', { before: Number.MAX_SAFE_INTEGER, maxBytes: 0, limit: 100 })).more
      );
      const stored = await blobs();
      for (let i = 0; i < 4; i++) {
        await refuse(
          { caseNumber: `${caseNumber}-${i}`, expiresAt: clock.now() + (i === 2 ? DAY : 9 * DAY) },
          `${i}`.repeat(100),
        );
      }
      const left = async () =>
        (await ops.read('vault.list', { scope: { all: true }, limit: 9 })).map((each) =>
          each.caseNumber.at(-1),
        );
      assert.deepEqual(await purge(400), { entries: 0, files: [], more: false });
      clock.advance(DAY);
      assert.deepEqual(await purge(400), { entries: 1, files: [], more: false });
      assert.deepEqual(await left(), ['3', '1', '0']);
      assert.deepEqual(await purge(150, 1), { entries: 1, files: [], more: true });
      assert.deepEqual(await left(), ['3', '1']);
      assert.deepEqual((await purge(150)).entries, 1);
      assert.deepEqual(await left(), ['3']);
      assert.equal(await blobs(), stored + 1);
      await ops.sound();
    });

    it('an account that goes for good takes its part along, and what was for nobody else', async () => {
      const stored = await blobs();
      const own = `${caseNumber}-own`;
      await refuse();
      await refuse({ caseNumber: own, recipients: [{ accountId: ann, address: 'a@x.test' }] });
      await ops.write('directory.removeAccount', {
        actor: SYSTEM,
        address: `ann${n}@${DOMAIN}`,
        purge: true,
      });
      assert.equal(await ops.read('vault.get', { caseNumber: own, scope: { all: true } }), undefined);
      assert.deepEqual(
        (await get())?.recipients.map(({ accountId }) => accountId),
        [bob],
      );
      assert.equal(await blobs(), stored + 1);
      await ops.sound();
    });

    it('a case number is given once', async () => {
      await refuse();
      await assert.rejects(refuse());
      assert.equal((await ops.read('vault.list', { scope: { accountId: ann }, limit: 9 })).length, 1);
    });

    it('what was purged is not there any more', async () => {
      await refuse({ expiresAt: clock.now() });
      await ops.write('vault.purge', { before: clock.now(), maxBytes: 1e9, limit: 100 });
      await refused(ops.write('vault.release', { actor: SYSTEM, caseNumber }), 'not-found');
    });
  });
}
