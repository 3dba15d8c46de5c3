import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import { Refusal, type RefusalKind } from '../../base/errors.ts';
import type { InlineStore } from '../inline.ts';
import type { WriteArgs } from '../store.ts';
import { rowsOfAccount } from './contract.sql.ts';
import { ALIAS_FANOUT } from './resolve.ts';
import type { Account, Actor, Resolution, Role, ScramSecret } from './types.ts';

const DAY = 24 * 3600 * 1000;
const SYSTEM: Actor = { name: 'system', role: 'system', domainId: undefined };
const SCRAM: ScramSecret = {
  salt: Buffer.from('salt'),
  iterations: 4096,
  storedKey: Buffer.from('stored'),
  serverKey: Buffer.from('server'),
};

/** What every engine's directory must do. One store serves all tests; each makes domains of its own. */
export function directoryContract(open: (options: { clock: ManualClock }) => Promise<InlineStore>): void {
  describe('directory contract', () => {
    let store: InlineStore;
    let clock: ManualClock;
    let n = 0;

    before(async () => {
      clock = manualClock();
      store = await open({ clock });
    });
    after(() => store.close());

    const newDomain = async (): Promise<string> => {
      const name = `d${++n}.test`;
      await store.write.run('directory.addDomain', { actor: SYSTEM, name });
      return name;
    };
    const addAccount = (
      address: string,
      more: Partial<WriteArgs<'directory.addAccount'>> = {},
    ): Promise<Account> =>
      store.write.run('directory.addAccount', {
        actor: SYSTEM,
        address,
        displayName: '',
        role: 'user',
        quota: 0,
        hash: '{PLAIN}secret',
        scram: null,
        ...more,
      });
    const addAlias = (address: string, ...targets: string[]) =>
      store.write.run('directory.addAlias', { actor: SYSTEM, address, targets });
    const resolve = (address: string, delimiter = '+', size = 0): Promise<Resolution> => {
      const at = address.lastIndexOf('@');
      const [localPart, domain] = [address.slice(0, at), address.slice(at + 1)];
      return store.read.run('directory.resolve', { localPart, domain, delimiter, size });
    };
    /** "address+detail" of accounts, "-> address" of others; or the status. */
    const ends = async (address: string, delimiter = '+'): Promise<string[] | string> => {
      const found = await resolve(address, delimiter);
      if (found.status !== 'ok') return found.status;
      return found.targets.map((target) =>
        target.kind === 'external' ? `-> ${target.address}` : `${target.address} ${target.detail}`.trim(),
      );
    };
    const maySend = (accountId: number, address: string): Promise<boolean> => {
      const at = address.lastIndexOf('@');
      const [localPart, domain] = [address.slice(0, at), address.slice(at + 1)];
      return store.read.run('directory.maySendAs', { accountId, localPart, domain, delimiter: '+' });
    };
    const login = (name: string) => store.read.run('directory.credential', { login: name });
    const remove = (address: string, purge = false) =>
      store.write.run('directory.removeAccount', { actor: SYSTEM, address, purge });
    const actor = (role: Role, domainId?: number): Actor => ({
      name: `${role}@elsewhere.test`,
      role,
      domainId,
    });

    const deliver = async (file: string, ...accounts: number[]) => {
      await store.write.run('delivery.accept', {
        blob: { size: 10, encoding: 'raw', data: undefined, file },
        content: CONTENT,
        deposits: accounts.map((accountId) => ({ ...DEPOSIT, accountId })),
        overQuota: 'report',
        queue: [],
        events: [],
      });
    };

    describe('where mail goes', () => {
      it('accounts, in any case and normalization; others are unknown, other domains not ours', async () => {
        const d = await newDomain();
        const { id } = await addAccount(`Jos\u00e9.X@${d}`, { quota: 1000 });
        const found = await resolve(`JOSE\u0301.x@${d}`);
        assert.deepEqual(found, {
          status: 'ok',
          targets: [
            {
              kind: 'account',
              accountId: id,
              address: `jos\u00e9.x@${d}`,
              detail: '',
              overQuota: false,
              suspended: false,
              via: [],
            },
          ],
        });
        assert.equal(await ends(`jose@${d}`), 'unknown');
        assert.equal(await ends('a@elsewhere.test'), 'not-local');
      });

      it('a domain alias means its domain, a U-label its A-label', async () => {
        const d = await newDomain();
        await addAccount(`a@${d}`);
        const added = await store.write.run('directory.addDomain', {
          actor: SYSTEM,
          name: `B\u00fccher${n}.Test`,
          aliasOf: d,
        });
        assert.deepEqual([added.name.startsWith('xn--'), added.aliasOf], [true, d]);
        assert.deepEqual(await ends(`A+x@${added.name}`), [`a@${d} x`]);
        assert.deepEqual(await store.read.run('directory.domain', { name: `b\u00dccher${n}.test` }), added);
      });

      it('aliases to one and many, here and elsewhere, through other aliases', async () => {
        const d = await newDomain();
        await addAccount(`a@${d}`);
        await addAccount(`b@${d}`);
        await addAlias(`team@${d}`, `A@${d}`, `more@${d}`, 'Some.One@Else.Test');
        await addAlias(`more@${d}`, `b@${d}`, `a@${d}`, `nobody@${d}`);
        assert.deepEqual(((await ends(`TEAM@${d}`)) as string[]).toSorted(), [
          '-> Some.One@else.test',
          `a@${d}`,
          `b@${d}`,
        ]);
        const found = await resolve(`team@${d}`);
        assert.ok(found.status === 'ok');
        const b = found.targets.find((target) => target.address === `b@${d}`);
        assert.deepEqual(b?.via, [`team@${d}`, `more@${d}`]);
        assert.deepEqual(await ends(`team+x@${d}`), ['-> Some.One@else.test', `a@${d} x`, `b@${d} x`]);
      });

      it('an alias whose accounts are gone is unknown, and not the catch-all', async () => {
        const d = await newDomain();
        await addAccount(`a@${d}`);
        await addAccount(`b@${d}`);
        await addAlias(`x@${d}`, `b@${d}`);
        await store.write.run('directory.setCatchAll', { actor: SYSTEM, domain: d, address: `a@${d}` });
        await remove(`b@${d}`);
        assert.deepEqual(await ends(`b@${d}`), [`a@${d}`], 'a removed account is as if it never was');
        await store.write.run('directory.setCatchAll', { actor: SYSTEM, domain: d, address: null });
        assert.equal(await ends(`x@${d}`), 'unknown');
      });

      it('plus addressing: the exact name wins, then the longest user; "" turns it off', async () => {
        const d = await newDomain();
        await addAccount(`a@${d}`);
        await addAccount(`a+b@${d}`);
        await addAlias(`a+alias@${d}`, 'x@else.test');
        assert.deepEqual(await ends(`a+Detail@${d}`), [`a@${d} detail`]);
        assert.deepEqual(await ends(`a+b@${d}`), [`a+b@${d}`]);
        assert.deepEqual(await ends(`a+b+c@${d}`), [`a+b@${d} c`]);
        assert.deepEqual(await ends(`a+c+b@${d}`), [`a@${d} c+b`]);
        assert.deepEqual(await ends(`a+alias@${d}`), ['-> x@else.test']);
        assert.equal(await ends(`a+x@${d}`, ''), 'unknown');
        assert.equal(await ends(`a+x@${d}`, '-'), 'unknown');
        assert.deepEqual(await ends(`a-x@${d}`, '-'), [`a@${d} x`]);
        assert.equal(await ends(`+a@${d}`), 'unknown');
        assert.equal(await ends(`n${'+x'.repeat(31)}@${d}`), 'unknown');
      });

      it('the catch-all takes what nobody has, and hides nobody', async () => {
        const d = await newDomain();
        await addAccount(`a@${d}`);
        await addAccount(`all@${d}`);
        await addAlias(`b@${d}`, 'x@else.test');
        await store.write.run('directory.setCatchAll', { actor: SYSTEM, domain: d, address: `All@${d}` });
        assert.deepEqual(await ends(`a@${d}`), [`a@${d}`]);
        assert.deepEqual(await ends(`a+x@${d}`), [`a@${d} x`]);
        assert.deepEqual(await ends(`b@${d}`), ['-> x@else.test']);
        assert.deepEqual(await ends(`whoever@${d}`), [`all@${d}`]);
        await store.write.run('directory.setCatchAll', {
          actor: SYSTEM,
          domain: d,
          address: 'far@else.test',
        });
        assert.deepEqual(await ends(`whoever@${d}`), ['-> far@else.test']);
      });

      it('a catch-all that leads back to itself is a loop', async () => {
        const d = await newDomain();
        await store.write.run('directory.setCatchAll', { actor: SYSTEM, domain: d, address: `gone@${d}` });
        assert.equal(await ends(`whoever@${d}`), 'loop');
      });

      it('refuses an alias that would lead in a circle; one that does all the same is a loop, unless it ends too', async () => {
        const d = await newDomain();
        await addAlias(`a@${d}`, `b@${d}`);
        await addAlias(`b@${d}`, `c@${d}`);
        await assert.rejects(addAlias(`c@${d}`, `A@${d}`), refusal('conflict'));
        await assert.rejects(addAlias(`s@${d}`, `s@${d}`), refusal('conflict'));
        assert.equal(await ends(`a@${d}`), 'unknown', 'nothing of the refused alias stayed');
        await addAccount(`u@${d}`);
        await addAlias(`c@${d}`, `a@${d}`, `u@${d}`);
        assert.deepEqual(await ends(`b@${d}`), [`u@${d}`]);
        await store.write.run('directory.removeAlias', {
          actor: SYSTEM,
          address: `c@${d}`,
          target: `u@${d}`,
        });
        const found = await resolve(`b@${d}`);
        assert.deepEqual(found, { status: 'loop', via: [`b@${d}`, `c@${d}`, `a@${d}`, `b@${d}`] });
      });

      it('follows aliases ten deep and to 500 ends, and never delivers to only some of more', async () => {
        const d = await newDomain();
        await addAccount(`end@${d}`);
        await addAlias(`l0@${d}`, `end@${d}`);
        for (let i = 1; i < 10; i++) await addAlias(`l${i}@${d}`, `l${i - 1}@${d}`);
        assert.deepEqual(await ends(`l9@${d}`), [`end@${d}`]);
        await assert.rejects(addAlias(`l10@${d}`, `l9@${d}`), refusal('conflict'));
        const many = Array.from({ length: ALIAS_FANOUT }, (_, i) => `u${i}@else.test`);
        await addAlias(`many@${d}`, ...many);
        assert.equal((await ends(`many@${d}`)).length, ALIAS_FANOUT);
        await assert.rejects(addAlias(`many@${d}`, 'one.more@else.test'), refusal('conflict'));
      });

      it('postmaster and abuse always reach somebody', async () => {
        const d = await newDomain();
        await addAccount(`user@${d}`);
        assert.equal(
          await ends(`postmaster@${d}`),
          'unknown',
          'without any administrator nobody can have it',
        );
        await addAccount(`second@${d}`, { role: 'domain-admin' });
        assert.deepEqual(await ends(`Postmaster@${d}`), [`second@${d}`]);
        const o = await newDomain();
        await addAccount(`root@${o}`, { role: 'admin' });
        assert.deepEqual(await ends(`abuse+x@${d}`), [`root@${o}`]);
        await store.write.run('directory.setCatchAll', { actor: SYSTEM, domain: d, address: `user@${d}` });
        assert.deepEqual(await ends(`postmaster@${d}`), [`root@${o}`]);
        await addAlias(`postmaster@${d}`, `user@${d}`);
        assert.deepEqual(await ends(`postmaster@${d}`), [`user@${d}`]);
        assert.deepEqual(await ends(`postmaster@${o}`), [`root@${o}`]);
        await store.write.run('directory.removeAlias', { actor: SYSTEM, address: `postmaster@${d}` });
        await addAlias(`postmaster@${d}`, `gone@${d}`);
        assert.deepEqual(await ends(`postmaster@${d}`), [`root@${o}`], 'an alias to nobody does not count');
      });

      it('a mailbox that is exactly full is over its quota whatever comes', async () => {
        const d = await newDomain();
        const { id } = await addAccount(`a@${d}`, { quota: 10 });
        const over = async (size: number): Promise<boolean> => {
          const found = await resolve(`a@${d}`, '+', size);
          assert.ok(found.status === 'ok' && found.targets[0]?.kind === 'account');
          return found.targets[0].overQuota;
        };
        assert.deepEqual([await over(0), await over(10), await over(11)], [false, false, true]);
        await deliver('f'.repeat(26), id);
        assert.equal((await store.read.run('directory.account', { id }))?.used, 10);
        assert.equal(await over(0), true);
      });

      it('says who is suspended and whose quota is met', async () => {
        const d = await newDomain();
        await addAccount(`a@${d}`, { quota: 1000 });
        await store.write.run('directory.setStatus', {
          actor: SYSTEM,
          address: `a@${d}`,
          status: 'suspended',
        });
        const target = async (size: number) => {
          const found = await resolve(`a@${d}`, '+', size);
          assert.ok(found.status === 'ok' && found.targets[0]?.kind === 'account');
          const { overQuota, suspended } = found.targets[0];
          return { overQuota, suspended };
        };
        assert.deepEqual(await target(0), { overQuota: false, suspended: true });
        assert.deepEqual(await target(1000), { overQuota: false, suspended: true });
        assert.deepEqual(await target(1001), { overQuota: true, suspended: true });
        await store.write.run('directory.setQuota', { actor: SYSTEM, address: `a@${d}`, quota: 0 });
        assert.equal((await target(1e12)).overQuota, false);
      });
    });

    describe('who may send and sign in', () => {
      it('sends as own addresses, aliases, subaddresses and grants only', async () => {
        const d = await newDomain();
        const { id } = await addAccount(`a@${d}`);
        const other = await addAccount(`b@${d}`);
        const granted = await newDomain();
        await addAlias(`nick@${d}`, `a@${d}`);
        await addAlias(`chain@${d}`, `nick@${d}`, `a@${d}`);
        await store.write.run('directory.addDomain', { actor: SYSTEM, name: `alias${n}.test`, aliasOf: d });
        await store.write.run('directory.setCatchAll', { actor: SYSTEM, domain: d, address: `a@${d}` });
        const grant = (address: string) =>
          store.write.run('directory.addGrant', { actor: SYSTEM, account: `A@${d}`, address });
        await grant(`@${granted}`);
        await grant('Me@Home.Test');
        for (const address of [
          `A@${d}`,
          `a+x@${d}`,
          `nick@${d}`,
          `nick+x@${d}`,
          `chain@${d}`,
          `a@alias${n}.test`,
          `x@${granted}`,
          'me@home.test',
        ]) {
          assert.equal(await maySend(id, address), true, address);
        }
        for (const address of [`b@${d}`, `whoever@${d}`, `postmaster@${d}`, 'you@home.test', 'a@else.test']) {
          assert.equal(await maySend(id, address), false, address);
        }
        assert.equal(await maySend(other.id, `x@${granted}`), false);
        assert.deepEqual(await store.read.run('directory.grants', { account: `a@${d}` }), [
          `@${granted}`,
          'Me@home.test',
        ]);
        await store.write.run('directory.removeGrant', {
          actor: SYSTEM,
          account: `a@${d}`,
          address: `@${granted}`,
        });
        assert.equal(await maySend(id, `x@${granted}`), false);
        await store.write.run('directory.setStatus', {
          actor: SYSTEM,
          address: `a@${d}`,
          status: 'suspended',
        });
        assert.equal(await maySend(id, `a@${d}`), false);
      });

      it('an alias for several is sent as by grant only', async () => {
        const d = await newDomain();
        const a = await addAccount(`a@${d}`);
        const b = await addAccount(`b@${d}`);
        await addAlias(`both@${d}`, `a@${d}`, `b@${d}`);
        await addAlias(`copy@${d}`, `a@${d}`, 'x@else.test');
        await addAlias(`nested@${d}`, `both@${d}`);
        const may = async (id: number): Promise<string[]> => {
          const names = ['both', 'both+x', 'copy', 'nested'];
          const allowed = await Promise.all(names.map((name) => maySend(id, `${name}@${d}`)));
          return names.filter((_, index) => allowed[index]);
        };
        assert.deepEqual([await may(a.id), await may(b.id)], [[], []]);
        const grant = { actor: SYSTEM, account: `a@${d}`, address: `Both@${d}` };
        await store.write.run('directory.addGrant', grant);
        assert.deepEqual([await may(a.id), await may(b.id)], [['both'], []]);
        await store.write.run('directory.removeGrant', grant);
        assert.deepEqual(await may(a.id), []);
      });

      it('signs in by the primary address or an alias for that account alone', async () => {
        const d = await newDomain();
        const { id } = await addAccount(`a@${d}`, { scram: SCRAM });
        await addAccount(`b@${d}`);
        await addAlias(`nick@${d}`, `a@${d}`);
        await addAlias(`team@${d}`, `a@${d}`, `b@${d}`);
        await addAlias(`copy@${d}`, `a@${d}`, 'x@else.test');
        await store.write.run('directory.setCatchAll', { actor: SYSTEM, domain: d, address: `a@${d}` });
        const found = await login(` A@${d.toUpperCase()} `);
        assert.deepEqual(
          [found?.accountId, found?.address, found?.hash, found?.status],
          [id, `a@${d}`, '{PLAIN}secret', 'active'],
        );
        assert.deepEqual(Buffer.from(found?.scram?.storedKey ?? []), SCRAM.storedKey);
        assert.equal((await login(`nick@${d}`))?.accountId, id);
        for (const name of [
          `team@${d}`,
          `copy@${d}`,
          `whoever@${d}`,
          `a+x@${d}`,
          'a',
          '',
          `postmaster@${d}`,
        ]) {
          assert.equal(await login(name), undefined, name);
        }
        await remove(`a@${d}`);
        assert.equal(await login(`a@${d}`), undefined);
      });

      it('keeps one password per account; an imported hash is replaced only while it stands', async () => {
        const d = await newDomain();
        const { id } = await addAccount(`a@${d}`);
        clock.advance(1000);
        const set = (hash: string): Promise<null> =>
          store.write.run('directory.setPassword', { actor: SYSTEM, address: `a@${d}`, hash, scram: null });
        const revoked = store.changes.revocation(id);
        await set('{PLAIN}two');
        assert.equal(revoked.aborted, true);
        const upgrade = { accountId: id, oldHash: '{PLAIN}secret', hash: 'new', scram: SCRAM };
        await store.write.run('directory.upgradeCredential', upgrade);
        assert.deepEqual(
          [(await login(`a@${d}`))?.hash, (await login(`a@${d}`))?.changedAt],
          ['{PLAIN}two', clock.now()],
        );
        await store.write.run('directory.upgradeCredential', { ...upgrade, oldHash: '{PLAIN}two' });
        const found = await login(`a@${d}`);
        assert.deepEqual([found?.hash, found?.scram?.iterations], ['new', 4096]);
      });

      it('suspending and removing end the sessions', async () => {
        const d = await newDomain();
        const a = await addAccount(`a@${d}`);
        const b = await addAccount(`b@${d}`);
        const [first, second] = [store.changes.revocation(a.id), store.changes.revocation(b.id)];
        await store.write.run('directory.setStatus', {
          actor: SYSTEM,
          address: `a@${d}`,
          status: 'suspended',
        });
        assert.deepEqual([first.aborted, second.aborted], [true, false]);
        await remove(`b@${d}`);
        assert.equal(second.aborted, true);
        assert.equal((await login(`a@${d}`))?.status, 'suspended');
      });
    });

    describe('administering', () => {
      it('adds, lists and removes domains, not while something is in them', async () => {
        const d = await newDomain();
        await assert.rejects(
          store.write.run('directory.addDomain', { actor: SYSTEM, name: d.toUpperCase() }),
          refusal('already-exists'),
        );
        for (const name of ['a..b', 'exa_mple.test'])
          await assert.rejects(
            store.write.run('directory.addDomain', { actor: SYSTEM, name }),
            refusal('bad-input'),
          );
        await addAccount(`a@${d}`);
        await addAlias(`x@${d}`, `a@${d}`);
        const listed = (await store.read.run('directory.domains', null)).find(({ name }) => name === d);
        assert.deepEqual([listed?.accounts, listed?.aliases], [1, 1]);
        const removeDomain = () => store.write.run('directory.removeDomain', { actor: SYSTEM, name: d });
        await assert.rejects(removeDomain(), refusal('conflict'));
        await store.write.run('directory.removeAlias', { actor: SYSTEM, address: `x@${d}` });
        await remove(`a@${d}`);
        await assert.rejects(removeDomain(), refusal('conflict'));
        clock.advance(31 * DAY);
        await store.write.run('directory.purgeRemoved', { before: clock.now() - 30 * DAY, limit: 100 });
        await removeDomain();
        assert.equal(await store.read.run('directory.domain', { name: d }), undefined);
      });

      it('makes an account with its mailboxes; the address is then taken', async () => {
        const d = await newDomain();
        const made = await addAccount(`New@${d}`, {
          displayName: 'New \0 One',
          quota: 5,
          role: 'domain-admin',
        });
        assert.deepEqual(made, await store.read.run('directory.account', { address: `NEW@${d}` }));
        assert.deepEqual(made, await store.read.run('directory.account', { id: made.id }));
        assert.deepEqual(
          [made.address, made.quota, made.role, made.status, made.used],
          [`new@${d}`, 5, 'domain-admin', 'active', 0],
        );
        const boxes = await store.read.run('mailstore.mailboxes', { accountId: made.id });
        assert.ok(
          boxes.some(({ name }) => name === 'INBOX') &&
            boxes.some(({ specialUse }) => specialUse === '\\Junk'),
        );
        await assert.rejects(addAccount(`NEW@${d}`), refusal('already-exists'));
        await assert.rejects(addAlias(`new@${d}`, 'x@else.test'), refusal('already-exists'));
        await addAlias(`taken@${d}`, 'x@else.test');
        await assert.rejects(addAccount(`taken@${d}`), refusal('already-exists'));
        for (const address of ['no-address', `a b@${d}`, `@${d}`]) {
          await assert.rejects(addAccount(address), refusal('bad-input'));
        }
        await assert.rejects(addAccount('a@else.test'), refusal('not-found'));
        await assert.rejects(addAccount(`q@${d}`, { quota: -1 }), refusal('bad-input'));
      });

      it('keeps the mail of a removed account for 30 days, under its own name', async () => {
        const d = await newDomain();
        const { id } = await addAccount(`a@${d}`);
        await remove(`a@${d}`);
        assert.equal(await ends(`a@${d}`), 'unknown');
        assert.deepEqual(
          (await store.read.run('directory.accounts', { domain: d, removed: true })).map((a) => a.id),
          [id],
        );
        assert.deepEqual(await store.read.run('directory.accounts', { domain: d }), []);
        const restore = () =>
          store.write.run('directory.restoreAccount', { actor: SYSTEM, address: `A@${d}` });
        clock.advance(29 * DAY);
        await addAlias(`a@${d}`, 'x@else.test');
        await assert.rejects(restore(), refusal('already-exists'));
        await store.write.run('directory.removeAlias', { actor: SYSTEM, address: `a@${d}` });
        await restore();
        assert.equal((await login(`a@${d}`))?.accountId, id);
        await remove(`a@${d}`);
        clock.advance(31 * DAY);
        await assert.rejects(restore(), refusal('not-found'));
        const again = await addAccount(`a@${d}`);
        assert.notEqual(again.id, id);
      });

      it('purging leaves nothing of an account, octets that others need stay', async () => {
        const d = await newDomain();
        const a = await addAccount(`a@${d}`);
        const b = await addAccount(`b@${d}`);
        await store.write.run('directory.addGrant', {
          actor: SYSTEM,
          account: `a@${d}`,
          address: 'x@else.test',
        });
        const [own, shared] = ['o'.repeat(26), 's'.repeat(26)];
        await deliver(own, a.id);
        await deliver(shared, a.id, b.id);
        assert.deepEqual(await remove(`a@${d}`, true), { files: [own] });
        const left = await store.inspect((tx) => tx.all(rowsOfAccount, a.id, a.id, a.id, a.id, a.id, a.id));
        assert.deepEqual(
          left.map((row) => row.rows),
          [0],
        );
        await assert.rejects(
          store.write.run('directory.restoreAccount', { actor: SYSTEM, address: `a@${d}` }),
          refusal('no-such-account'),
        );
        await store.write.run('directory.purgeRemoved', { before: clock.now() + 1, limit: 1000 });
        await remove(`b@${d}`);
        clock.advance(31 * DAY);
        assert.deepEqual(
          await store.write.run('directory.purgeRemoved', { before: clock.now() - 30 * DAY, limit: 1 }),
          { accounts: 0, files: [shared], more: true },
        );
        const rest = await store.write.run('directory.purgeRemoved', {
          before: clock.now() - 30 * DAY,
          limit: 1,
        });
        assert.deepEqual(rest, { accounts: 1, files: [], more: false });
      });

      it('never loses the last administrator', async () => {
        const admins = (await store.read.run('directory.accounts', {})).filter(
          ({ role }) => role === 'admin',
        );
        const d = await newDomain();
        await addAccount(`root@${d}`, { role: 'admin' });
        for (const { address } of admins) {
          await store.write.run('directory.setRole', { actor: SYSTEM, address, role: 'user' });
        }
        const address = `root@${d}`;
        await assert.rejects(remove(address), refusal('conflict'));
        await assert.rejects(
          store.write.run('directory.setStatus', { actor: SYSTEM, address, status: 'suspended' }),
          refusal('conflict'),
        );
        await assert.rejects(
          store.write.run('directory.setRole', { actor: SYSTEM, address, role: 'user' }),
          refusal('conflict'),
        );
        await addAccount(`root2@${d}`, { role: 'admin' });
        await remove(address);
      });

      it('adds and removes targets of an alias one by one', async () => {
        const d = await newDomain();
        await addAlias(`x@${d}`, 'B@Else.Test');
        assert.deepEqual(await addAlias(`X@${d}`, 'a@else.test'), {
          address: `x@${d}`,
          targets: ['B@else.test', 'a@else.test'],
        });
        const removeTarget = (target: string) =>
          store.write.run('directory.removeAlias', { actor: SYSTEM, address: `x@${d}`, target });
        await removeTarget('B@ELSE.test');
        await assert.rejects(removeTarget('zzz@else.test'), refusal('not-found'));
        assert.deepEqual(await store.read.run('directory.aliases', { domain: d }), [
          { address: `x@${d}`, targets: ['a@else.test'] },
        ]);
        await removeTarget('a@else.test');
        assert.deepEqual(await store.read.run('directory.aliases', { domain: d }), []);
      });

      it('a domain administrator works within the domain and below administrators, a user on nobody', async () => {
        const d = await newDomain();
        const o = await newDomain();
        const id = (await store.read.run('directory.domain', { name: d }))?.id;
        assert.ok(id !== undefined);
        const local = actor('domain-admin', id);
        await addAccount(`boss@${d}`, { role: 'admin' });
        await addAccount(`mine@${d}`, { actor: local });
        await store.write.run('directory.addAlias', {
          actor: local,
          address: `al@${d}`,
          targets: [`mine@${d}`],
        });
        await store.write.run('directory.setQuota', { actor: local, address: `mine@${d}`, quota: 1 });
        await store.write.run('directory.addGrant', {
          actor: local,
          account: `mine@${d}`,
          address: `x@${d}`,
        });
        const secret = { hash: 'x', scram: null };
        const forbidden: (() => Promise<unknown>)[] = [
          () => store.write.run('directory.addDomain', { actor: local, name: 'new.test' }),
          () => store.write.run('directory.removeDomain', { actor: local, name: o }),
          () => addAccount(`x@${o}`, { actor: local }),
          () => addAccount(`x@${d}`, { actor: local, role: 'admin' }),
          () => store.write.run('directory.setPassword', { actor: local, address: `boss@${d}`, ...secret }),
          () => store.write.run('directory.setRole', { actor: local, address: `mine@${d}`, role: 'admin' }),
          () =>
            store.write.run('directory.removeAccount', { actor: local, address: `boss@${d}`, purge: true }),
          () =>
            store.write.run('directory.addAlias', {
              actor: local,
              address: `x@${o}`,
              targets: [`mine@${d}`],
            }),
          () => store.write.run('directory.setCatchAll', { actor: local, domain: o, address: null }),
          () =>
            store.write.run('directory.addGrant', { actor: local, account: `mine@${d}`, address: `@${o}` }),
          () =>
            store.write.run('directory.addGrant', {
              actor: local,
              account: `mine@${d}`,
              address: 'x@else.test',
            }),
          () => addAccount(`x@${d}`, { actor: actor('user', id) }),
          () =>
            store.write.run('directory.setPassword', {
              actor: actor('user', id),
              address: `mine@${d}`,
              ...secret,
            }),
        ];
        for (const attempt of forbidden)
          await assert.rejects(attempt(), refusal('not-permitted'), String(attempt));
        const self: Actor = { name: `mine@${d}`, role: 'user', domainId: id };
        await store.write.run('directory.setPassword', { actor: self, address: `MINE@${d}`, ...secret });
        assert.equal((await login(`mine@${d}`))?.hash, 'x');
      });

      it('writes down who did what, newest first, without secrets', async () => {
        const d = await newDomain();
        const by: Actor = { name: 'carol@admins.test', role: 'admin', domainId: undefined };
        await addAccount(`a@${d}`, { actor: by, hash: 'TOPSECRET' });
        await store.write.run('directory.setPassword', {
          actor: by,
          address: `a@${d}`,
          hash: 'TOPSECRET',
          scram: null,
        });
        const rows = await store.read.run('directory.audit', { limit: 2 });
        assert.deepEqual(
          rows.map(({ actor: name, action, subject, at }) => [name, action, subject, at]),
          [
            [by.name, 'account.password', `a@${d}`, clock.now()],
            [by.name, 'account.add', `a@${d}`, clock.now()],
          ],
        );
        assert.ok(!JSON.stringify(rows).includes('TOPSECRET'));
        const older = await store.read.run('directory.audit', { limit: 1, before: rows[1]?.id ?? 0 });
        assert.equal(older[0]?.action, 'domain.add');
      });

      it('forgets what was written down long ago, oldest first and as many rows as it may', async () => {
        await store.write.run('directory.pruneAudit', { before: clock.now() + 1, limit: 100_000 });
        const names: string[] = [];
        for (let i = 0; i < 3; i++) {
          names.unshift(await newDomain());
          clock.advance(1000);
        }
        const left = async () =>
          (await store.read.run('directory.audit', { limit: 10 })).map(({ subject }) => subject);
        const prune = (age: number, limit: number) =>
          store.write.run('directory.pruneAudit', { before: clock.now() - age, limit });
        assert.equal(await prune(3000, 10), 0, 'a row of that very time stays');
        assert.equal(await prune(1000, 1), 1);
        assert.deepEqual(await left(), names.slice(0, 2));
        assert.equal(await prune(1000, 10), 1);
        assert.deepEqual(await left(), names.slice(0, 1));
      });

      it('keeps DKIM keys per domain and selector', async () => {
        const d = await newDomain();
        const key = {
          domain: d,
          selector: 's1',
          algorithm: 'ed25519-sha256',
          privateKey: 'P',
          publicKey: 'p',
        } as const;
        const made = await store.write.run('directory.addDkimKey', { actor: SYSTEM, ...key });
        assert.deepEqual(made, { ...key, id: made.id, state: 'active' });
        assert.deepEqual(await store.read.run('directory.dkimKeys', { domain: d }), [made]);
        const again = store.write.run('directory.addDkimKey', { actor: SYSTEM, ...key });
        await assert.rejects(again, refusal('already-exists'));
        const bad = store.write.run('directory.addDkimKey', { actor: SYSTEM, ...key, selector: 'a.b c' });
        await assert.rejects(bad, refusal('bad-input'));
        assert.deepEqual(await store.read.run('directory.dkimKeys', { domain: 'else.test' }), []);
      });

      it('keeps settings; what must not change once made does not', async () => {
        await store.write.run('directory.setSetting', { name: 'x', value: '1' });
        await store.write.run('directory.setSetting', { name: 'x', value: '2' });
        assert.equal(await store.read.run('directory.setting', { name: 'x' }), '2');
        assert.equal(await store.write.run('directory.ensureSetting', { name: 'x', value: '3' }), '2');
        assert.equal(await store.write.run('directory.ensureSetting', { name: 'y', value: '3' }), '3');
        assert.equal(await store.read.run('directory.setting', { name: 'z' }), undefined);
        const change = (before: string | undefined, value: string): Promise<boolean> =>
          store.write.run('directory.changeSetting', { name: 'z', before, value });
        const first = await Promise.all([change(undefined, '1'), change(undefined, '2')]);
        assert.deepEqual(first.toSorted(), [false, true], 'one of two that saw the same');
        const stands = await store.read.run('directory.setting', { name: 'z' });
        assert.equal(await change('0', '3'), false);
        assert.equal(await change(stands, '3'), true);
        assert.equal(await store.read.run('directory.setting', { name: 'z' }), '3');
      });
    });
  });
}

const CONTENT = {
  envelope: Buffer.alloc(0),
  bodystructure: Buffer.alloc(0),
  structure: '{}',
  sentAt: undefined,
  messageId: undefined,
  references: [],
};

const DEPOSIT = {
  mailbox: { name: 'INBOX' },
  prefix: Buffer.alloc(0),
  hidden: [],
  set: { flags: 0, keywords: [] },
  receivedAt: 0,
  trace: undefined,
  ignoreQuota: false,
};

function refusal(kind: RefusalKind): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Refusal, String(error));
    assert.equal(error.kind, kind, error.message);
    return true;
  };
}
