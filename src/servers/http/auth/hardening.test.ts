/** Signing in and OAuth under attack: how often, how slowly, with what words. By a clock that the test sets. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import {
  type Answer,
  type AuthSite,
  Browser,
  enrol,
  openAuthSite,
  PASSWORD,
} from '../../../../test/support/auth-site.ts';
import { createPaces } from './paces.ts';

const MINUTE = 60_000;
const form = { 'Content-Type': 'application/x-www-form-urlencoded' };

describe('rate limits', () => {
  let site: AuthSite;
  before(async () => (site = await openAuthSite({ proxied: true })));
  after(() => site.close());

  const from = (address: string) => new Browser(site, { 'X-Forwarded-For': address }, 'localhost');

  /** Asks until it is told to wait; how often it was heard. */
  async function until429(most: number, ask: () => Promise<Answer>): Promise<number> {
    for (let i = 0; i < most; i++) if ((await ask()).status === 429) return i;
    return most;
  }

  it('sign-in: from one address, and again after its time; others are not held up', async () => {
    const one = from('192.0.2.1');
    // Without a password that is right or wrong: the request itself counts.
    const ask = () => one.post('/auth/passkey/options', {});
    const heard = await until429(300, ask);
    assert.ok(heard >= 20 && heard <= 120, String(heard));
    assert.equal((await one.signIn('alice')).status, 429);
    assert.equal((await from('192.0.2.2').post('/auth/passkey/options', {})).status, 200);
    site.clock.advance(6 * MINUTE);
    assert.equal((await ask()).status, 200);
  });

  it('sign-in: passwords tried from one address', async () => {
    const thief = from('198.51.100.1');
    let last = 0;
    for (let i = 0; i < 130 && last !== 429; i++)
      last = (await thief.post('/auth/sign-in', { login: `nobody${i}@example.test`, password: 'wrong' }))
        .status;
    assert.equal(last, 429);
    site.clock.advance(60 * MINUTE);
  });

  it('second factor: of one account, wherever it is tried from', async () => {
    const owner = from('203.0.113.1');
    await owner.signIn('bob');
    await enrol(owner, site);
    let tried = 0;
    let last: Answer | undefined;
    for (let i = 0; i < 30 && last?.status !== 429; i++) {
      const thief = from(`203.0.113.${10 + i}`);
      const { json } = await thief.signIn('bob');
      const body = { ticket: json['ticket'], method: 'totp', code: '000000' };
      last = await thief.post('/auth/second-factor', body);
      tried++;
    }
    assert.equal(last?.status, 429);
    assert.ok(tried <= 16, String(tried));
  });

  it('OAuth: tokens, registrations and requests, from one address', async () => {
    const program = from('192.0.2.50');
    const ask = () => program.ask('POST', '/oauth/token', 'grant_type=refresh_token&refresh_token=x', form);
    const tokens = await until429(400, ask);
    assert.ok(tokens <= 300, String(tokens));
    const metadata = { client_name: 'x', redirect_uris: ['https://x.example/cb'] };
    const clients = await until429(100, () => from('192.0.2.51').post('/oauth/register', metadata));
    assert.equal(clients, 20);
    const requests = await until429(300, () => from('192.0.2.52').get('/oauth/authorize?client_id=x'));
    assert.equal(requests, 120);
  });

  it('one network of IPv6 is one client, and many of them make no account’s count forgotten', () => {
    const paces = createPaces(site.clock);
    const limit = { kind: 'limit' };
    for (let i = 0; i < 120; i++) paces.count('signIn', `2001:db8::${i.toString(16)}`);
    assert.throws(() => paces.count('signIn', '2001:db8::ffff'), limit);
    paces.count('signIn', '2001:db8:0:1::1');
    for (let i = 0; i < 15; i++) paces.count('secondFactor', 7);
    for (let i = 0; i < 25_000; i++)
      paces.count('authorize', `2001:db8:${(i >> 8).toString(16)}:${i & 255}::1`);
    assert.throws(() => paces.count('secondFactor', 7), limit);
    paces.count('secondFactor', 8);
  });
});

describe('strangers', () => {
  let site: AuthSite;
  before(async () => (site = await openAuthSite()));
  after(() => site.close());

  it('slowloris: who sends a body byte by byte is not waited for longer than half a minute', async () => {
    for (const [path, type] of [
      ['/auth/sign-in', 'application/json'],
      ['/oauth/token', 'application/x-www-form-urlencoded'],
      ['/oauth/register', 'application/json'],
    ]) {
      let said = '';
      const socket = connect(site.port, '127.0.0.1');
      socket.on('data', (chunk) => (said += String(chunk)));
      socket.on('error', () => undefined);
      const over = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      const answered = new Promise<void>((resolve) => socket.once('data', () => resolve()));
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: localhost\r\nX-Postern: 1\r\nContent-Type: ${type}\r\nContent-Length: 50\r\n\r\n{`,
      );
      // Until the server waits for the rest.
      for (let i = 0; i < 2000 && site.clock.timers === 0; i++)
        await new Promise((resolve) => setTimeout(resolve, 1));
      assert.ok(site.clock.timers > 0, `${path} does not limit the time of its body`);
      site.clock.advance(29_000);
      socket.write(' ');
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(said, '', path);
      site.clock.advance(2000);
      await Promise.race([over, answered]);
      if (said !== '') assert.match(said, /^HTTP\/1\.1 400 [\s\S]*too long to arrive/, path);
      socket.destroy();
    }
  });

  it('no enumeration: invitations, OAuth clients and passkeys say nothing of accounts', async () => {
    const answers = new Set<string>();
    for (const login of ['alice@example.test', 'nobody@example.test', 'x'.repeat(320)]) {
      const browser = new Browser(site);
      const { status, text } = await browser.post('/auth/sign-in', { login, password: 'wrong' });
      answers.add(`${status} ${text}`);
      const options = await browser.post('/auth/passkey/options', { login });
      assert.ok(options.status === 400, 'passkeys are asked for without a name');
    }
    assert.equal(answers.size, 1);
    const tokens = new Set<string>();
    for (const text of ['pst_rt_nothing', `pst_rt_${'A'.repeat(43)}`, 'x'.repeat(1000)]) {
      const body = `token=${text}`;
      const { status, text: said } = await new Browser(site).ask('POST', '/oauth/revoke', body, form);
      tokens.add(`${status} ${said}`);
    }
    assert.deepEqual([...tokens], ['200 {}']);
  });

  it('log injection: a login name is one value of the journal, whatever it has in it, and no secret goes there', async () => {
    const login = 'eve\r\n2026-01-01 signed in as admin\u001b[2J@example.test';
    const password = 'a wrong and secret password';
    await new Browser(site).post('/auth/sign-in', { login, password });
    const text = JSON.stringify(site.events);
    assert.ok(!text.includes(password));
    for (const { kind } of site.events) assert.match(String(kind), /^[a-z.-]+$/);
  });

  it('the sessions page is told a User-Agent as text, cut, without what breaks lines', async () => {
    const browser = new Browser(site, {
      'User-Agent': `<img src=x onerror=alert(1)>\u0009${'x'.repeat(5000)}`,
    });
    await browser.signIn('alice', PASSWORD);
    const { json } = await browser.get('/account/v1/security');
    const [mine] = json['sessions'] as { userAgent: string }[];
    assert.ok(mine !== undefined && mine.userAgent.length <= 500, String(mine?.userAgent.length));
    assert.doesNotMatch(mine.userAgent, /[\r\n\0]/);
  });
});
