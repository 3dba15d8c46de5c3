import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import type { Actor } from '../directory/types.ts';
import type { InlineStore } from '../inline.ts';
import type { Ban } from './types.ts';

const ADMIN: Actor = { name: 'admin@example.test', role: 'admin', domainId: undefined };
const SYSTEM: Actor = { name: 'system', role: 'system', domainId: undefined };
const DAY = 86_400_000;

type Store = Pick<InlineStore, 'read' | 'write' | 'close'>;

/** What every engine must do with bans, exemptions and known places. */
export function bansContract(open: (options: { clock: ManualClock }) => Promise<Store>): void {
  describe('bans', () => {
    let store: Store;
    const clock = manualClock();
    before(async () => {
      store = await open({ clock });
      await store.write.run('directory.addDomain', { actor: SYSTEM, name: 'example.test' });
    });
    after(() => store.close());

    const active = (): Promise<Ban[]> => store.read.run('bans.after', { after: clock.now(), limit: 100 });
    const addAccount = async (address: string): Promise<number> => {
      const more = { displayName: '', role: 'user', quota: 0, hash: 'x', scram: null } as const;
      return (await store.write.run('directory.addAccount', { actor: SYSTEM, address, ...more })).id;
    };

    it('are listed while they hold, whoever set them, and say why', async () => {
      const now = clock.now();
      const guessed: Ban = {
        kind: 'network',
        subject: '192.0.2.7',
        cause: 'guessing',
        reason: '20 failed logins within 10 min',
        offences: 3,
        since: now,
        until: now + 3_600_000,
      };
      await store.write.run('bans.set', guessed);
      const args = { actor: ADMIN, network: '2001:DB8::1', forMs: 60_000, reason: 'odd: \0 things' };
      const added = await store.write.run('bans.add', args);
      assert.equal(added.subject, '2001:db8::/64');
      assert.deepEqual(await active(), [guessed, { ...added, reason: 'odd:  things' }]);
      clock.advance(60_000);
      assert.deepEqual(await active(), [guessed]);
    });

    it('are lifted with all that came before, by name, once', async () => {
      const lift = () =>
        store.write.run('bans.lift', { actor: ADMIN, kind: 'network', subject: '192.0.2.7' });
      assert.deepEqual(await lift(), { active: true });
      assert.deepEqual(await active(), []);
      await assert.rejects(lift(), { kind: 'not-found' });
      const audit = await store.read.run('directory.audit', { limit: 10 });
      assert.deepEqual(
        audit
          .filter(({ action }) => action.startsWith('ban.'))
          .map(({ action, subject }) => `${action} ${subject}`),
        ['ban.lift 192.0.2.7', 'ban.add 2001:db8::/64'],
      );
    });

    it('have exemptions, one for a network however it is written', async () => {
      const exempt = (network: string, note: string) =>
        store.write.run('bans.exempt', { actor: ADMIN, network, note });
      await exempt('198.51.100.7/24', 'first');
      await exempt('198.51.100.0/24', 'second');
      const list = await store.read.run('bans.exemptions', null);
      assert.deepEqual(
        list.map(({ network, note }) => ({ network, note })),
        [{ network: '198.51.100.0/24', note: 'second' }],
      );
      await store.write.run('bans.unexempt', { actor: ADMIN, network: '198.51.100.99/24' });
      assert.deepEqual(await store.read.run('bans.exemptions', null), []);
    });

    it('know places, the latest time of each, page by page, of accounts that are there', async () => {
      const [a, b] = [await addAccount('a@example.test'), await addAccount('b@example.test')];
      const now = clock.now();
      const place = (accountId: number, network: string, lastAt = now) => ({ accountId, network, lastAt });
      await store.write.run('bans.know', {
        places: [
          place(b, '10.0.0.1'),
          place(a, '10.0.0.2'),
          place(a, '10.0.0.1'),
          place(999_999, '10.0.0.1'),
        ],
      });
      await store.write.run('bans.know', {
        places: [place(a, '10.0.0.1', now + 5), place(b, '10.0.0.1', now - 5)],
      });
      const found = [];
      for (let at = { accountId: 0, network: '' }; ; ) {
        const page = await store.read.run('bans.known', { since: now - 1, ...at, limit: 2 });
        const last = page.at(-1);
        if (last === undefined) break;
        found.push(...page);
        at = { accountId: last.accountId, network: last.network };
      }
      assert.deepEqual(found, [place(a, '10.0.0.1', now + 5), place(a, '10.0.0.2'), place(b, '10.0.0.1')]);
    });

    it('go with what they are about: after their time, and with a purged account', async () => {
      await store.write.run('directory.removeAccount', {
        actor: SYSTEM,
        address: 'b@example.test',
        purge: true,
      });
      clock.advance(32 * DAY);
      await store.write.run('bans.forget', { now: clock.now(), limit: 100 });
      assert.deepEqual(await store.read.run('bans.after', { after: 0, limit: 100 }), []);
      const rest = await store.read.run('bans.known', { since: 0, accountId: 0, network: '', limit: 10 });
      assert.deepEqual(rest, []);
    });
  });
}
