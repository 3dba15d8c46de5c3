import { z } from 'zod';
import type { ApiRow } from './openapi.ts';

/** Signing in and the security of an account, as they are called: these have no table that a document could be made of. */

const me = z.object({
  address: z.string(),
  displayName: z.string(),
  role: z.enum(['user', 'domain-admin', 'admin']),
  accountId: z.string(),
  domain: z.string(),
  mustEnroll: z.boolean().optional(),
  features: z.object({ push: z.boolean() }),
  serverName: z.string(),
});
const signedIn = z.object({ state: z.literal('signed-in'), me });
const secondFactor = z.object({
  state: z.literal('second-factor'),
  ticket: z.string(),
  methods: z.array(z.enum(['totp', 'passkey', 'recovery'])),
});
const ok = z.object({ ok: z.literal(true) });
const none = z.strictObject({});
const token = z.string();
const password = z.string();
const anything = z.record(z.string(), z.unknown());
const time = z.number();

function row(
  method: ApiRow['method'],
  path: string,
  summary: string,
  input: z.ZodType,
  output: z.ZodType,
): ApiRow {
  const open = path.startsWith('/auth/') && !/me$|sign-out$|confirm$/.test(path);
  const tag = path.startsWith('/auth/') ? 'auth' : 'account: security';
  const access = open ? '' : 'For whoever is signed in by the web app.';
  return { method, path, summary, tag, access, input, output, ...(open && { open }) };
}

const security = '/account/v1/security';

export const authRows: readonly ApiRow[] = [
  row(
    'POST',
    '/auth/sign-in',
    'Sign in with a password; an account with a second factor gets a ticket for it',
    z.strictObject({ login: z.string(), password, remember: z.boolean().optional() }),
    z.union([signedIn, secondFactor]),
  ),
  row(
    'POST',
    '/auth/second-factor',
    'Give the second factor',
    z.strictObject({ ticket: z.string(), method: z.enum(['totp', 'recovery']), code: z.string() }),
    signedIn,
  ),
  row(
    'POST',
    '/auth/passkey/options',
    'What a passkey is asked with (WebAuthn)',
    z.strictObject({ ticket: z.string().optional() }),
    z.object({ challengeId: z.string(), options: anything }),
  ),
  row(
    'POST',
    '/auth/passkey/verify',
    'Sign in with the answer of a passkey',
    z.strictObject({
      challengeId: z.string(),
      response: anything,
      ticket: z.string().optional(),
      remember: z.boolean().optional(),
    }),
    signedIn,
  ),
  row(
    'POST',
    '/auth/confirm',
    'Prove once more who is there, before something sensitive',
    z.strictObject({ password: password.optional(), code: z.string().optional() }),
    ok,
  ),
  row('POST', '/auth/sign-out', 'End the session', none, ok),
  row('GET', '/auth/me', 'Who is signed in', none, me),
  row(
    'POST',
    '/auth/invitation/look',
    'What an invitation is for',
    z.strictObject({ token }),
    z.object({
      address: z.string().optional(),
      domain: z.string(),
      expiresAt: time,
      role: z.string(),
      invitedBy: z.string().optional(),
    }),
  ),
  row(
    'POST',
    '/auth/invitation/accept',
    'Make the account of an invitation, and sign in',
    z.strictObject({ token, address: z.string().optional(), displayName: z.string().optional(), password }),
    signedIn,
  ),
  row(
    'POST',
    '/auth/first-run/look',
    'Whether a setup link is good',
    z.strictObject({ token }),
    z.object({ hostname: z.string() }),
  ),
  row(
    'POST',
    '/auth/first-run',
    'Make the first domain and its administrator of a server that has none, and sign in',
    z.strictObject({
      token,
      domain: z.string(),
      address: z.string(),
      displayName: z.string().optional(),
      password,
    }),
    signedIn,
  ),
  row(
    'GET',
    security,
    'Password, second factors, app passwords, sessions and grants of the account',
    none,
    z.object({
      passwordChangedAt: time.optional(),
      totp: z.object({ enabled: z.boolean(), since: time.optional() }),
      recoveryCodesLeft: z.number(),
      passkeys: z.array(anything),
      appPasswords: z.array(anything),
      sessions: z.array(anything),
      grants: z.array(anything),
    }),
  ),
  row(
    'PUT',
    `${security}/password`,
    'Change the password',
    z.strictObject({ current: password, password }),
    ok,
  ),
  row(
    'POST',
    `${security}/totp/begin`,
    'Begin with an authenticator app (TOTP, RFC 6238)',
    none,
    z.object({ secret: z.string(), uri: z.string(), qr: z.string() }),
  ),
  row(
    'POST',
    `${security}/totp/confirm`,
    'Confirm the authenticator app by its first code',
    z.strictObject({ code: z.string() }),
    z.object({ recoveryCodes: z.array(z.string()) }),
  ),
  row(
    'DELETE',
    `${security}/totp`,
    'Do without the authenticator app',
    z.strictObject({ code: z.string().optional() }),
    ok,
  ),
  row(
    'POST',
    `${security}/recovery-codes`,
    'Make new recovery codes',
    none,
    z.object({ recoveryCodes: z.array(z.string()) }),
  ),
  row(
    'POST',
    `${security}/passkeys/options`,
    'What a new passkey is made with (WebAuthn)',
    none,
    z.object({ challengeId: z.string(), options: anything }),
  ),
  row(
    'POST',
    `${security}/passkeys`,
    'Add a passkey',
    z.strictObject({ challengeId: z.string(), response: anything, name: z.string() }),
    anything,
  ),
  row('DELETE', `${security}/passkeys/:id`, 'Remove a passkey', z.strictObject({ id: z.string() }), ok),
  row(
    'POST',
    `${security}/app-passwords`,
    'Make a password for one program; it is told once',
    z.strictObject({ name: z.string(), scopes: z.array(z.string()), expiresAt: time.optional() }),
    z.object({ id: z.number(), password: z.string() }),
  ),
  row(
    'DELETE',
    `${security}/app-passwords/:id`,
    'Revoke an app password',
    z.strictObject({ id: z.string() }),
    ok,
  ),
  row('DELETE', `${security}/sessions/:id`, 'End a session', z.strictObject({ id: z.string() }), ok),
  row('DELETE', `${security}/sessions`, 'End all other sessions', none, ok),
  row(
    'DELETE',
    `${security}/grants/:id`,
    'Take back what a program was allowed',
    z.strictObject({ id: z.string() }),
    ok,
  ),
];
