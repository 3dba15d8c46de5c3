import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import { Refusal } from '../../base/errors.ts';
import { silentLogger } from '../../base/log.ts';
import { scramClient } from '../../mail/sasl/client.ts';
import { proofMatches } from '../../mail/sasl/scram.ts';
import type { Authenticator } from '../../mail/sasl/types.ts';
import { type InlineStore, openInlineStore } from '../inline.ts';
import type { JournalEvent } from '../journal/types.ts';
import { createAuthenticator } from './authenticator.ts';
import { matchesImported } from './imported-hashes.ts';
import { hashPassword, isOwnHash, matchesOwn, type PasswordSecrets } from './passwords.ts';
import type { Actor, ScramSecret } from './types.ts';

const SYSTEM: Actor = { name: 'system', role: 'system', domainId: undefined };
const REMOTE = { remoteAddress: '192.0.2.1', protocol: 'imap', trace: 'session-1' };
const PASSWORD = 'correct horse';

describe('authenticator', () => {
  let store: InlineStore;
  let clock: ManualClock;
  let secrets: PasswordSecrets;
  let events: JournalEvent[];
  let checks: string[];
  let auth: Authenticator;
  let address: string;
  let accountId: number;
  let n = 0;

  const make = (hasher = counting()): Authenticator =>
    createAuthenticator({
      store,
      clock,
      logger: silentLogger,
      journal: { event: (e) => events.push(e) },
      hasher,
    });
  const counting = () => ({
    own: (password: string, hash: string) => {
      checks.push('own');
      return matchesOwn(password, hash);
    },
    imported: (password: string, hash: string) => {
      checks.push('imported');
      return matchesImported(password, hash);
    },
  });
  const add = async (hash: string, scram: ScramSecret | null): Promise<void> => {
    address = `u${++n}@example.test`;
    const more = { displayName: '', role: 'user', quota: 0 } as const;
    ({ id: accountId } = await store.write.run('directory.addAccount', {
      actor: SYSTEM,
      address,
      hash,
      scram,
      ...more,
    }));
  };
  const login = (password: string, name = address) => auth.password({ login: name, password, ...REMOTE });
  const setStatus = (status: 'active' | 'suspended') =>
    store.write.run('directory.setStatus', { actor: SYSTEM, address, status });

  before(async () => {
    clock = manualClock();
    store = await openInlineStore({ path: ':memory:', clock });
    await store.write.run('directory.addDomain', { actor: SYSTEM, name: 'example.test' });
    secrets = await hashPassword(PASSWORD);
  });
  beforeEach(async () => {
    events = [];
    checks = [];
    auth = make();
    await add(secrets.hash, secrets.scram);
  });
  after(() => store.close());

  it('lets in who knows the password, and nobody else; all failures look alike', async () => {
    const account = await login(PASSWORD, ` ${address.toUpperCase()} `);
    assert.deepEqual(
      [account.accountId, account.address, account.revoked.aborted],
      [accountId, address, false],
    );
    const failures = [
      () => login('wrong password'),
      () => login(''),
      () => login('x'.repeat(1025)),
      () => login(PASSWORD, 'nobody@example.test'),
      () => login(PASSWORD, 'nobody'),
      () => login(PASSWORD, 'x'.repeat(1000)),
    ];
    const said = new Set<string>();
    for (const attempt of failures) {
      const error: unknown = await attempt().then(
        () => undefined,
        (caught: unknown) => caught,
      );
      assert.ok(error instanceof Refusal && error.kind === 'authentication-failed');
      said.add(`${error.smtp?.code} ${error.message}`);
    }
    assert.deepEqual([...said], ['535 The login or password is wrong']);
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['login.succeeded', ...failures.map(() => 'login.failed')],
    );
    assert.ok(events[0]?.terms.includes('i:192.0.2.1') && events[0].terms.includes(`a:${address}`));
    assert.ok(!JSON.stringify(events).includes(PASSWORD));
  });

  it("what is noted stands in the session's trace, under the names its other events use", async () => {
    await login(PASSWORD, address.toUpperCase());
    await assert.rejects(login('wrong password'));
    await assert.rejects(login(PASSWORD, 'nobody@example.test'));
    const attempt = { ...REMOTE, login: address };
    await auth.scramSucceeded({ ...attempt, remoteAddress: '' });
    auth.failed(attempt);
    const session = { session: 'session-1', protocol: 'imap', ip: '192.0.2.1', login: address };
    assert.deepEqual(
      events.map(({ data }) => data),
      [
        { ...session, how: 'password' },
        { ...session, reason: 'wrong password' },
        { ...session, login: 'nobody@example.test', reason: 'unknown login' },
        { ...session, ip: '', how: 'SCRAM-SHA-256' },
        { ...session, reason: 'wrong SCRAM proof' },
      ],
    );
    assert.deepEqual([...new Set(events.map(({ trace }) => trace))], ['session-1']);
  });

  it('an unknown login costs a hash as a known one does', async () => {
    await assert.rejects(login('wrong password'));
    await assert.rejects(login('wrong password', 'nobody@example.test'));
    assert.deepEqual(checks, ['own', 'own']);
  });

  it('a verified login is remembered for five minutes, this password only', async () => {
    await login(PASSWORD);
    await login(PASSWORD);
    await assert.rejects(login('wrong password'));
    assert.equal(checks.length, 2);
    clock.advance(5 * 60_000 - 1);
    await login(PASSWORD);
    assert.equal(checks.length, 2);
    clock.advance(1);
    await login(PASSWORD);
    assert.equal(checks.length, 3);
  });

  it('a new password ends the memory and the sessions', async () => {
    const account = await login(PASSWORD);
    const next = await hashPassword('another password');
    await store.write.run('directory.setPassword', { actor: SYSTEM, address, ...next });
    assert.equal(account.revoked.aborted, true);
    await assert.rejects(login(PASSWORD));
    assert.equal((await login('another password')).revoked.aborted, false);
  });

  it('says "suspended" to who knows the password only, remembered or not', async () => {
    const account = await login(PASSWORD);
    await setStatus('suspended');
    assert.equal(account.revoked.aborted, true);
    await assert.rejects(login('wrong password'), isRefusal('authentication-failed'));
    await assert.rejects(login(PASSWORD), isRefusal('suspended'));
    await setStatus('active');
    assert.equal((await login(PASSWORD)).accountId, accountId);
  });

  it('an account suspended while its hash is computed is not let in', async () => {
    let release = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (release = resolve));
    auth = make({ own: async () => (await waiting, true), imported: async () => false });
    const attempt = login(PASSWORD);
    await turn();
    await setStatus('suspended');
    release();
    await assert.rejects(attempt);
  });

  describe('many at once', () => {
    let running: number;
    let most: number;
    let order: string[];
    let releases: (() => void)[];

    beforeEach(() => {
      [running, most, order, releases] = [0, 0, [], []];
      auth = make({
        own: async (password) => {
          order.push(password);
          most = Math.max(most, ++running);
          await new Promise<void>((resolve) => releases.push(resolve));
          running--;
          return true;
        },
        imported: async () => false,
      });
    });

    /** So many logins from an address, the password naming it. Resolve to 'in' or a reply code. */
    const from = (remoteAddress: string, count: number) =>
      Array.from({ length: count }, () =>
        auth.password({ ...REMOTE, login: address, password: `from ${remoteAddress}`, remoteAddress }).then(
          () => 'in',
          (error: Refusal) => String(error.smtp?.code),
        ),
      );
    const settle = async (): Promise<void> => {
      for (let i = 0; i < 50; i++) await turn();
    };
    const finish = async (attempts: readonly Promise<string>[]): Promise<Record<string, number>> => {
      while (running > 0 || releases.length > 0) {
        releases.shift()?.();
        for (let i = 0; i < 10; i++) await turn();
      }
      const counts: Record<string, number> = {};
      for (const result of await Promise.all(attempts)) counts[result] = (counts[result] ?? 0) + 1;
      return counts;
    };

    for (const here of ['127.0.0.1', '::1', '']) {
      it(`two hashes at a time, a hundred wait, 454 to more: from "${here}"`, async () => {
        const attempts = from(here, 110);
        await settle();
        assert.equal(releases.length, 2);
        assert.deepEqual(await finish(attempts), { in: 102, 454: 8 });
        assert.equal(most, 2);
      });
    }

    it('a network has a quarter of the line: all of a /24, all of a /64', async () => {
      const guesses = [...from('192.0.2.1', 20), ...from('192.0.2.77', 20), ...from('::ffff:192.0.2.5', 20)];
      await settle();
      const six = [...from('2001:db8::1', 30), ...from('2001:db8::ffff:2', 30)];
      await settle();
      const [four, other] = [from('192.0.3.1', 1), from('2001:db8:0:1::1', 1)];
      await settle();
      assert.equal(running, 2);
      const [first, second, third, fourth] = await Promise.all(
        [guesses, six, four, other].map((attempts) => finish(attempts)),
      );
      assert.deepEqual(
        [first, second],
        [
          { in: 27, 454: 33 },
          { in: 25, 454: 35 },
        ],
      );
      assert.deepEqual([third, fourth], [{ in: 1 }, { in: 1 }]);
      assert.equal(most, 2);
    });

    it('who comes from elsewhere is served after one turn of each, and has a place in a full line', async () => {
      const guesses = ['198.51.100.1', '192.0.2.1', '203.0.113.1', '10.0.0.1', '10.0.1.1'].flatMap((ip) =>
        from(ip, 60),
      );
      await settle();
      const honest = from('192.0.9.9', 1);
      await settle();
      const results = await Promise.all([finish(honest), finish(guesses)]);
      assert.deepEqual(results[0], { in: 1 });
      assert.ok(order.indexOf('from 192.0.9.9') <= 2 + 5, String(order.indexOf('from 192.0.9.9')));
    });
  });

  it('an imported hash becomes our own at the first login, and SCRAM works from then on', async () => {
    await add('{PLAIN}old secret', null);
    const decoy = await auth.scramKeys(address);
    await login('old secret');
    assert.deepEqual(checks, ['imported']);
    for (let i = 0; i < 500 && !isOwnHash((await credential())?.hash ?? ''); i++)
      await new Promise((r) => setTimeout(r, 5));
    const stored = await credential();
    assert.ok(stored?.scram !== undefined && isOwnHash(stored.hash));
    assert.equal((await login('old secret')).accountId, accountId);
    assert.deepEqual(checks, ['imported', 'own']);
    const keys = await auth.scramKeys(address);
    assert.notDeepEqual(keys.salt, decoy.salt);
    assert.equal(await scramWorks('old secret'), true);
    assert.equal(await scramWorks('wrong secret'), false);
  });

  it('checks imported hashes in a thread of its own', async () => {
    await add('{SSHA256}' + ssha256('in a thread'), null);
    auth = createAuthenticator({ store, clock, logger: silentLogger, journal: { event: () => undefined } });
    assert.equal((await login('in a thread')).accountId, accountId);
    await assert.rejects(login('not this'), isRefusal('authentication-failed'));
    clock.advance(60_000);
  });

  it('SCRAM: stable decoy keys for who does not exist, after a restart too', async () => {
    const first = await auth.scramKeys('nobody@example.test');
    const again = await make().scramKeys('NOBODY@example.test');
    const other = await auth.scramKeys('somebody@example.test');
    assert.deepEqual(first, again);
    assert.notDeepEqual(first.salt, other.salt);
    const real = await auth.scramKeys(address);
    assert.deepEqual([first.salt.length, first.iterations], [real.salt.length, real.iterations]);
    assert.equal(await scramWorks(PASSWORD), true);
    await assert.rejects(
      auth.scramSucceeded({ ...REMOTE, login: 'nobody@example.test', remoteAddress: '' }),
      isRefusal('authentication-failed'),
    );
  });

  it('SCRAM: a verified proof lets in, unless the account is suspended; failures are noted', async () => {
    const attempt = { ...REMOTE, login: address };
    const account = await auth.scramSucceeded(attempt);
    assert.equal(account.accountId, accountId);
    auth.failed(attempt);
    await setStatus('suspended');
    await assert.rejects(auth.scramSucceeded(attempt), isRefusal('suspended'));
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['login.succeeded', 'login.failed', 'login.failed'],
    );
  });

  const credential = () => store.read.run('directory.credential', { login: address });

  /** A whole exchange of the client side against the keys. */
  async function scramWorks(password: string): Promise<boolean> {
    const keys = await auth.scramKeys(address);
    const client = scramClient('SCRAM-SHA-256', {
      login: address,
      password,
      channelBinding: undefined,
      random: randomBytes,
    });
    const first = client.initial?.toString() ?? '';
    const bare = first.slice(3);
    const nonce = `${/r=([^,]*)/.exec(bare)?.[1]}server`;
    const serverFirst = `r=${nonce},s=${keys.salt.toString('base64')},i=${keys.iterations}`;
    const answer = await client.step(Buffer.from(serverFirst));
    assert.ok('response' in answer);
    const [withoutProof = '', proof = ''] = answer.response.toString().split(',p=');
    return proofMatches(
      Buffer.from(proof, 'base64'),
      keys.storedKey,
      `${bare},${serverFirst},${withoutProof}`,
    );
  }
});

function ssha256(password: string): string {
  const salt = randomBytes(8);
  return Buffer.concat([hash256(Buffer.concat([Buffer.from(password), salt])), salt]).toString('base64');
}

function hash256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function isRefusal(kind: string): (error: unknown) => boolean {
  return (error) => error instanceof Refusal && error.kind === kind;
}
