import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import type { InlineStore } from '../inline.ts';
import { TRANSPORT_SECURITY_KEPT as KEPT } from './types.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const FILE = Buffer.from('version: STSv1\nmode: enforce\nmx: mx.far.test\nmax_age: 86400\n');

/** What every engine's memory of others' TLS must do. */
export function transportSecurityContract(
  open: (options: { clock: ManualClock }) => Promise<InlineStore>,
): void {
  describe('transport security contract', () => {
    let store: InlineStore;
    let clock: ManualClock;

    before(async () => {
      clock = manualClock();
      store = await open({ clock });
    });
    after(() => store.close());

    const entry = (domain: string) => store.read.run('transport.sts', { domain });
    const keep = (domain: string, recordId = '1', forMs = DAY) =>
      store.write.run('transport.keepSts', { domain, recordId, mode: 'enforce', file: FILE, forMs });
    const fail = (domain: string, recordId = '1') => {
      const failure = { type: 'sts-policy-fetch-error', reason: 'no answer' } as const;
      return store.write.run('transport.stsFailed', { domain, recordId, ...failure });
    };

    it('a policy, its file octet by octet, its term', async () => {
      assert.equal(await entry('far.test'), undefined);
      const at = clock.now();
      await keep('far.test');
      const found = await entry('far.test');
      assert.deepEqual(found, {
        domain: 'far.test',
        policy: { file: FILE, recordId: '1', mode: 'enforce', fetchedAt: at, expiresAt: at + DAY },
        usedAt: at,
        failed: undefined,
      });
    });

    it('a failed fetch keeps the policy; a fetch that succeeds forgets the failure', async () => {
      clock.advance(HOUR);
      await fail('far.test', '2');
      const failed = await entry('far.test');
      assert.deepEqual(failed?.failed, {
        at: clock.now(),
        recordId: '2',
        type: 'sts-policy-fetch-error',
        reason: 'no answer',
      });
      assert.equal(failed?.policy?.recordId, '1');
      await keep('far.test', '2');
      const kept = await entry('far.test');
      assert.deepEqual([kept?.failed, kept?.policy?.recordId], [undefined, '2']);
    });

    it('a failure without a policy is known as such', async () => {
      await fail('none.test');
      const found = await entry('none.test');
      assert.deepEqual([found?.policy, found?.failed?.recordId], [undefined, '1']);
    });

    it('those in use are refreshed, in turn', async () => {
      await keep('a.test');
      await keep('b.test');
      const since = clock.now() + 1;
      clock.advance(HOUR);
      await store.write.run('transport.stsUsed', { domain: 'b.test' });
      await store.write.run('transport.stsUsed', { domain: 'none.test' });
      await store.write.run('transport.stsUsed', { domain: 'far.test' });
      const ask = (after: string) =>
        store.read.run('transport.stsToRefresh', { after, usedSince: since, limit: 1 });
      assert.deepEqual(
        [await ask(''), await ask('b.test'), await ask('far.test')],
        [['b.test'], ['far.test'], []],
      );
    });

    it('what has run out is forgotten, failures a day later', async () => {
      await store.write.run('transport.forget', {});
      assert.equal((await store.read.run('transport.allSts', { after: '' })).length, 4);
      clock.advance(2 * DAY);
      await fail('b.test');
      await store.write.run('transport.forget', {});
      const left = await store.read.run('transport.allSts', { after: '' });
      assert.deepEqual(
        left.map(({ domain }) => domain),
        ['b.test'],
      );
      assert.equal(await store.write.run('transport.dropSts', { domain: 'b.test' }), 1);
    });

    it('quirks: found, found again, taken back', async () => {
      const host = 'mx.odd.test';
      const note = (quirk: 'plain' | 'tls1.2') =>
        store.write.run('transport.keepQuirk', { host, quirk, reason: 'x'.repeat(1000), forMs: DAY });
      const firstAt = clock.now();
      await note('plain');
      clock.advance(HOUR);
      await note('tls1.2');
      const now = clock.now();
      const expected = {
        host,
        quirk: 'tls1.2',
        reason: 'x'.repeat(300),
        firstAt,
        lastAt: now,
        until: now + DAY,
        seen: 2,
      };
      assert.deepEqual(await store.read.run('transport.quirk', { host }), expected);
      assert.deepEqual(await store.read.run('transport.quirks', { after: '' }), [expected]);
      assert.equal(await store.write.run('transport.dropQuirk', { host }), 1);
      assert.equal(await store.read.run('transport.quirk', { host }), undefined);
    });

    it('bounded: the newest of too many are kept, old quirks go', async () => {
      for (let i = 0; i < 5; i++) {
        clock.advance(1);
        await keep(`p${i}.test`, '1', 100 * DAY);
        await store.write.run('transport.keepQuirk', {
          host: `h${i}.test`,
          quirk: 'plain',
          reason: '',
          forMs: 1,
        });
      }
      await store.write.run('transport.forget', { policies: 2, quirks: 3 });
      const policies = await store.read.run('transport.allSts', { after: '' });
      const quirks = await store.read.run('transport.quirks', { after: '' });
      assert.deepEqual(
        policies.map(({ domain }) => domain),
        ['p3.test', 'p4.test'],
      );
      assert.deepEqual(
        quirks.map(({ host }) => host),
        ['h2.test', 'h3.test', 'h4.test'],
      );
      clock.advance(KEPT.quirkMs);
      await store.write.run('transport.forget', {});
      assert.deepEqual(await store.read.run('transport.quirks', { after: '' }), []);
    });
  });
}
