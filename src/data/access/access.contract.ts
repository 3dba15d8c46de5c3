import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import type { Actor, ScramSecret } from '../directory/types.ts';
import type { InlineStore } from '../inline.ts';
import { newToken, recoveryDigest } from './tokens.ts';
import { ACCESS_LIMITS } from './types.ts';

const SYSTEM: Actor = { name: 'system', role: 'system', domainId: undefined };
const HOUR = 3_600_000;

type Store = Pick<InlineStore, 'read' | 'write' | 'changes' | 'close'>;

/** What every engine must do with sessions, app passwords, second factors and grants. */
export function accessContract(open: (options: { clock: ManualClock }) => Promise<Store>): void {
  describe('access', () => {
    let store: Store;
    let accountId = 0;
    let otherId = 0;
    const clock = manualClock();
    const address = 'ann@example.test';
    const ann: Actor = { name: address, role: 'user', domainId: undefined };
    const other: Actor = { name: 'eve@example.test', role: 'user', domainId: undefined };
    const stranger: Actor = { name: 'x@elsewhere.test', role: 'domain-admin', domainId: 999 };

    before(async () => {
      store = await open({ clock });
      await store.write.run('directory.addDomain', { actor: SYSTEM, name: 'example.test' });
      const more = { displayName: '', role: 'user', quota: 0, hash: 'x', scram: null } as const;
      const add = (name: string) =>
        store.write.run('directory.addAccount', { actor: SYSTEM, address: name, ...more });
      accountId = (await add(address)).id;
      otherId = (await add(other.name)).id;
    });
    after(() => store.close());

    const scramOf = (salt: string, key: string): ScramSecret => ({
      salt: Buffer.from(salt),
      iterations: 4096,
      storedKey: Buffer.from(key),
      serverKey: Buffer.from(key),
    });
    const addApp = (more = {}) =>
      store.write.run('access.addAppPassword', {
        actor: ann,
        accountId,
        name: 'Phone',
        scopes: ['mail', 'send'],
        expiresAt: null,
        scram: scramOf('salt', 'key'),
        ...more,
      });
    const openSession = (remember = false, id = accountId) => {
      const { digest } = newToken('session');
      const args = { accountId: id, digest, userAgent: 'Test\0', address: '192.0.2.1', remember };
      return store.write.run('access.openSession', args).then((row) => ({ ...row, digest }));
    };
    const session = (digest: string) => store.read.run('access.session', { digest, now: clock.now() });
    const overview = () => store.read.run('access.overview', { accountId, now: clock.now() });

    it('app passwords share one salt; those of others cannot be seen or removed', async () => {
      const { id } = await addApp();
      await assert.rejects(addApp({ scram: scramOf('other', 'key') }), { kind: 'conflict' });
      await assert.rejects(addApp({ expiresAt: clock.now() }), { kind: 'bad-input' });
      await assert.rejects(addApp({ actor: other }), { kind: 'not-permitted' });
      await assert.rejects(addApp({ actor: stranger }), { kind: 'not-permitted' });
      await store.write.run('access.noteAppPassword', { id, address: '192.0.2.9' });
      const [app] = (await store.read.run('access.ofLogin', { accountId })).appPasswords;
      assert.deepEqual([app?.scopes, app?.usedFrom], [['mail', 'send'], '192.0.2.9']);
      const salt = await store.read.run('access.scramSalt', { accountId });
      assert.equal(Buffer.from(salt?.salt ?? []).toString(), 'salt');
      const remove = (actor: Actor, account = accountId) =>
        store.write.run('access.removeAppPassword', { actor, accountId: account, id });
      assert.equal(await remove(other, otherId), false);
      const revoked = store.changes.revocation(accountId, `app:${id}`);
      assert.equal(await remove(ann), true);
      assert.ok(revoked.aborted);
    });

    it('a password under another salt keeps no SCRAM keys while there are app passwords', async () => {
      const { id } = await addApp();
      const set = (scram: ScramSecret) =>
        store.write.run('directory.setPassword', { actor: SYSTEM, address, hash: 'y', scram });
      const keys = async () => (await store.read.run('directory.credential', { login: address }))?.scram;
      await set(scramOf('other', 'key'));
      assert.equal(await keys(), undefined);
      await set(scramOf('salt', 'key'));
      assert.ok(await keys());
      await store.write.run('access.removeAppPassword', { actor: ann, accountId, id });
    });

    it('a session ends when it is over, ended, or its account suspended; its own signal says so', async () => {
      const [one, two] = [await openSession(), await openSession(true)];
      assert.equal((await session(one.digest))?.userAgent, 'Test');
      const signals = [one, two].map(({ id }) => store.changes.revocation(accountId, `session:${id}`));
      const end = (actor: Actor, id: number, of = accountId) =>
        store.write.run('access.endSession', { actor, accountId: of, id });
      assert.equal(await end(other, one.id, otherId), false);
      await assert.rejects(end(other, one.id), { kind: 'not-permitted' });
      assert.equal(await end(ann, one.id), true);
      assert.deepEqual(
        signals.map(({ aborted }) => aborted),
        [true, false],
      );
      clock.advance(13 * HOUR);
      assert.ok(await session(two.digest));
      for (const status of ['suspended', 'active'] as const)
        await store.write.run('directory.setStatus', { actor: SYSTEM, address, status });
      assert.equal(await session(two.digest), undefined);
      assert.deepEqual(
        signals.map(({ aborted }) => aborted),
        [true, true],
      );
    });

    it('has a bounded number of sessions: the one unused for longest goes', async () => {
      const first = await openSession();
      for (let i = 0; i < ACCESS_LIMITS.sessions; i++) {
        clock.advance(1);
        await openSession();
      }
      assert.equal((await overview()).sessions.length, ACCESS_LIMITS.sessions);
      assert.equal(await session(first.digest), undefined);
      const keep = (await overview()).sessions[0]?.id ?? 0;
      await store.write.run('access.endSessions', { actor: ann, accountId, keep });
      assert.deepEqual(
        (await overview()).sessions.map(({ id }) => id),
        [keep],
      );
    });

    it('OTP replay: a step is spent once, and with it all before', async () => {
      const secret = 'JBSWY3DPEHPK3PXP';
      await store.write.run('access.beginTotp', { actor: ann, accountId, secret });
      const spend = (step: number) => store.write.run('access.spendTotp', { accountId, step });
      assert.equal(await spend(10), false, 'not in force yet');
      const digest = recoveryDigest(accountId, 'abcd-efgh-jkmn') ?? '';
      const confirm = { actor: ann, accountId, secret, step: 10, recovery: [digest], keep: 0 };
      await store.write.run('access.confirmTotp', confirm);
      await assert.rejects(store.write.run('access.confirmTotp', confirm), { kind: 'conflict' });
      await assert.rejects(store.write.run('access.beginTotp', { actor: ann, accountId, secret }), {
        kind: 'conflict',
      });
      assert.equal(await spend(10), false);
      const atOnce = await Promise.all([spend(11), spend(11), spend(11)]);
      assert.equal(atOnce.filter(Boolean).length, 1);
      assert.equal(await spend(9), false);
      const recover = (account: number) =>
        store.write.run('access.spendRecovery', { accountId: account, digest });
      assert.deepEqual(
        [await recover(otherId), await recover(accountId), await recover(accountId)],
        [false, true, false],
      );
      assert.equal((await store.read.run('access.ofLogin', { accountId })).secondFactor, true);
      await assert.rejects(store.write.run('access.resetFactors', { actor: stranger, accountId }), {
        kind: 'not-permitted',
      });
      await store.write.run('access.resetFactors', { actor: SYSTEM, accountId });
      assert.equal((await store.read.run('access.ofLogin', { accountId })).secondFactor, false);
    });

    it('passkeys: one credential belongs to one account; its counter only moves from where it was', async () => {
      const add = (actor: Actor, id: number) =>
        store.write.run('access.addPasskey', {
          actor,
          accountId: id,
          credentialId: 'cred',
          publicKey: Buffer.from('key'),
          counter: 1,
          transports: ['internal', 'hybrid'],
          name: 'Key',
          recovery: [],
          keep: 0,
        });
      const { id, first } = await add(ann, accountId);
      assert.equal(first, true);
      await assert.rejects(add(other, otherId), { kind: 'already-exists' });
      const use = (from: number, counter: number) =>
        store.write.run('access.usePasskey', { id, before: from, counter });
      assert.deepEqual([await use(1, 5), await use(1, 6), await use(5, 6)], [true, false, true]);
      const found = await store.read.run('access.passkey', { credentialId: 'cred' });
      assert.deepEqual(
        [found?.accountId, found?.counter, found?.transports],
        [accountId, 6, ['internal', 'hybrid']],
      );
      assert.equal(
        await store.write.run('access.removePasskey', { actor: other, accountId: otherId, id }),
        false,
      );
      assert.equal(await store.write.run('access.removePasskey', { actor: ann, accountId, id }), true);
    });

    it('codes and refresh tokens count once; coming again ends the grant; all is forgotten in time', async () => {
      const client = { id: 'client', name: 'Reader', redirectUris: ['https://c.example/'] };
      await store.write.run('access.registerClient', client);
      const redirectUri = 'https://c.example/';
      const [code, access, next] = [newToken('code'), newToken('access'), newToken('refresh')];
      const grant = { actor: ann, accountId, clientId: 'client', scopes: ['mail'] as const };
      const { grantId } = await store.write.run('access.grant', {
        ...grant,
        digest: code.digest,
        redirectUri,
        challenge: 'c',
      });
      const revoked = store.changes.revocation(accountId, `grant:${grantId}`);
      const tokens = { access: access.digest, refresh: next.digest };
      const redeem = { digest: code.digest, clientId: 'client', redirectUri, challenge: 'c', tokens };
      assert.deepEqual(await store.write.run('access.redeemCode', { ...redeem, challenge: 'd' }), {
        ok: false,
        error: 'invalid_grant',
      });
      assert.equal((await store.write.run('access.redeemCode', redeem)).ok, true);
      const known = (digest: string) => store.read.run('access.token', { digest, now: clock.now() });
      assert.equal((await known(access.digest))?.grantId, grantId);
      assert.equal(await known(next.digest), undefined, 'a refresh token is no access token');
      const renew = (digest: string) => {
        const made = { access: newToken('access').digest, refresh: newToken('refresh').digest };
        return store.write.run('access.refresh', { digest, clientId: 'client', scopes: null, tokens: made });
      };
      assert.equal((await renew(next.digest)).ok, true);
      assert.equal(await known(access.digest), undefined);
      assert.ok(!revoked.aborted);
      assert.deepEqual(await renew(next.digest), { ok: false, error: 'invalid_grant', reused: true });
      assert.ok(revoked.aborted);
      assert.deepEqual((await overview()).grants, []);
      clock.advance(ACCESS_LIMITS.idleClientMs + 1);
      for (let more = true; more; ) more = await store.write.run('access.sweep', { limit: 3 });
      assert.equal(await store.read.run('access.client', { id: 'client' }), undefined);
      assert.deepEqual((await overview()).sessions, []);
    });

    it('clients that nobody uses make room for new ones, the oldest first, but none that has only just come', async () => {
      const register = (id: string) =>
        store.write.run('access.registerClient', { id, name: id, redirectUris: ['https://a.test/'] });
      const isKnown = async (id: string) => (await store.read.run('access.client', { id })) !== undefined;
      await register('used');
      const code = newToken('code');
      await store.write.run('access.grant', {
        actor: ann,
        accountId,
        clientId: 'used',
        scopes: ['mail'],
        digest: code.digest,
        redirectUri: 'https://a.test/',
        challenge: 'c',
      });
      clock.advance(1000);
      const most = ACCESS_LIMITS.idleClients;
      for (let i = 0; i < most; i++) {
        await register(`idle ${i}`);
        clock.advance(1);
      }
      await assert.rejects(register('late'), { kind: 'limit' });
      clock.advance(ACCESS_LIMITS.freshClientMs + 1);
      await register('late');
      assert.deepEqual(await Promise.all(['used', 'idle 0', 'idle 1', 'late'].map(isKnown)), [
        true,
        false,
        true,
        true,
      ]);
    });

    it('everything goes with the account', async () => {
      await openSession();
      await addApp();
      await store.write.run('access.beginTotp', { actor: ann, accountId, secret: 'A' });
      await store.write.run('directory.removeAccount', { actor: SYSTEM, address, purge: true });
      const left = await overview();
      assert.deepEqual([left.sessions, left.appPasswords], [[], []]);
    });
  });
}
