import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type AuthSite,
  Browser,
  enrol,
  openAuthSite,
  PASSWORD,
  totpCode,
} from '../../../../test/support/auth-site.ts';
import { testActor } from '../../../../test/support/server.ts';

const SECURITY = '/account/v1/security';
const DAY = 24 * 3_600_000;

describe('signing in', () => {
  let site: AuthSite;
  before(async () => (site = await openAuthSite()));
  after(() => site.close());

  it('lets in who knows the password, tells who that is, and forgets it at the end', async () => {
    const browser = new Browser(site);
    assert.equal((await browser.get('/auth/me')).status, 401);
    const { status, json } = await browser.signIn('alice');
    assert.equal(status, 200);
    const me = {
      address: 'alice@example.test',
      displayName: 'alice',
      role: 'user',
      accountId: `A${site.accounts.alice}`,
      domain: 'example.test',
      features: { push: false },
      serverName: 'mail.example.test',
    };
    assert.deepEqual(json, { state: 'signed-in', me });
    assert.deepEqual((await browser.get('/auth/me')).json, me);
    const token = browser.cookies.get('postern');
    assert.equal((await browser.post('/auth/sign-out')).status, 200);
    assert.equal(browser.cookies.size, 0);
    const old = await browser.ask('GET', '/auth/me', undefined, { Cookie: `postern=${token}` });
    assert.equal(old.status, 401);
  });

  it('no user enumeration: unknown, wrong and too long look alike', async () => {
    const answers = new Set<string>();
    for (const [login, password] of [
      ['alice@example.test', 'wrong password'],
      ['nobody@example.test', PASSWORD],
      ['nobody', PASSWORD],
      ['alice@example.test', 'x'.repeat(1000)],
      ['alice@example.test', 'abcd-efgh-jkmn-pqrs-tvwx-yz23'],
    ]) {
      const { status, text } = await new Browser(site).post('/auth/sign-in', { login, password });
      answers.add(`${status} ${text}`);
    }
    assert.deepEqual(
      [...answers],
      [
        '401 {"error":{"kind":"authentication-failed","message":"The login or password is wrong","code":"problems.loginWrong"}}',
      ],
    );
  });

  it('session fixation: whatever token the browser brings, it leaves with a fresh one, and the old one is over', async () => {
    const browser = new Browser(site);
    browser.cookies.set('postern', `pst_ws_${'A'.repeat(43)}`);
    await browser.signIn('alice');
    const first = browser.cookies.get('postern');
    assert.notEqual(first, `pst_ws_${'A'.repeat(43)}`);
    await browser.signIn('bob');
    assert.notEqual(browser.cookies.get('postern'), first);
    const stale = await browser.ask('GET', '/auth/me', undefined, { Cookie: `postern=${first}` });
    assert.equal(stale.status, 401);
  });

  it('cookie flags: HttpOnly, SameSite=Strict, no Domain; short without "remember me"', async () => {
    const plain = (await new Browser(site).signIn('alice')).headers.getSetCookie().join('\n');
    assert.match(plain, /^postern=pst_ws_[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    const kept = await new Browser(site).signIn('alice', PASSWORD, { remember: true });
    assert.match(kept.headers.getSetCookie().join('\n'), /Max-Age=1209600; .*HttpOnly/);
  });

  it('cookie flags behind a proxy with TLS: __Host- and Secure, and a cookie without that name is nothing', async () => {
    const proxied = await openAuthSite({ proxied: true });
    try {
      const browser = new Browser(proxied, { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '192.0.2.7' });
      const { headers } = await browser.signIn('alice');
      assert.match(headers.getSetCookie().join('\n'), /^__Host-postern=.*; Path=\/; .*Secure/);
      assert.equal((await browser.get('/auth/me')).status, 200);
      const token = browser.cookies.get('__Host-postern');
      const tossed = await browser.ask('GET', '/auth/me', undefined, { Cookie: `postern=${token}` });
      assert.equal(tossed.status, 401);
    } finally {
      await proxied.close();
    }
  });

  it('CSRF: not without X-Postern, not for pages of other sites, not with a form', async () => {
    const browser = new Browser(site);
    await browser.signIn('alice');
    const tries: Record<string, string | undefined>[] = [
      { 'X-Postern': undefined },
      { 'X-Postern': '0' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
    ];
    for (const headers of tries) {
      const said = JSON.stringify(headers);
      assert.equal((await browser.ask('POST', '/auth/sign-out', {}, headers)).status, 403, said);
      assert.equal(
        (await browser.ask('DELETE', `${SECURITY}/sessions`, undefined, headers)).status,
        403,
        said,
      );
      const login = { login: 'bob@example.test', password: PASSWORD };
      assert.equal((await browser.ask('POST', '/auth/sign-in', login, headers)).status, 403, said);
    }
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    assert.equal((await browser.ask('POST', '/auth/sign-in', 'login=a&password=b', form)).status, 400);
    assert.equal((await browser.get('/auth/me')).status, 200, 'nothing of this has ended the session');
  });

  it('a session lasts 12 hours from its last use, a remembered one 14 days, and is noted with its place', async () => {
    const [short, long] = [new Browser(site), new Browser(site, { 'User-Agent': 'Test/1' })];
    await short.signIn('bob');
    await long.signIn('bob', PASSWORD, { remember: true });
    site.clock.advance(11 * 3_600_000);
    assert.equal((await short.get('/auth/me')).status, 200);
    site.clock.advance(11 * 3_600_000);
    assert.equal((await short.get('/auth/me')).status, 200, 'it was used 11 hours ago');
    const renewed = await long.get('/auth/me');
    assert.match(renewed.headers.getSetCookie().join(), /Max-Age=1209600/);
    site.clock.advance(13 * DAY);
    assert.equal((await short.get('/auth/me')).status, 401);
    assert.equal((await long.get('/auth/me')).status, 200);
    const { json } = await long.get(SECURITY);
    assert.deepEqual(
      json['sessions'].map((one: Record<string, unknown>) => [
        one['current'],
        one['userAgent'],
        one['address'],
      ]),
      [[true, 'Test/1', '127.0.0.1']],
    );
    site.clock.advance(15 * DAY);
    assert.equal((await long.get('/auth/me')).status, 401);
  });

  it('a session that another browser ends is over; those of others look as if they did not exist', async () => {
    const [phone, laptop, bob] = [new Browser(site), new Browser(site), new Browser(site)];
    await phone.signIn('alice');
    await laptop.signIn('alice');
    await bob.signIn('bob');
    const list = (await laptop.get(SECURITY)).json['sessions'] as { id: number; current: boolean }[];
    const other = list.find(({ current }) => !current);
    assert.equal((await bob.delete(`${SECURITY}/sessions/${other?.id}`)).status, 404);
    assert.equal((await phone.get('/auth/me')).status, 200);
    assert.equal((await laptop.delete(`${SECURITY}/sessions`)).status, 200);
    assert.deepEqual(
      [
        (await phone.get('/auth/me')).status,
        (await laptop.get('/auth/me')).status,
        (await bob.get('/auth/me')).status,
      ],
      [401, 200, 200],
    );
  });

  it('a suspended account is out at once, and comes back with no session', async () => {
    const browser = new Browser(site);
    await browser.signIn('bob');
    const set = (status: 'active' | 'suspended') =>
      site.store.write.run('directory.setStatus', { actor: testActor, address: 'bob@example.test', status });
    await set('suspended');
    assert.equal((await browser.get('/auth/me')).status, 401);
    assert.equal((await new Browser(site).signIn('bob')).json['error'].kind, 'suspended');
    await set('active');
    assert.equal((await browser.get('/auth/me')).status, 401);
    assert.equal((await browser.signIn('bob')).status, 200);
  });

  it('sensitive settings want a sign-in of the last 15 minutes, or the password again', async () => {
    const browser = new Browser(site);
    await browser.signIn('bob', PASSWORD, { remember: true });
    site.clock.advance(16 * 60_000);
    const app = { name: 'Phone', scopes: ['mail'] };
    for (const [path, body] of [
      ['app-passwords', app],
      ['totp/begin', {}],
      ['recovery-codes', {}],
      ['passkeys/options', {}],
    ] as const) {
      const { status, json } = await browser.post(`${SECURITY}/${path}`, body);
      assert.deepEqual([status, json['error'].kind], [403, 'reauthenticate'], path);
    }
    assert.equal((await browser.post('/auth/confirm', { password: 'wrong one' })).status, 403);
    assert.equal((await browser.post('/auth/confirm', { password: PASSWORD })).status, 200);
    assert.equal((await browser.post(`${SECURITY}/app-passwords`, app)).status, 201);
  });

  it('a new password ends the other sessions; app passwords stay, unless everything is to go', async () => {
    const [here, there] = [new Browser(site), new Browser(site)];
    await here.signIn('alice');
    await there.signIn('alice');
    const made = await here.post(`${SECURITY}/app-passwords`, { name: 'Phone', scopes: ['mail'] });
    const imap = { login: 'alice@example.test', remoteAddress: '192.0.2.1', protocol: 'imap', trace: 't' };
    const byApp = () => site.authenticator.password({ ...imap, password: String(made.json['password']) });
    const change = (current: string, password: string, more = {}) =>
      here.put(`${SECURITY}/password`, { current, password, ...more });
    assert.equal((await change('wrong one', 'another horse')).status, 403);
    assert.equal((await change(PASSWORD, 'short')).json['error'].kind, 'bad-input');
    const connection = (await byApp()).revoked;
    assert.equal((await change(PASSWORD, 'another horse')).status, 200);
    assert.ok(connection.aborted, 'what is connected has to come again');
    assert.deepEqual([(await here.get('/auth/me')).status, (await there.get('/auth/me')).status], [200, 401]);
    assert.equal((await byApp()).accountId, site.accounts.alice);
    assert.equal((await change('another horse', PASSWORD, { everything: true })).status, 200);
    await assert.rejects(byApp);
  });
});

describe('a second factor', () => {
  let site: AuthSite;
  before(async () => (site = await openAuthSite()));
  after(() => site.close());

  it('the password alone gives a ticket, not a session; the code makes it one', async () => {
    const browser = new Browser(site);
    await browser.signIn('alice');
    const begun = await browser.post(`${SECURITY}/totp/begin`);
    assert.match(begun.json['uri'], /^otpauth:\/\/totp\/mail\.example\.test:alice%40example\.test\?/);
    assert.match(begun.json['qr'], /^<svg [^>]*viewBox="0 0 \d+ \d+"/);
    const wrong = await browser.post(`${SECURITY}/totp/confirm`, { code: '000000' });
    assert.deepEqual([wrong.status, wrong.json['error'].field], [400, 'code']);
    const { secret, recoveryCodes } = await enrol(browser, site);
    assert.equal(recoveryCodes.length, 10);
    assert.equal((await browser.get('/auth/me')).status, 200, 'who switched it on stays');

    const next = new Browser(site);
    const first = await next.signIn('alice');
    assert.deepEqual(
      [first.json['state'], first.json['methods'], next.cookies.size],
      ['second-factor', ['totp', 'recovery'], 0],
    );
    assert.equal((await next.get('/auth/me')).status, 401);
    const { ticket } = first.json;
    const code = totpCode(secret, site.clock.now());
    const second = await next.post('/auth/second-factor', { ticket, method: 'totp', code });
    assert.equal(second.json['state'], 'signed-in');
    assert.equal((await next.get('/auth/me')).status, 200);
    const how = site.events.at(-1);
    assert.deepEqual([how?.kind, how?.data['how']], ['login.succeeded', 'password and one-time code']);
  });

  it('OTP replay: a code counts once, with whatever ticket, and so does every one before it', async () => {
    const secret = await secretOf('alice');
    const enter = async (code: string): Promise<number> => {
      const browser = new Browser(site);
      const { ticket } = (await browser.signIn('alice')).json;
      return (await browser.post('/auth/second-factor', { ticket, method: 'totp', code })).status;
    };
    site.clock.advance(60_000);
    const now = site.clock.now();
    const [earlier, current] = [totpCode(secret, now - 30_000), totpCode(secret, now)];
    assert.equal(await enter(current), 200);
    assert.equal(await enter(current), 401);
    assert.equal(await enter(earlier), 401);
    assert.equal(await enter(totpCode(secret, now - 90_000)), 401);
    assert.equal(await enter(totpCode(secret, now + 30_000)), 200, 'a clock may be a step ahead');
  });

  const secretOf = async (name: 'alice' | 'bob'): Promise<string> => {
    const { totp } = await site.store.read.run('access.factors', { accountId: site.accounts[name] });
    return totp?.secret ?? '';
  };

  it('two requests at once with one code: one of them is in', async () => {
    site.clock.advance(31 * 60_000);
    const code = totpCode(await secretOf('alice'), site.clock.now());
    const enter = async (): Promise<number> => {
      const browser = new Browser(site);
      const { ticket } = (await browser.signIn('alice')).json;
      return (await browser.post('/auth/second-factor', { ticket, method: 'totp', code })).status;
    };
    const answers = await Promise.all([enter(), enter(), enter()]);
    assert.deepEqual(
      answers.toSorted((a, b) => a - b),
      [200, 401, 401],
    );
  });

  it('a ticket is for five tries and five minutes; fifteen tries in a while close the account to codes', async () => {
    site.clock.advance(31 * 60_000);
    const secret = await secretOf('alice');
    const browser = new Browser(site);
    const enter = (ticket: string, code: string) =>
      browser.post('/auth/second-factor', { ticket, method: 'totp', code });
    const right = () => totpCode(secret, site.clock.now());
    const ticketOf = async () => String((await browser.signIn('alice')).json['ticket']);
    const used = await ticketOf();
    for (let i = 0; i < 5; i++) assert.equal((await enter(used, '000000')).status, 401);
    assert.equal((await enter(used, right())).status, 401, 'no sixth try');
    const late = await ticketOf();
    site.clock.advance(5 * 60_000);
    assert.equal((await enter(late, right())).status, 401);
    for (let tickets = 0; tickets < 2; tickets++) {
      const more = await ticketOf();
      for (let i = 0; i < 5; i++) assert.equal((await enter(more, '000000')).status, 401);
    }
    assert.equal((await enter(await ticketOf(), right())).status, 429);
    assert.ok(site.events.some(({ data }) => data['reason'] === 'wrong one-time code'));
    site.clock.advance(31 * 60_000);
    assert.equal((await enter(await ticketOf(), right())).status, 200);
  });

  it('a recovery code counts once, however it is typed; another account has none', async () => {
    const browser = new Browser(site);
    await browser.signIn('bob');
    const { recoveryCodes } = await enrol(browser, site);
    const [code = ''] = recoveryCodes;
    const enter = async (name: string, given: string): Promise<number> => {
      const fresh = new Browser(site);
      const { ticket } = (await fresh.signIn(name)).json;
      return (await fresh.post('/auth/second-factor', { ticket, method: 'recovery', code: given })).status;
    };
    assert.equal(await enter('alice', code), 401);
    assert.equal(await enter('bob', code.replaceAll('-', ' ').toUpperCase()), 200);
    assert.equal(await enter('bob', code), 401);
    assert.equal((await browser.get(SECURITY)).json['recoveryCodesLeft'], 9);
  });

  it('programs are told to use an app password; the site is not, and HTTP Basic is', async () => {
    const attempt = { login: 'bob@example.test', remoteAddress: '192.0.2.1', trace: 't' };
    for (const protocol of ['imap', 'pop3', 'submission', 'managesieve', 'jmap']) {
      await assert.rejects(site.authenticator.password({ ...attempt, protocol, password: PASSWORD }), {
        kind: 'not-permitted',
        message: /^This account has a second factor: make an app password/,
      });
    }
    await assert.rejects(
      site.authenticator.password({ ...attempt, protocol: 'imap', password: 'wrong' }),
      /login or password is wrong/,
      'only who knows the password learns of it',
    );
  });

  it('an administrator takes it away for who lost the telephone, and every session with it', async () => {
    const browser = new Browser(site);
    const { ticket } = (await browser.signIn('bob')).json;
    const code = totpCode(await secretOf('bob'), site.clock.now());
    await browser.post('/auth/second-factor', { ticket, method: 'totp', code });
    const actor = testActor;
    await site.store.write.run('access.resetFactors', { actor, accountId: site.accounts.bob });
    assert.equal((await browser.get('/auth/me')).status, 401);
    assert.equal((await browser.signIn('bob')).json['state'], 'signed-in');
    const [row] = await site.store.read.run('directory.audit', { limit: 1 });
    assert.equal(row?.action, 'account.second-factor-reset');
  });
});
