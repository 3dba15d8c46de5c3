import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type AuthSite, Browser, openAuthSite, PASSWORD } from '../../../../test/support/auth-site.ts';
import type { Scope } from '../../../mail/sasl/types.ts';
import { allowedRedirect, isRedirectUri } from './redirects.ts';

const REDIRECT = 'https://client.example/back';
const SECURITY = '/account/v1/security';

const challengeOf = (verifier: string): string => createHash('sha256').update(verifier).digest('base64url');

describe('OAuth', () => {
  let site: AuthSite;
  let alice: Browser;
  let clientId = '';
  before(async () => {
    site = await openAuthSite();
    alice = new Browser(site);
    await alice.signIn('alice', PASSWORD, { remember: true });
    const made = await program('POST', '/oauth/register', {
      client_name: 'Reader',
      redirect_uris: [REDIRECT],
    });
    assert.equal(made.status, 201);
    clientId = String(made.json['client_id']);
  });
  after(() => site.close());

  /** A program, which has no cookie and does not say X-Postern. */
  const program = (method: string, path: string, body?: unknown, headers = {}) =>
    new Browser(site).ask(method, path, body, {
      'X-Postern': undefined,
      'Sec-Fetch-Site': undefined,
      ...headers,
    });
  const form = (path: string, fields: Readonly<Record<string, string>>) =>
    program('POST', path, new URLSearchParams(fields).toString(), {
      'Content-Type': 'application/x-www-form-urlencoded',
    });

  const authorizeUrl = (
    verifier: string,
    more: Readonly<Record<string, string | undefined>> = {},
  ): string => {
    const fields = {
      response_type: 'code',
      client_id: clientId,
      redirect_uri: REDIRECT,
      code_challenge: challengeOf(verifier),
      code_challenge_method: 'S256',
      scope: 'mail send',
      state: 'xyz&1',
      ...more,
    };
    const given = Object.entries(fields).filter((one): one is [string, string] => one[1] !== undefined);
    return `/oauth/authorize?${new URLSearchParams(given)}`;
  };
  const newVerifier = (): string => randomBytes(32).toString('base64url');

  /** Where the client is sent back to after the person agreed. */
  async function consent(verifier: string, more = {}, allow = true): Promise<URL> {
    const page = await program('GET', authorizeUrl(verifier, more));
    assert.equal(page.status, 302);
    const request = new URL(page.headers.get('location') ?? '', 'http://x').searchParams.get('request');
    const { json } = await alice.post('/oauth/decision', { request, allow });
    return new URL(String(json['redirect']));
  }
  const codeOf = async (verifier: string, more = {}): Promise<string> =>
    (await consent(verifier, more)).searchParams.get('code') ?? '';
  const exchange = (code: string, verifier: string, more = {}) =>
    form('/oauth/token', {
      grant_type: 'authorization_code',
      code,
      redirect_uri: REDIRECT,
      client_id: clientId,
      code_verifier: verifier,
      ...more,
    });
  const refresh = (token: string, more = {}) =>
    form('/oauth/token', { grant_type: 'refresh_token', refresh_token: token, client_id: clientId, ...more });
  async function tokens(more = {}): Promise<{ access: string; refresh: string; scope: string }> {
    const verifier = newVerifier();
    const { json } = await exchange(await codeOf(verifier, more), verifier);
    return { access: json['access_token'], refresh: json['refresh_token'], scope: json['scope'] };
  }
  /** 'ok', or why not. */
  const use = (token: string, protocol = 'imap', scope?: Scope, login = ''): Promise<string> =>
    site.authenticator.token({ token, login, protocol, scope, remoteAddress: '192.0.2.1', trace: 't' }).then(
      () => 'ok',
      (error: { kind?: string }) => String(error.kind),
    );

  it('says what it can (RFC 8414)', async () => {
    const { json } = await program('GET', '/.well-known/oauth-authorization-server');
    const origin = `http://127.0.0.1:${site.port}`;
    assert.equal(json['issuer'], origin);
    assert.equal(json['token_endpoint'], `${origin}/oauth/token`);
    assert.deepEqual(json['code_challenge_methods_supported'], ['S256']);
  });

  it('code with PKCE: the person sees who asks for what, the client gets tokens that work as granted', async () => {
    const verifier = newVerifier();
    const page = await program('GET', authorizeUrl(verifier));
    const location = page.headers.get('location') ?? '';
    assert.match(location, /^\/consent\?request=[\w-]{43}$/);
    const request = location.slice('/consent?request='.length);
    assert.equal((await new Browser(site).get(`/oauth/request/${request}`)).status, 401);
    assert.deepEqual((await alice.get(`/oauth/request/${request}`)).json, {
      client: 'Reader',
      scopes: ['mail', 'send'],
      redirect: 'client.example',
    });
    const { json } = await alice.post('/oauth/decision', { request, allow: true });
    const back = new URL(json['redirect']);
    assert.equal(back.origin + back.pathname, REDIRECT);
    assert.equal(back.searchParams.get('state'), 'xyz&1');
    assert.equal(back.searchParams.get('iss'), `http://127.0.0.1:${site.port}`);
    assert.equal((await alice.post('/oauth/decision', { request, allow: true })).status, 404, 'once');
    const answer = await exchange(back.searchParams.get('code') ?? '', verifier);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.match(answer.json['access_token'], /^pst_at_[\w-]{43}$/);
    assert.match(answer.json['refresh_token'], /^pst_rt_[\w-]{43}$/);
    assert.deepEqual([answer.json['token_type'], answer.json['expires_in']], ['Bearer', 3600]);
    const token = answer.json['access_token'];
    assert.deepEqual(
      [await use(token), await use(token, 'submission'), await use(token, 'managesieve')],
      ['ok', 'ok', 'not-permitted'],
    );
    assert.equal(await use(token, 'imap', undefined, 'alice@example.test'), 'ok');
    assert.equal(await use(token, 'imap', undefined, 'bob@example.test'), 'authentication-failed');
    const [grant] = (await alice.get(SECURITY)).json['grants'];
    assert.deepEqual([grant.client, grant.scopes], ['Reader', ['mail', 'send']]);
    const kept = JSON.stringify(await site.store.read.run('directory.audit', { limit: 50 }));
    assert.ok(!kept.includes('pst_'), 'no token in the audit');
  });

  it('a person who says no sends the client back with that', async () => {
    const back = await consent(newVerifier(), {}, false);
    assert.deepEqual(
      [back.searchParams.get('error'), back.searchParams.get('code'), back.searchParams.get('state')],
      ['access_denied', null, 'xyz&1'],
    );
  });

  it('redirect_uri exactness: nobody is sent to a place that is not the registered text', async () => {
    for (const redirect_uri of [
      `${REDIRECT}/`,
      `${REDIRECT}?x=1`,
      `${REDIRECT}/../evil`,
      'https://client.example/',
      'https://client.example.evil.example/back',
      'https://client.example@evil.example/back',
      'http://client.example/back',
      'HTTPS://client.example/back',
      undefined,
    ]) {
      const { status, headers } = await program('GET', authorizeUrl(newVerifier(), { redirect_uri }));
      assert.deepEqual([status, headers.get('location')], [400, null], String(redirect_uri));
    }
    const unknown = await program('GET', authorizeUrl(newVerifier(), { client_id: 'nobody' }));
    assert.deepEqual([unknown.status, unknown.headers.get('location')], [400, null]);
    const verifier = newVerifier();
    const other = await exchange(await codeOf(verifier), verifier, { redirect_uri: `${REDIRECT}/` });
    assert.deepEqual([other.status, other.json['error']], [400, 'invalid_grant']);
  });

  it('redirect URIs: what may be registered, and the port of a loopback address', () => {
    const good = ['https://a.example/x', 'http://127.0.0.1/x', 'http://[::1]:3/x', 'com.example.app:/back'];
    for (const uri of good) assert.ok(isRedirectUri(uri), uri);
    const bad = [
      'javascript:alert(1)',
      'data:text/html,x',
      'http://a.example/x',
      'https://a.example/#x',
      'https://u:p@a.example/',
      'file:///etc/passwd',
      'app:/x',
      'https:a.example',
      'vbscript.x',
      '',
      '/x',
    ];
    for (const uri of bad) assert.ok(!isRedirectUri(uri), uri);
    assert.ok(allowedRedirect(['http://127.0.0.1/x'], 'http://127.0.0.1:4711/x'));
    assert.ok(!allowedRedirect(['http://127.0.0.1/x'], 'http://127.0.0.1:4711/y'));
    assert.ok(!allowedRedirect(['http://127.0.0.1/x'], 'http://127.0.0.1:4711@evil.example/x'));
    assert.ok(!allowedRedirect(['http://127.0.0.1/x'], 'http://localhost:4711/x'));
    assert.ok(!allowedRedirect(['https://a.example/x'], 'https://a.example:444/x'));
  });

  it('PKCE downgrade: no challenge, "plain", a wrong or missing verifier are refused', async () => {
    for (const more of [
      { code_challenge: undefined, code_challenge_method: undefined },
      { code_challenge_method: 'plain' },
      { code_challenge_method: undefined },
      { code_challenge: 'short' },
    ]) {
      const { headers } = await program('GET', authorizeUrl(newVerifier(), more));
      const back = new URL(headers.get('location') ?? '', 'http://x');
      assert.equal(back.searchParams.get('error'), 'invalid_request', JSON.stringify(more));
    }
    const verifier = newVerifier();
    const wrong = await exchange(await codeOf(verifier), newVerifier());
    assert.equal(wrong.json['error'], 'invalid_grant');
    const code = await codeOf(verifier);
    const asChallenge = await exchange(code, challengeOf(verifier));
    assert.equal(asChallenge.json['error'], 'invalid_grant');
    assert.equal((await exchange(code, '')).json['error'], 'invalid_grant');
    assert.equal((await exchange(code, verifier)).status, 200, 'failures of others do not spend the code');
  });

  it('code reuse: the second time ends what the first one gave; a code lasts a minute', async () => {
    const verifier = newVerifier();
    const code = await codeOf(verifier);
    const first = await exchange(code, verifier);
    const access = String(first.json['access_token']);
    assert.equal(await use(access), 'ok');
    assert.equal((await exchange(code, verifier)).json['error'], 'invalid_grant');
    assert.equal(await use(access), 'authentication-failed');
    assert.equal((await refresh(first.json['refresh_token'])).json['error'], 'invalid_grant');
    const late = await codeOf(verifier);
    site.clock.advance(61_000);
    assert.equal((await exchange(late, verifier)).json['error'], 'invalid_grant');
  });

  it('two requests at once with one code: at most one has tokens, and they are worth nothing', async () => {
    const verifier = newVerifier();
    const code = await codeOf(verifier);
    const answers = await Promise.all([exchange(code, verifier), exchange(code, verifier)]);
    const given = answers.filter(({ status }) => status === 200);
    assert.equal(given.length, 1);
    assert.equal(await use(String(given[0]?.json['access_token'])), 'authentication-failed');
  });

  it('refresh: tokens are replaced, and one that comes again ends the grant for the thief and the owner', async () => {
    const first = await tokens();
    const { json } = await refresh(first.refresh);
    assert.equal(await use(String(json['access_token'])), 'ok');
    assert.equal(await use(first.access), 'authentication-failed', 'the old one is replaced');
    const connection = await site.authenticator.token({
      token: String(json['access_token']),
      login: '',
      protocol: 'imap',
      remoteAddress: '192.0.2.1',
      trace: 't',
    });
    assert.equal((await refresh(first.refresh)).json['error'], 'invalid_grant');
    assert.ok(connection.revoked.aborted, 'what is connected by it ends too');
    assert.equal(await use(String(json['access_token'])), 'authentication-failed');
    assert.equal((await refresh(json['refresh_token'])).json['error'], 'invalid_grant');
    const [row] = await site.store.read.run('directory.audit', { limit: 1 });
    assert.equal(row?.action, 'account.grant-reused');
  });

  it('scope escalation: a refresh brings fewer scopes, never more; "account" is nobody’s to ask for', async () => {
    const { refresh: token } = await tokens({ scope: 'mail' });
    assert.equal((await refresh(token, { scope: 'mail send' })).json['error'], 'invalid_scope');
    assert.equal((await refresh(token, { scope: 'account' })).json['error'], 'invalid_scope');
    const same = await refresh(token, { scope: 'mail' });
    assert.equal(same.json['scope'], 'mail', 'what was refused has not spent the token');
    const both = await tokens({ scope: 'mail send' });
    const fewer = await refresh(both.refresh, { scope: 'mail' });
    assert.equal(await use(String(fewer.json['access_token']), 'submission'), 'not-permitted');
    const again = await refresh(String(fewer.json['refresh_token']));
    assert.equal(again.json['scope'], 'mail send', 'the grant keeps what the person agreed to');
    for (const scope of ['account', 'mail account', 'everything', '']) {
      const { headers } = await program('GET', authorizeUrl(newVerifier(), { scope }));
      assert.match(headers.get('location') ?? '', /error=invalid_scope/, scope);
    }
    const admin = await consent(newVerifier(), { scope: 'admin' });
    assert.equal(admin.searchParams.get('error'), 'invalid_scope', 'alice administers nothing');
  });

  it('token kind confusion: each token is taken for what it is, and nothing else', async () => {
    const verifier = newVerifier();
    const code = await codeOf(verifier);
    const { access, refresh: next } = await tokens();
    const session = alice.cookies.get('postern') ?? '';
    for (const token of [code, next, session, '', 'pst_at_', access.slice(0, -1), `${access}A`]) {
      assert.equal(await use(token), 'authentication-failed', token);
      const bearer = await program('GET', '/auth/me', undefined, { Authorization: `Bearer ${token}` });
      assert.equal(bearer.status, 401);
    }
    for (const token of [code, access, session]) {
      assert.equal((await refresh(token)).json['error'], 'invalid_grant', token);
    }
    for (const token of [access, next, session]) {
      assert.equal((await exchange(token, verifier)).json['error'], 'invalid_grant', token);
    }
    for (const token of [code, access, next]) {
      const { status } = await alice.ask('GET', '/auth/me', undefined, { Cookie: `postern=${token}` });
      assert.equal(status, 401, token);
    }
  });

  it('a scoped credential does not regain full rights: no token and no password reaches the security settings', async () => {
    const { access } = await tokens({ scope: 'mail send settings' });
    const basic = Buffer.from(`alice@example.test:${PASSWORD}`).toString('base64');
    for (const Authorization of [`Bearer ${access}`, `Basic ${basic}`]) {
      for (const [method, path] of [
        ['GET', SECURITY],
        ['POST', `${SECURITY}/app-passwords`],
        ['PUT', `${SECURITY}/password`],
        ['DELETE', `${SECURITY}/sessions`],
        ['POST', '/auth/confirm'],
      ] as const) {
        const { status } = await new Browser(site).ask(method, path, method === 'GET' ? undefined : {}, {
          Authorization,
        });
        assert.equal(status, 401, `${method} ${path}`);
      }
    }
  });

  it('another client cannot redeem, refresh or revoke what is not its own', async () => {
    const made = await program('POST', '/oauth/register', {
      client_name: 'Other',
      redirect_uris: [REDIRECT],
    });
    const client_id = String(made.json['client_id']);
    const verifier = newVerifier();
    const code = await codeOf(verifier);
    assert.equal((await exchange(code, verifier, { client_id })).json['error'], 'invalid_grant');
    const { access, refresh: next } = await tokens();
    assert.equal((await refresh(next, { client_id })).json['error'], 'invalid_grant');
    assert.equal((await form('/oauth/revoke', { token: access, client_id })).status, 200);
    assert.equal(await use(access), 'ok');
    assert.equal((await form('/oauth/revoke', { token: access, client_id: clientId })).status, 200);
    assert.equal(await use(access), 'authentication-failed');
    assert.equal((await refresh(next)).json['error'], 'invalid_grant', 'the grant goes with it');
  });

  it('an access token lasts an hour, a refresh token 90 days from its last use', async () => {
    const { access, refresh: next } = await tokens();
    site.clock.advance(3_600_001);
    assert.equal(await use(access), 'authentication-failed');
    site.clock.advance(89 * 24 * 3_600_000);
    const renewed = await refresh(next);
    assert.equal(renewed.status, 200);
    site.clock.advance(91 * 24 * 3_600_000);
    assert.equal((await refresh(String(renewed.json['refresh_token']))).json['error'], 'invalid_grant');
    for (let more = true; more; ) more = await site.store.write.run('access.sweep', { limit: 100 });
    const left = await site.store.read.run('access.overview', {
      accountId: site.accounts.alice,
      now: site.clock.now(),
    });
    assert.deepEqual([left.grants, left.sessions], [[], []], 'what is over is forgotten');
  });

  it('what is no form, too long, or has a field twice is refused; so are clients with a secret', async () => {
    assert.equal(
      (await program('POST', '/oauth/token', { grant_type: 'x' })).json['error'],
      'invalid_request',
    );
    const twice = await program('POST', '/oauth/token', 'grant_type=refresh_token&grant_type=x', {
      'Content-Type': 'application/x-www-form-urlencoded',
    });
    assert.equal(twice.json['error'], 'invalid_request');
    assert.equal((await form('/oauth/token', { x: 'y'.repeat(20_000) })).json['error'], 'invalid_request');
    const other = await form('/oauth/token', {
      grant_type: 'password',
      username: 'alice',
      password: PASSWORD,
    });
    assert.equal(other.json['error'], 'unsupported_grant_type');
    for (const client of [
      { client_name: 'X', redirect_uris: ['javascript:alert(1)'] },
      { client_name: 'X', redirect_uris: [] },
      { client_name: '', redirect_uris: [REDIRECT] },
      { client_name: 'X', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'client_secret_basic' },
    ])
      assert.equal((await program('POST', '/oauth/register', client)).status, 400, JSON.stringify(client));
    // Its name stands in the question that people answer.
    const turned = { client_name: 'Reader\u202e rof', redirect_uris: [REDIRECT] };
    assert.equal((await program('POST', '/oauth/register', turned)).json['client_name'], 'Reader\ufffd rof');
  });
});
