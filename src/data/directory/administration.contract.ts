import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import type { InlineStore } from '../inline.ts';
import { operations, type Operations, refused } from '../mailstore/contract-fixtures.ts';
import type { Actor } from './types.ts';

const DAY = 86_400_000;
const actor: Actor = { name: 'system', role: 'system', domainId: undefined };
const digest = (token: string): string => createHash('sha256').update(token).digest('hex');

/** What every engine must do about groups, invitations, delegation, statistics, findings and what is taken back. */
export function administrationContract(
  open: (options: { clock: ManualClock }) => Promise<InlineStore>,
): void {
  describe('administration contract', () => {
    let store: InlineStore;
    let clock: ManualClock;
    let ops: Operations;

    before(async () => {
      clock = manualClock();
      store = await open({ clock });
      ops = operations(store);
      for (const name of ['one.test', 'two.test']) await ops.write('directory.addDomain', { actor, name });
      await account('boss@one.test', 'admin');
      await account('ann@one.test');
      await account('bob@one.test');
      await account('dom@two.test', 'domain-admin');
    });
    after(() => store.close());

    const account = (address: string, role: 'user' | 'domain-admin' | 'admin' = 'user') =>
      ops.write('directory.addAccount', {
        actor,
        address,
        displayName: '',
        role,
        quota: 0,
        hash: 'x',
        scram: null,
      });
    const newest = async () => {
      const [row] = await ops.read('directory.audit', { limit: 1 });
      assert.ok(row);
      return row;
    };
    const undo = (id: number) => ops.write('directory.undo', { actor, id });
    const ends = async (localPart: string) => {
      const found = await ops.read('directory.resolve', {
        localPart,
        domain: 'one.test',
        delimiter: '',
        size: 0,
      });
      return found.status === 'ok' ? found.targets.map(({ address }) => address).toSorted() : found.status;
    };

    it('makes groups, changes their members, shows them among the aliases, and brings them back', async () => {
      const address = 'Team@one.test';
      const made = await ops.write('directory.addGroup', {
        actor,
        address,
        members: ['ann@one.test', 'x@far.test'],
        senders: 'members',
        description: 'us',
      });
      assert.deepEqual(made.members, ['ann@one.test', 'x@far.test']);
      assert.deepEqual(await ends('team'), ['ann@one.test', 'x@far.test']);
      await refused(
        ops.write('directory.addGroup', { actor, address, members: ['bob@one.test'] }),
        'already-exists',
      );
      const joined = await ops.write('directory.changeGroup', {
        actor,
        address,
        add: ['bob@one.test'],
        remove: ['x@far.test'],
      });
      assert.deepEqual([joined.members, joined.senders], [['ann@one.test', 'bob@one.test'], 'members']);
      const [alias] = await ops.read('directory.aliases', { domain: 'one.test' });
      assert.deepEqual(alias?.group, { description: 'us', senders: 'members' });
      await ops.write('directory.removeGroup', { actor, address });
      assert.equal(await ends('team'), 'unknown');
      await undo((await newest()).id);
      assert.deepEqual((await ops.read('directory.group', { address })).members, [
        'ann@one.test',
        'bob@one.test',
      ]);
      const dom: Actor = { name: 'dom@two.test', role: 'domain-admin', domainId: 987 };
      await refused(
        ops.write('directory.changeGroup', { actor: dom, address, senders: 'anyone' }),
        'not-permitted',
      );
      await refused(ops.write('directory.changeGroup', { actor, address, members: [address] }), 'conflict');
    });

    it('takes an account by invitation once, in time, and where it is for', async () => {
      const invite = (token: string, more: object = {}) =>
        ops.write('directory.addInvitation', {
          actor,
          digest: digest(token),
          address: null,
          domain: 'one.test',
          role: 'user',
          quota: 7,
          note: '',
          expiresAt: clock.now() + DAY,
          ...more,
        });
      const accept = (token: string, address: string | null) =>
        ops.write('directory.acceptInvitation', {
          digest: digest(token),
          address,
          displayName: 'N',
          hash: 'x',
          scram: null,
        });
      await invite('a');
      await refused(accept('none', 'new@one.test'), 'not-found');
      await refused(accept('a', 'new@two.test'), 'bad-input');
      await refused(accept('a', 'ann@one.test'), 'already-exists');
      assert.equal((await accept('a', 'new@one.test')).quota, 7);
      await refused(accept('a', 'newer@one.test'), 'not-found');
      const fixed = await invite('b', { address: 'fixed@one.test', domain: null });
      assert.equal((await accept('b', 'other@one.test')).address, 'fixed@one.test');
      assert.equal(fixed.address, 'fixed@one.test');
      await invite('c', { expiresAt: clock.now() + 1000 });
      const now = clock.now();
      assert.ok(await ops.read('directory.openInvitation', { digest: digest('c'), now }));
      assert.equal(
        await ops.read('directory.openInvitation', { digest: digest('c'), now: now + 2000 }),
        undefined,
      );
      const all = await ops.read('directory.invitations', { domain: 'one.test' });
      assert.deepEqual(
        all.map(({ usedFor }) => usedFor),
        [undefined, 'fixed@one.test', 'new@one.test'],
      );
    });

    it('lets an account administer further domains until the domain, the role or the word goes', async () => {
      const dom = await ops.read('directory.account', { address: 'dom@two.test' });
      const own = async () =>
        (await ops.read('directory.adminDomains', { accountId: dom?.id ?? 0 })).map(({ name }) => name);
      await refused(
        ops.write('directory.setAdminDomains', { actor, address: 'ann@one.test', domains: ['two.test'] }),
        'conflict',
      );
      await ops.write('directory.addDomain', { actor, name: 'three.test' });
      await ops.write('directory.setAdminDomains', {
        actor,
        address: 'dom@two.test',
        domains: ['one.test', 'three.test', 'two.test'],
      });
      assert.deepEqual(await own(), ['one.test', 'three.test']);
      assert.equal((await ops.read('directory.account', { address: 'dom@two.test' }))?.delegated, true);
      await ops.write('directory.removeDomain', { actor, name: 'three.test' });
      assert.deepEqual(await own(), ['one.test']);
      await ops.write('directory.setRole', { actor, address: 'dom@two.test', role: 'user' });
      assert.deepEqual(await own(), []);
      assert.equal((await ops.read('directory.account', { address: 'dom@two.test' }))?.delegated, undefined);
      await undo((await newest()).id);
      assert.deepEqual(await own(), ['one.test'], 'with the role come the domains back');
    });

    it('takes back each kind of change, and nothing that was changed since', async () => {
      const address = 'bob@one.test';
      const bob = async () => ops.read('directory.account', { address });
      await ops.write('directory.setStatus', { actor, address, status: 'suspended' });
      await undo((await newest()).id);
      assert.equal((await bob())?.status, 'active');
      await ops.write('directory.setQuota', { actor, address, quota: 11 });
      const quota = await newest();
      await ops.write('directory.setQuota', { actor, address, quota: 12 });
      await refused(undo(quota.id), 'conflict');
      assert.equal((await bob())?.quota, 12);
      await ops.write('directory.setCatchAll', { actor, domain: 'one.test', address });
      await undo((await newest()).id);
      assert.equal((await ops.read('directory.domain', { name: 'one.test' }))?.catchAll, undefined);
      await ops.write('directory.addAlias', { actor, address: 'info@one.test', targets: [address] });
      const added = await newest();
      await ops.write('directory.removeAlias', { actor, address: 'info@one.test' });
      await undo((await newest()).id);
      assert.deepEqual(await ends('info'), [address]);
      await undo(added.id);
      assert.equal(await ends('info'), 'unknown');
      await refused(undo(added.id), 'conflict');
      await ops.write('spam.saveSettings', { actor, json: '{"enabled":false}' });
      await undo((await newest()).id);
      assert.equal(await ops.read('spam.settings', null), undefined);
      await ops.write('bans.add', { actor, network: '192.0.2.9', forMs: DAY, reason: 'x' });
      const banned = await newest();
      await undo(banned.id);
      assert.deepEqual(await ops.read('bans.after', { after: clock.now(), limit: 10 }), []);
      await ops.write('directory.setPassword', { actor, address, hash: 'y', scram: null });
      await refused(undo((await newest()).id), 'conflict');
      const user: Actor = { name: address, role: 'user', domainId: undefined };
      await refused(ops.write('directory.undo', { actor: user, id: quota.id }), 'not-permitted');
      const { rows } = await ops.read('directory.auditSearch', { limit: 2, action: 'account', text: 'BOB' });
      assert.deepEqual(
        rows.map(({ action }) => action),
        ['account.password', 'account.quota'],
      );
    });

    it('takes back what was done about grants, lists, lookup tables and bans, and does it again', async () => {
      const address = 'bob@one.test';
      /** Do, take back, take that back: as before, as after; `look` tells them apart. */
      const each = async <T>(act: () => Promise<unknown>, look: () => Promise<T>): Promise<void> => {
        const before = await look();
        await act();
        const after = await look();
        assert.notDeepEqual(after, before);
        const { id, action } = await newest();
        await undo(id);
        assert.deepEqual(await look(), before, `${action} is taken back`);
        const { rows } = await ops.read('directory.auditSearch', { limit: 2 });
        const own = rows.find((row) => row.undoable === 1);
        assert.ok(own, `${action}: taking it back can be taken back`);
        await undo(own.id);
        assert.deepEqual(await look(), after, `${action} holds again`);
      };
      const filter = () => ops.read('spam.settings', null);
      await each(() => ops.write('spam.saveSettings', { actor, json: '{"enabled":true}' }), filter);
      await each(() => ops.write('spam.saveSettings', { actor, json: '{"enabled":false}' }), filter);
      const doctor = () => ops.read('directory.setting', { name: 'doctor' });
      const look = { actor, name: 'doctor', json: '{"addresses":["192.0.2.7"]}' } as const;
      await each(() => ops.write('directory.saveSiteSettings', look), doctor);
      const grants = () => ops.read('directory.grants', { account: address });
      const grant = { actor, account: address, address: '@two.test' };
      await each(() => ops.write('directory.addGrant', grant), grants);
      await each(() => ops.write('directory.removeGrant', grant), grants);
      const exemptions = async () =>
        (await ops.read('bans.exemptions', null)).map(({ network, note }) => [network, note]);
      const network = '198.51.100.0/24';
      await each(() => ops.write('bans.exempt', { actor, network, note: 'ours' }), exemptions);
      await each(() => ops.write('bans.exempt', { actor, network, note: 'theirs' }), exemptions);
      await each(() => ops.write('bans.unexempt', { actor, network }), exemptions);
      const tables = async () => [
        (await ops.read('lookup.settings', null)) ?? '{}',
        (await ops.read('lookup.text', { table: 'a' })) ?? '',
      ];
      const keep = (json: string, text: string) =>
        ops.write('lookup.saveSettings', { actor, json, what: 'a', texts: [{ table: 'a', text }] });
      await each(() => keep('{"stored":1}', 'one'), tables);
      await each(() => keep('{"stored":2}', 'two'), tables);
      const suppressed = async () =>
        (await ops.read('suppression.list', { after: '', now: clock.now(), limit: 10 })).map(
          ({ address: name, detail, until }) => [name, detail, until],
        );
      const entry = (detail: string, until: number | undefined) => ({
        address: 'x@far.test',
        reason: 'manual' as const,
        source: 'admin' as const,
        detail,
        until,
        queueId: undefined,
        accountId: undefined,
      });
      const suppress = (detail: string, until?: number) =>
        ops.write('suppression.add', { actor, entries: [entry(detail, until)], events: [] });
      await each(() => suppress('a while', clock.now() + DAY), suppressed);
      await each(() => suppress('for ever'), suppressed);
      await each(() => ops.write('suppression.remove', { actor, address: 'x@far.test' }), suppressed);
      for (const account of [null, address]) {
        const list = async () =>
          (await ops.read('spam.lists', { account })).map(({ pattern, action }) => [pattern, action]);
        const sender = { actor, account, pattern: '@spam.test' };
        await each(() => ops.write('spam.listAdd', { ...sender, action: 'block' }), list);
        await each(() => ops.write('spam.listAdd', { ...sender, action: 'allow' }), list);
        await each(() => ops.write('spam.listRemove', sender), list);
      }
      await ops.write('directory.setRole', { actor, address: 'dom@two.test', role: 'domain-admin' });
      const dom = await ops.read('directory.account', { address: 'dom@two.test' });
      const domains = () => ops.read('directory.adminDomains', { accountId: dom?.id ?? 0 });
      const theirs = { actor, address: 'dom@two.test' };
      await ops.write('directory.setAdminDomains', { ...theirs, domains: [] });
      await each(() => ops.write('directory.setAdminDomains', { ...theirs, domains: ['one.test'] }), domains);
      const ban = { kind: 'account', subject: address, cause: 'guessing', reason: 'guesses' } as const;
      const until = clock.now() + DAY;
      await ops.write('bans.set', { ...ban, offences: 2, since: clock.now(), until });
      const banned = async () =>
        (await ops.read('bans.after', { after: clock.now(), limit: 10 })).map(
          ({ kind, subject, offences, until: end }) => [kind, subject, offences, end],
        );
      await each(() => ops.write('bans.lift', { actor, kind: 'account', subject: address }), banned);
      await ops.write('directory.setStatus', { actor, address: 'ann@one.test', status: 'suspended' });
      await ops.write('directory.removeAccount', { actor, address: 'ann@one.test', purge: false });
      await undo((await newest()).id);
      assert.equal((await ops.read('directory.account', { address: 'ann@one.test' }))?.status, 'suspended');
    });

    it('leaves what was changed since as it is', async () => {
      const address = 'bob@one.test';
      const { rows } = await ops.read('directory.auditSearch', { limit: 100, action: 'grant' });
      const [old] = rows.filter((row) => row.undoable === 1 && row.undone_by === null);
      assert.ok(old);
      await ops
        .write('directory.removeGrant', { actor, account: address, address: '@two.test' })
        .catch(() => ops.write('directory.addGrant', { actor, account: address, address: '@two.test' }));
      await refused(undo(old.id), 'conflict');
      await ops.write('bans.exempt', { actor, network: '198.51.100.7', note: 'a' });
      const exempted = await newest();
      await ops.write('bans.exempt', { actor, network: '198.51.100.7', note: 'b' });
      await refused(undo(exempted.id), 'conflict');
      const pattern = 'y@spam.test';
      await ops.write('spam.listAdd', { actor, account: null, pattern, action: 'block' });
      const listed = await newest();
      await ops.write('spam.listRemove', { actor, account: null, pattern });
      await refused(undo(listed.id), 'conflict');
    });

    it('sums minutes up to hours and days, and forgets the old ones', async () => {
      const at = 1_700_000_000_000 - (1_700_000_000_000 % DAY);
      const note = (ms: number, received: number, memory: number) =>
        ops.write('stats.note', {
          at: ms,
          sample: {
            counts: { 'mail.received': received },
            gauges: { 'system.memory': [memory, 1] },
            delays: { delay: [1] },
          },
        });
      await note(at, 1, 10);
      await note(at + 60_000, 2, 20);
      await note(at + 2 * 3_600_000, 4, 60);
      const of = (resolution: 'minute' | 'hour' | 'day') =>
        ops.read('stats.range', { resolution, from: at, to: at + DAY });
      assert.deepEqual(
        (await of('minute')).map(({ sample }) => sample.counts['mail.received']),
        [1, 2, 4],
      );
      assert.deepEqual(
        (await of('hour')).map(({ sample }) => sample.counts['mail.received']),
        [3, 4],
      );
      const [day] = await of('day');
      assert.deepEqual(
        [
          day?.sample.counts['mail.received'],
          day?.sample.gauges['system.memory'],
          day?.sample.delays['delay']?.[0],
        ],
        [7, [90, 3], 3],
      );
      await note(at + 3 * DAY, 1, 1);
      assert.deepEqual(await of('minute'), [], 'minutes are kept for two days');
      assert.equal((await of('hour')).length, 2);
    });

    it('is set up by its link only while there is no domain', async () => {
      assert.equal(await ops.write('directory.setSetupToken', { digest: digest('t') }), false);
      assert.equal(await ops.read('directory.isSetupToken', { digest: digest('t') }), false);
      const args = {
        digest: digest('t'),
        domain: 'new.test',
        address: 'a@new.test',
        displayName: '',
        hash: 'x',
        scram: null,
      };
      await refused(ops.write('directory.firstRun', args), 'not-permitted');
    });

    it('tells since when a source fails, and how days went', async () => {
      const since = clock.now() - 30 * DAY;
      assert.deepEqual(await ops.read('reports.failing', { since, unproven: false }), []);
      assert.deepEqual(await ops.read('reports.days', { since, unproven: true }), { dmarc: [], tls: [] });
    });
  });
}
