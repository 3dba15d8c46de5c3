import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type AuthSite, Browser, enrol, openAuthSite } from '../../../../test/support/auth-site.ts';
import { type PasskeyMore, type SoftPasskey, softPasskey } from '../../../../test/support/passkey.ts';

const SECURITY = '/account/v1/security';

describe('passkeys', () => {
  let site: AuthSite;
  let origin = '';
  let alice: Browser;
  let passkey: SoftPasskey;
  before(async () => {
    site = await openAuthSite();
    origin = `http://localhost:${site.port}`;
    alice = browser();
    await alice.signIn('alice');
  });
  after(() => site.close());

  // Passkeys need a name; the requests themselves go to 127.0.0.1.
  const browser = (): Browser => new Browser(site, { 'X-Postern': '1' }, 'localhost');

  async function register(by: Browser, key: SoftPasskey, more: PasskeyMore = {}) {
    const { json } = await by.post(`${SECURITY}/passkeys/options`);
    const { challengeId, options } = json;
    return by.post(`${SECURITY}/passkeys`, { challengeId, response: key.create(options, more), name: 'Key' });
  }

  async function signIn(by: Browser, key: SoftPasskey, more: PasskeyMore = {}, ticket?: string) {
    const start = await by.post('/auth/passkey/options', ticket === undefined ? {} : { ticket });
    const { challengeId, options } = start.json;
    const body = { challengeId, response: key.get(options, more), ...(ticket !== undefined && { ticket }) };
    return { answer: await by.post('/auth/passkey/verify', body), body };
  }

  it('is added by who is signed in, for this name only, and only with a finger or a PIN', async () => {
    passkey = softPasskey(origin);
    for (const more of [
      { origin: 'https://evil.example' },
      { rpId: 'evil.example' },
      { userVerified: false },
    ] satisfies PasskeyMore[])
      assert.equal((await register(alice, passkey, more)).status, 400, JSON.stringify(more));
    const { json: start } = await alice.post(`${SECURITY}/passkeys/options`);
    assert.equal(start['options'].rp.id, 'localhost');
    assert.equal(start['options'].authenticatorSelection.userVerification, 'required');
    const made = await register(alice, passkey);
    assert.equal(made.status, 201);
    assert.equal(made.json['recoveryCodes'].length, 10, 'it is the first second factor');
    const again = await register(alice, passkey);
    assert.equal(again.json['error'].kind, 'already-exists');
    const [row] = (await alice.get(SECURITY)).json['passkeys'];
    assert.deepEqual([row.name, row.id], ['Key', made.json['id']]);
  });

  it('signs in alone, without the password', async () => {
    const fresh = browser();
    const { answer } = await signIn(fresh, passkey);
    assert.deepEqual([answer.status, answer.json['me'].address], [200, 'alice@example.test']);
    assert.equal((await fresh.get('/auth/me')).status, 200);
    const last = site.events.at(-1);
    assert.deepEqual([last?.kind, last?.data['how']], ['login.succeeded', 'passkey']);
  });

  it('signs in after the password, as the second factor', async () => {
    const fresh = browser();
    const first = await fresh.signIn('alice');
    assert.deepEqual(first.json['methods'], ['passkey', 'recovery']);
    const { ticket } = first.json;
    const { json } = await fresh.post('/auth/passkey/options', { ticket });
    assert.deepEqual(
      json['options'].allowCredentials.map((one: { id: string }) => one.id),
      [passkey.id],
    );
    assert.equal((await signIn(fresh, passkey, {}, ticket)).answer.json['state'], 'signed-in');
  });

  it('an answer counts once; one for another page, without a finger, or from an unknown key does not', async () => {
    const fresh = browser();
    const { body } = await signIn(fresh, passkey);
    assert.equal((await fresh.post('/auth/passkey/verify', body)).status, 401, 'the challenge is over');
    const { json } = await fresh.post('/auth/passkey/options');
    const later = { ...body, challengeId: json['challengeId'] };
    assert.equal(
      (await fresh.post('/auth/passkey/verify', later)).status,
      401,
      'it signed another challenge',
    );
    for (const more of [
      { origin: 'https://evil.example' },
      { rpId: 'evil.example' },
      { userVerified: false },
      { counter: 1 },
    ] satisfies PasskeyMore[])
      assert.equal((await signIn(browser(), passkey, more)).answer.status, 401, JSON.stringify(more));
    assert.equal((await signIn(browser(), softPasskey(origin))).answer.status, 401);
    assert.ok(site.events.some(({ data }) => data['reason'] === 'passkey: unknown passkey'));
  });

  it('a challenge lasts five minutes, and is for what it was made for', async () => {
    const fresh = browser();
    const { json } = await fresh.post('/auth/passkey/options');
    const response = passkey.get(json['options']);
    const { challengeId } = json;
    site.clock.advance(5 * 60_000);
    assert.equal((await fresh.post('/auth/passkey/verify', { challengeId, response })).status, 401);
    const made = await alice.post(`${SECURITY}/passkeys/options`);
    const misused = { challengeId: made.json['challengeId'], response: passkey.get(made.json['options']) };
    assert.equal((await fresh.post('/auth/passkey/verify', misused)).status, 401);
  });

  it('somebody else’s passkey does not finish a ticket, nor may it be removed', async () => {
    const bob = browser();
    await bob.signIn('bob');
    const key = softPasskey(origin, false);
    const made = await register(bob, key);
    const fresh = browser();
    const { ticket } = (await fresh.signIn('alice')).json;
    assert.equal((await signIn(fresh, key, {}, ticket)).answer.status, 401);
    assert.equal((await fresh.get('/auth/me')).status, 401);
    assert.equal((await bob.post('/auth/confirm', { password: 'correct horse' })).status, 200);
    assert.equal((await alice.post('/auth/confirm', { password: 'correct horse' })).status, 200);
    assert.equal((await alice.delete(`${SECURITY}/passkeys/${made.json['id']}`)).status, 404);
    // One that does not count may be used again and again.
    for (let i = 0; i < 2; i++) assert.equal((await signIn(browser(), key)).answer.status, 200);
    assert.equal((await bob.delete(`${SECURITY}/passkeys/${made.json['id']}`)).status, 200);
    assert.equal((await bob.get(SECURITY)).json['recoveryCodesLeft'], 0, 'they go with the last factor');
    assert.equal((await signIn(browser(), key)).answer.status, 401);
    assert.equal((await browser().signIn('bob')).json['state'], 'signed-in');
  });

  it('an account may have both; the server must be reached by a name', async () => {
    await enrol(alice, site);
    const first = await browser().signIn('alice');
    assert.deepEqual(first.json['methods'], ['totp', 'passkey', 'recovery']);
    const byAddress = new Browser(site);
    assert.equal((await byAddress.post('/auth/passkey/options')).json['error'].kind, 'conflict');
  });
});
