import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Secret, TOTP } from 'otpauth';
import type { BrowserContext, Page } from 'playwright-core';
import { TEST_PASSWORD } from '../support/server.ts';
import {
  ADMIN,
  assertAccessible,
  NO_BROWSER,
  PHONE,
  shot,
  startWebWorld,
  USER,
  type WebWorld,
} from './support.ts';

/** Signing in as a person does, against the real server. */

const ACCOUNTS = [
  { address: ADMIN, role: 'admin' as const },
  USER,
  'totp@example.test',
  'passkey@example.test',
  'locked@example.test',
];
const HEADERS = { 'X-Postern': '1' };

describe('signing in', { skip: NO_BROWSER }, () => {
  let world: WebWorld;
  before(async () => {
    world = await startWebWorld({ accounts: ACCOUNTS });
  });
  after(() => world.close());

  const fill = async (page: Page, address: string, password: string): Promise<void> => {
    await page.getByLabel('Address').fill(address);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  };
  const signedIn = (page: Page): Promise<void> =>
    page.getByRole('button', { name: 'Compose' }).first().waitFor();
  const ask = async (context: BrowserContext, method: 'GET' | 'POST', path: string, data?: object) => {
    const answer = await context.request.fetch(`${world.base}${path}`, {
      method,
      headers: HEADERS,
      ...(data && { data }),
    });
    assert.ok(answer.ok(), `${path}: ${await answer.text()}`);
    return (await answer.json()) as Record<string, string> & { recoveryCodes: string[] };
  };

  it('leads to the page that was wanted, and says what is wrong on the way', async () => {
    await using opened = await world.open({ as: undefined, path: '/settings/general' });
    const { page } = opened;
    const address = page.getByLabel('Address');
    await address.waitFor();
    assert.equal(await address.getAttribute('autocomplete'), 'username webauthn');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByText('Enter your address').waitFor();
    await assertAccessible(page);
    await shot(page, 'sign-in');
    await fill(page, USER, 'not it');
    await page.getByText('do not belong together').waitFor();
    await page.waitForFunction(() => document.activeElement?.getAttribute('name') === 'password');
    await fill(page, USER, TEST_PASSWORD);
    await page.waitForURL(/\/settings\/general$/);
    // The door stands at the same address, and has a heading too.
    await page.getByRole('heading', { level: 1, name: 'General' }).waitFor();
    const [cookie] = await opened.context.cookies();
    assert.deepEqual([cookie?.httpOnly, cookie?.sameSite], [true, 'Strict']);
  });

  it('is had in other languages, on a phone, in the dark', async () => {
    await using opened = await world.open({
      as: undefined,
      path: '/sign-in',
      language: 'de-CH',
      viewport: PHONE,
      dark: true,
      touch: true,
    });
    const { page } = opened;
    await page.getByRole('button', { name: 'Anmelden', exact: true }).waitFor();
    await assertAccessible(page);
    await shot(page, 'sign-in-phone-dark');
    await page.getByLabel('Sprache').selectOption('fr');
    await page.getByRole('button', { name: 'Se connecter', exact: true }).waitFor();
    await page.waitForFunction(() => document.documentElement.lang === 'fr');
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  });

  it('does not send anybody elsewhere', async () => {
    await using opened = await world.open({ as: undefined, path: '/sign-in?to=//evil.example/' });
    await fill(opened.page, USER, TEST_PASSWORD);
    await signedIn(opened.page);
    assert.equal(new URL(opened.page.url()).origin, world.base);
  });

  it('says when the server is not there', async () => {
    await using opened = await world.open({ as: undefined, path: '/sign-in' });
    await opened.page.getByLabel('Address').waitFor();
    await opened.page.route('**/auth/sign-in', (route) => route.abort());
    await fill(opened.page, USER, TEST_PASSWORD);
    await opened.page.getByText('cannot be reached').waitFor();
  });

  it('wants the code of the app, or a recovery code, where there is one', async () => {
    await using opened = await world.open({ as: 'totp@example.test' });
    const { context, page } = opened;
    const { secret = '' } = await ask(context, 'POST', '/account/v1/security/totp/begin', {});
    const totp = new TOTP({ secret: Secret.fromBase32(secret) });
    const { recoveryCodes } = await ask(context, 'POST', '/account/v1/security/totp/confirm', {
      code: totp.generate(),
    });
    await ask(context, 'POST', '/auth/sign-out', {});
    await page.goto('/mail');
    await fill(page, 'totp@example.test', TEST_PASSWORD);
    const code = page.getByLabel('Code', { exact: true });
    await code.waitFor();
    assert.equal(await code.getAttribute('autocomplete'), 'one-time-code');
    await assertAccessible(page);
    await shot(page, 'second-factor');
    await code.fill('000000');
    await page.getByText('This code is not right').waitFor();
    // The code that confirmed it counts no more: the next one does.
    await code.fill(totp.generate({ timestamp: Date.now() + 30_000 }));
    await signedIn(page);
    await ask(context, 'POST', '/auth/sign-out', {});
    await page.goto('/mail');
    await fill(page, 'totp@example.test', TEST_PASSWORD);
    await code.waitFor();
    // A server that was started anew knows nothing of the password before: the page begins again by itself.
    await page.route('**/auth/second-factor', (route) =>
      route.continue({
        postData: JSON.stringify({ ...route.request().postDataJSON(), ticket: 'x'.repeat(32) }),
      }),
    );
    await code.fill('123456');
    await page.getByText('Start again with your password').waitFor();
    await page.getByLabel('Password', { exact: true }).waitFor();
    await page.unroute('**/auth/second-factor');
    await fill(page, 'totp@example.test', TEST_PASSWORD);
    await page.getByRole('button', { name: 'Use a recovery code' }).click();
    await page.getByLabel('Recovery code').fill(recoveryCodes[0] ?? '');
    await page.getByRole('button', { name: 'Confirm' }).click();
    await signedIn(page);
  });

  it('takes a passkey alone, and as the second factor', async () => {
    await using opened = await world.open({ as: 'passkey@example.test' });
    const { context, page } = opened;
    const tools = await context.newCDPSession(page);
    await tools.send('WebAuthn.enable');
    const options = {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    } as const;
    const { authenticatorId } = await tools.send('WebAuthn.addVirtualAuthenticator', { options });
    await page.goto('/settings/security');
    await makePasskey(page);
    const { credentials } = await tools.send('WebAuthn.getCredentials', { authenticatorId });
    assert.equal(credentials.length, 1);
    // What browsers suggest of their own accord would be taken at once by this authenticator: ask by the button.
    await tools.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: false });
    await ask(context, 'POST', '/auth/sign-out', {});
    await page.goto('/sign-in');
    await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor();
    await tools.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: true });
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await signedIn(page);
    await tools.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: false });
    await ask(context, 'POST', '/auth/sign-out', {});
    await page.goto('/sign-in');
    await fill(page, 'passkey@example.test', TEST_PASSWORD);
    const button = page.getByRole('button', { name: 'Use a passkey' });
    await button.waitFor();
    await tools.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: true });
    await button.click();
    await signedIn(page);
  });

  it('asks to wait after too many attempts', async () => {
    await using opened = await world.open({ as: undefined, path: '/sign-in' });
    const { page } = opened;
    await page.route('**/auth/sign-in', (route) =>
      route.fulfill({ status: 429, json: { error: { kind: 'limit', message: 'Too many.' } } }),
    );
    await fill(page, 'locked@example.test', 'x');
    await page.getByText('too many attempts').waitFor();
  });

  it('shows what is wrong with an invitation and a setup link', async () => {
    await using opened = await world.open({ as: undefined, path: `/#/invitation?token=${'x'.repeat(30)}` });
    const { page } = opened;
    await page.getByText('This invitation is not valid').waitFor();
    assert.ok(!page.url().includes('x'.repeat(30)), 'the secret stays in no address');
    await assertAccessible(page);
    await page.goto(`/setup#token=${'y'.repeat(30)}`);
    await page.getByText('set up already').waitFor();
    await assertAccessible(page);
    await shot(page, 'setup-gone');
  });

  it('makes the mailbox of somebody invited', async () => {
    await using inviting = await world.open({ as: ADMIN });
    const { link = '' } = await ask(inviting.context, 'POST', '/admin/v1/invitations', {
      domain: 'example.test',
    });
    await using opened = await world.open({ as: undefined, path: link.replace(/^https?:\/\/[^/]+/, '') });
    const { page } = opened;
    await page.getByLabel('Name before the @').fill('new.person');
    await page.getByText('new.person@example.test').waitFor();
    await page.getByLabel('Choose a password').fill('short');
    await page.getByRole('button', { name: 'Create the mailbox' }).click();
    await page.getByText('at least 8 characters').first().waitFor();
    await assertAccessible(page);
    await shot(page, 'invitation');
    await page.getByLabel('Your name').fill('New Person');
    await page.getByLabel('Choose a password').fill('four words of nothing');
    await page.getByRole('button', { name: 'Create the mailbox' }).click();
    await signedIn(page);
    const me = await ask(opened.context, 'GET', '/auth/me');
    assert.equal(me['address'], 'new.person@example.test');
  });

  it('lets a program in when the person says so', async () => {
    await using opened = await world.open();
    const { page, context } = opened;
    const client = await ask(context, 'POST', '/oauth/register', {
      client_name: 'Mail for Robots',
      redirect_uris: ['http://127.0.0.1:9/back'],
    });
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: client['client_id'] ?? '',
      redirect_uri: 'http://127.0.0.1:9/back',
      scope: 'mail send',
      state: 's',
      code_challenge: 'a'.repeat(43),
      code_challenge_method: 'S256',
    });
    await page.goto(`/oauth/authorize?${query.toString()}`);
    await page.getByRole('heading', { name: 'Mail for Robots asks for access' }).waitFor();
    await page.getByText('send mail in your name').waitFor();
    await assertAccessible(page);
    await shot(page, 'consent');
    const answer = page.waitForRequest(/127\.0\.0\.1:9\/back/);
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    assert.match((await answer).url(), /[?&]code=/);
  });
});

/** Make a passkey as the settings do: by the server's options and the browser's authenticator. */
async function makePasskey(page: Page): Promise<void> {
  const problem = await page.evaluate(async () => {
    const post = async (path: string, body: object) => {
      const answer = await fetch(path, {
        method: 'POST',
        headers: { 'X-Postern': '1', 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(await answer.text());
      return answer.json();
    };
    try {
      const { challengeId, options } = await post('/account/v1/security/passkeys/options', {});
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
      const made = await navigator.credentials.create({ publicKey });
      if (!(made instanceof PublicKeyCredential)) return 'nothing was made';
      await post('/account/v1/security/passkeys', { challengeId, response: made.toJSON(), name: 'test' });
      return '';
    } catch (error) {
      return String(error);
    }
  });
  assert.equal(problem, '');
}
