import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import type { Actor } from '../directory/types.ts';
import type { OtherMessage, ScriptedReply } from '../delivery/scripted.ts';
import type { InlineStore } from '../inline.ts';
import type { Deposit } from '../mailstore/types.ts';
import type { Enqueue } from '../queue/types.ts';
import type { WriteArgs } from '../store.ts';
import { memoryKey } from './memory.ts';
import { type Place, SCRIPT_BYTES, SCRIPT_BYTES_PER_ACCOUNT, SCRIPTS_PER_ACCOUNT } from './types.ts';

const SYSTEM: Actor = { name: 'system', role: 'system', domainId: undefined };
const DAY = 86_400_000;

const nothing = Buffer.alloc(0);
const blob = { size: 0, encoding: 'raw', data: nothing, file: undefined } as const;
const content = {
  envelope: nothing,
  bodystructure: nothing,
  structure: '[]',
  sentAt: undefined,
  messageId: undefined,
  references: [],
};

function depositOf(accountId: number, name: string, create = false): Deposit {
  return {
    accountId,
    mailbox: { name, ...(create && { create: { specialUse: undefined } }) },
    prefix: nothing,
    hidden: [],
    set: { flags: 0, keywords: [] },
    receivedAt: 0,
    trace: undefined,
    ignoreQuota: false,
  };
}

function other(accountId: number, name: string): OtherMessage {
  return { blob, content, deposits: [depositOf(accountId, name, true)], depositEvents: [] };
}

function acceptOf(
  deposits: readonly Deposit[],
  scripted: Partial<NonNullable<WriteArgs<'delivery.accept'>['scripted']>>,
): WriteArgs<'delivery.accept'> {
  const none = { others: [], replies: [], troubles: [], remember: [], redirects: [] };
  return {
    blob,
    content,
    deposits,
    overQuota: 'junk',
    queue: [],
    events: [],
    scripted: { taken: true, ...none, ...scripted },
  };
}

function enqueueOf(queueId: string): Enqueue {
  return {
    queueId,
    trace: queueId,
    origin: 'dsn',
    accountId: undefined,
    reversePath: '',
    mayBounce: false,
    prefix: nothing,
    hidden: [],
    ret: undefined,
    envid: undefined,
    body: '7BIT',
    smtputf8: false,
    requireTls: false,
    originated: true,
    messageId: undefined,
    size: 0,
    warnAt: undefined,
    expiresAt: undefined,
    holdReason: undefined,
    recipients: [{ address: 'x@far.test', destination: 'far.test', orcpt: undefined, notify: '' }],
  };
}

type Store = Pick<InlineStore, 'read' | 'write' | 'close'>;

/** What every engine must do with Sieve scripts. */
export function sieveContract(open: (options: { clock: ManualClock }) => Promise<Store>): void {
  describe('sieve scripts', () => {
    let store: Store;
    const clock = manualClock();
    let domainId: number;
    const user = (address: string): Actor => ({ name: address, role: 'user', domainId });

    before(async () => {
      store = await open({ clock });
      domainId = (await store.write.run('directory.addDomain', { actor: SYSTEM, name: 'example.test' })).id;
      await store.write.run('directory.addDomain', {
        actor: SYSTEM,
        name: 'other.test',
        aliasOf: 'example.test',
      });
    });
    after(() => store.close());

    let count = 0;
    async function newAccount() {
      const address = `user${++count}@example.test`;
      const more = { displayName: 'Some One', role: 'user', quota: 0, hash: 'x', scram: null } as const;
      const { id } = await store.write.run('directory.addAccount', { actor: SYSTEM, address, ...more });
      const place: Place = { kind: 'account', accountId: id };
      return { id, address, place, actor: user(address) };
    }
    const put = (actor: Actor, place: Place, name: string, text: string, activate = false) =>
      store.write.run('sieve.put', { actor, place, name, text, activate });
    const names = async (place: Place) =>
      (await store.read.run('sieve.list', { place })).map(
        ({ name, active }) => `${name}${active ? '*' : ''}`,
      );
    const running = async (accountId: number) =>
      (await store.read.run('sieve.running', { accountIds: [accountId] })).flatMap(({ scripts }) =>
        scripts.map(({ kind, name }) => `${kind}:${name}`),
      );

    it('are put, listed, read, replaced, renamed and removed by their owner', async () => {
      const { place, actor } = await newAccount();
      const info = await put(actor, place, 'main', 'keep;\r\n# ü\r\n');
      assert.equal(info.size, 13);
      assert.equal(info.active, false);
      await put(actor, place, 'a', 'discard;');
      assert.deepEqual(await names(place), ['a', 'main']);
      assert.equal((await store.read.run('sieve.script', { place, name: 'main' }))?.text, 'keep;\r\n# ü\r\n');
      await store.write.run('sieve.activate', { actor, place, name: 'main' });
      await put(actor, place, 'main', 'stop;');
      assert.deepEqual(await names(place), ['a', 'main*'], 'it stays active when it is replaced');
      await store.write.run('sieve.rename', { actor, place, name: 'main', to: 'b' });
      assert.deepEqual(await names(place), ['a', 'b*']);
      const rename = store.write.run('sieve.rename', { actor, place, name: 'a', to: 'b' });
      await assert.rejects(rename, { kind: 'already-exists' });
      const removal = store.write.run('sieve.remove', { actor, place, name: 'b' });
      await assert.rejects(removal, { kind: 'conflict', imapCode: 'ACTIVE' });
      await store.write.run('sieve.activate', { actor, place, name: '' });
      await store.write.run('sieve.remove', { actor, place, name: 'b' });
      assert.deepEqual(await names(place), ['a']);
      const again = store.write.run('sieve.remove', { actor, place, name: 'b' });
      await assert.rejects(again, { kind: 'not-found' });
    });

    it('at most one is active', async () => {
      const { id, place, actor } = await newAccount();
      await put(actor, place, 'one', 'keep;', true);
      await put(actor, place, 'two', 'keep;', true);
      assert.deepEqual(await names(place), ['one', 'two*']);
      assert.deepEqual(await running(id), ['account:two']);
      await assert.rejects(store.write.run('sieve.activate', { actor, place, name: 'three' }), {
        kind: 'not-found',
      });
      assert.deepEqual(await running(id), ['account:two'], 'what fails changes nothing');
    });

    it('are nobody else’s to touch', async () => {
      const { place } = await newAccount();
      const { actor } = await newAccount();
      const refused = { kind: 'not-permitted' };
      await assert.rejects(put(actor, place, 'x', 'discard;'), refused);
      await assert.rejects(put(actor, { kind: 'site-before' }, '', 'discard;'), refused);
      await assert.rejects(
        put(actor, { kind: 'domain-after', domain: 'example.test' }, '', 'stop;'),
        refused,
      );
      const domainAdmin: Actor = { name: 'd@example.test', role: 'domain-admin', domainId };
      await put(domainAdmin, { kind: 'domain-after', domain: 'example.test' }, '', 'keep;');
      await assert.rejects(put(domainAdmin, { kind: 'site-after' }, '', 'discard;'), refused);
      const alias = put(SYSTEM, { kind: 'domain-after', domain: 'other.test' }, '', 'keep;');
      await assert.rejects(alias, { kind: 'bad-input' });
      const remove = {
        actor: SYSTEM,
        place: { kind: 'domain-after', domain: 'example.test' },
        name: '',
      } as const;
      await store.write.run('sieve.remove', remove);
    });

    it('run in their order, those of others not at all', async () => {
      const { id, place, actor } = await newAccount();
      const other = await newAccount();
      assert.deepEqual(await running(id), []);
      await put(actor, place, 'mine', 'keep;', true);
      await put(SYSTEM, { kind: 'site-after' }, '', 'keep;');
      await put(SYSTEM, { kind: 'site-before' }, '', 'keep;');
      await put(SYSTEM, { kind: 'domain-after', domain: 'example.test' }, '', 'keep;');
      await put(SYSTEM, { kind: 'domain-before', domain: 'example.test' }, '', 'keep;');
      await put(SYSTEM, { kind: 'global' }, 'shared', 'keep;', true);
      const args = { actor, accountId: id, settings: '{"a":1}', script: 'stop;' };
      await store.write.run('sieve.saveSettings', args);
      assert.deepEqual(await running(id), [
        'site-before:site-before',
        'domain-before:domain-before',
        'generated:generated',
        'account:mine',
        'domain-after:domain-after',
        'site-after:site-after',
      ]);
      assert.deepEqual(await running(other.id), [
        'site-before:site-before',
        'domain-before:domain-before',
        'domain-after:domain-after',
        'site-after:site-after',
      ]);
      assert.equal((await store.read.run('sieve.settings', { accountId: id }))?.settings, '{"a":1}');
      await store.write.run('sieve.saveSettings', { ...args, settings: '{}', script: undefined });
      assert.ok(!(await running(id)).some((text) => text.startsWith('generated')));
      for (const kind of ['site-before', 'site-after'] as const)
        await store.write.run('sieve.remove', { actor: SYSTEM, place: { kind }, name: '' });
      for (const kind of ['domain-before', 'domain-after'] as const)
        await store.write.run('sieve.remove', {
          actor: SYSTEM,
          place: { kind, domain: 'example.test' },
          name: '',
        });
      assert.deepEqual(await running(id), ['account:mine']);
      assert.deepEqual(await running(other.id), []);
    });

    it('have limits of size, number and all octets, told before and kept', async () => {
      const { place, actor } = await newAccount();
      const big = '#'.repeat(SCRIPT_BYTES);
      await assert.rejects(put(actor, place, 'big', `${big}#`), { kind: 'limit', imapCode: 'QUOTA/MAXSIZE' });
      const full = Math.floor(SCRIPT_BYTES_PER_ACCOUNT / SCRIPT_BYTES);
      for (let i = 1; i <= full; i++) await put(actor, place, String(i), big);
      await assert.rejects(put(actor, place, 'x', '#'), { kind: 'limit', imapCode: 'QUOTA' });
      const space = (name: string, size: number) => store.read.run('sieve.space', { place, name, size });
      assert.deepEqual(await space(String(full), SCRIPT_BYTES), { fits: true });
      assert.equal((await space('x', 1)).fits, false);
      await put(actor, place, String(full), '');
      for (let i = 0; i < SCRIPTS_PER_ACCOUNT - full; i++) await put(actor, place, `n${i}`, 'keep;');
      await assert.rejects(put(actor, place, 'more', 'keep;'), { imapCode: 'QUOTA/MAXSCRIPTS' });
    });

    it('have names that are text, and are text', async () => {
      const { place, actor } = await newAccount();
      const bad = { kind: 'bad-input' };
      await assert.rejects(put(actor, place, '', 'keep;'), bad);
      await assert.rejects(put(actor, place, 'a\nb', 'keep;'), bad);
      await assert.rejects(put(actor, place, 'x'.repeat(513), 'keep;'), bad);
      await assert.rejects(put(actor, place, 'x', 'keep;\0'), bad);
      await assert.rejects(put(actor, place, 'x', '\ud800'), bad);
      assert.equal(await store.read.run('sieve.script', { place, name: 'a\0b' }), undefined);
      await put(actor, place, 'u\u0308ber / alles', 'keep;');
      assert.deepEqual(await names(place), ['über / alles']);
    });

    it('know who they work for', async () => {
      const { id, address } = await newAccount();
      const alias = (name: string, targets: string[]) =>
        store.write.run('directory.addAlias', { actor: SYSTEM, address: name, targets });
      await alias(`nick${id}@example.test`, [address]);
      await alias(`team${id}@example.test`, [address, 'x@far.test']);
      assert.deepEqual(await store.read.run('sieve.owner', { accountId: id, now: clock.now() }), {
        accountId: id,
        address,
        displayName: 'Some One',
        aliases: [`nick${id}@example.test`],
        redirects: 0,
        replies: 0,
      });
    });

    it('what is remembered is seen until it expires, and is then forgotten', async () => {
      const { id: accountId } = await newAccount();
      const key = memoryKey('duplicate', 'a', 'b');
      assert.notEqual(key, memoryKey('duplicate', 'ab', ''));
      const seen = () => store.read.run('sieve.seen', { accountId, key, now: clock.now() });
      assert.equal(await seen(), false);
      const remember = [{ accountId, key, seconds: 60 }];
      await store.write.run('delivery.accept', acceptOf([], { remember }));
      assert.equal(await seen(), true);
      clock.advance(60_000);
      assert.equal(await seen(), false);
      assert.deepEqual(await store.write.run('sieve.forget', null), { more: false });
      clock.advance(-60_000);
      assert.equal(await seen(), false, 'the row is gone');
      clock.advance(60_000);
    });

    it('mailboxes are made, copies stored and replies sent once, all in the commit of the message', async () => {
      const { id: accountId } = await newAccount();
      const reply = (queueId: string): ScriptedReply => ({
        accountId,
        memory: { accountId, key: memoryKey('vacation', 'x'), seconds: 60 },
        outgoing: { blob, enqueue: enqueueOf(queueId) },
        copy: other(accountId, 'Copies'),
        events: [],
      });
      const send = (queueId: string) =>
        store.write.run(
          'delivery.accept',
          acceptOf([depositOf(accountId, 'Made/by/script', true), depositOf(accountId, 'Missing')], {
            others: [other(accountId, 'Changed')],
            replies: [reply(queueId)],
            redirects: [{ accountId, count: 2 }],
          }),
        );
      const first = await send('q1');
      assert.deepEqual(
        first.deposits.map((each) => each.status === 'stored' && each.mailbox),
        ['Made/by/script', 'INBOX'],
      );
      assert.deepEqual(first.replied, [true]);
      assert.deepEqual((await send('q2')).replied, [false], 'answered already');
      clock.advance(60_000);
      assert.deepEqual((await send('q3')).replied, [true]);
      const boxes = await store.read.run('mailstore.mailboxes', { accountId });
      const messages = new Map(boxes.map(({ name, messages: count }) => [name, count]));
      assert.deepEqual(
        ['Made', 'Made/by', 'Made/by/script', 'INBOX', 'Changed', 'Copies'].map((name) => messages.get(name)),
        [0, 0, 3, 3, 3, 2],
      );
      const queue = await store.read.run('queue.list', { limit: 10 });
      assert.deepEqual(queue.map(({ message }) => message.queueId).toSorted(), ['q1', 'q3']);
      const { redirects, replies } =
        (await store.read.run('sieve.owner', { accountId, now: clock.now() })) ?? {};
      assert.deepEqual([redirects, replies], [6, 2]);
    });

    it('go with the account, and with the domain', async () => {
      const { id, address, place, actor } = await newAccount();
      await put(actor, place, 'main', 'keep;', true);
      await store.write.run('sieve.saveSettings', { actor, accountId: id, settings: '{}', script: 'stop;' });
      await store.write.run('directory.removeAccount', { actor: SYSTEM, address, purge: false });
      clock.advance(31 * DAY);
      await store.write.run('directory.purgeRemoved', { before: clock.now(), limit: 100 });
      assert.deepEqual(await running(id), []);
      await assert.rejects(names(place), { kind: 'no-such-account' });
    });
  });
}
