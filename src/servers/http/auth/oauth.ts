import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { plain } from '../../../base/plain-text.ts';
import { digestOf, newToken, tokenDigest } from '../../../data/access/tokens.ts';
import {
  ACCESS_LIMITS,
  GRANT_SCOPES,
  type GrantScope,
  type OauthClient,
  type Redeemed,
  type TokenDigests,
  wordsOf,
} from '../../../data/access/types.ts';
import { boundedText, jsonBody } from '../api.ts';
import {
  type AuthApp,
  type AuthContext,
  attemptOf,
  type C,
  inputOf,
  originOf,
  securePlace,
  selfOf,
} from './context.ts';
import { allowedRedirect, isRedirectUri, redirectWith } from './redirects.ts';
import { confirmed } from './security.ts';
import { sessionOf } from './sign-in.ts';

/** OAuth 2 as RFC 9700 wants it: codes with PKCE for public clients, nothing else. */

/** Octets of a form. */
const FORM_BYTES = 16 * 1024;
const STATE = 1000;
/** RFC 7636 sections 4.1 and 4.2. */
const VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/;
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;

export function mountOauth(app: AuthApp, context: AuthContext): void {
  app.get('/.well-known/oauth-authorization-server', (c) => c.json(metadata(context, c)));
  app.get('/oauth/authorize', (c) => authorize(context, c));
  app.get('/oauth/request/:id', async (c) => c.json(await showRequest(context, c)));
  app.post('/oauth/decision', async (c) => c.json(await decide(context, c)));
  app.post('/oauth/token', (c) => token(context, c));
  app.post('/oauth/revoke', (c) => revoke(context, c));
  app.post('/oauth/register', (c) => register(context, c));
}

/** RFC 8414. */
function metadata(context: AuthContext, c: C) {
  const { origin } = originOf(context, c);
  return {
    issuer: origin,
    authorization_endpoint: `${origin}/oauth/authorize`,
    token_endpoint: `${origin}/oauth/token`,
    revocation_endpoint: `${origin}/oauth/revoke`,
    registration_endpoint: `${origin}/oauth/register`,
    scopes_supported: GRANT_SCOPES,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none'],
    revocation_endpoint_auth_methods_supported: ['none'],
    authorization_response_iss_parameter_supported: true,
  };
}

/**
 * RFC 6749 section 4.1.1. Who the client is and where it wants the answer is settled first: until then nobody is sent
 * anywhere (section 4.1.2.1). What is right is kept, and the person decides on a page of the web app.
 */
async function authorize(context: AuthContext, c: C): Promise<Response> {
  const { remoteAddress } = securePlace(context, c);
  context.paces.count('authorize', remoteAddress);
  const { searchParams } = new URL(c.req.url);
  const clientId = searchParams.get('client_id') ?? '';
  const redirectUri = searchParams.get('redirect_uri') ?? '';
  const single = [...searchParams.keys()].every((key) => searchParams.getAll(key).length === 1);
  const client = await context.store.read.run('access.client', { id: clientId.slice(0, 100) });
  if (client === undefined) return c.text('This program is not known here: it has to register first.\n', 400);
  if (!allowedRedirect(client.redirectUris, redirectUri))
    return c.text('This program wants the answer at a place that it has not registered.\n', 400);
  const state = searchParams.get('state') ?? undefined;
  const issuer = originOf(context, c).origin;
  const back = (error: string): Response =>
    c.redirect(redirectWith(redirectUri, { error, state: state?.slice(0, STATE), iss: issuer }), 302);
  if (!single || (state ?? '').length > STATE) return back('invalid_request');
  if (searchParams.get('response_type') !== 'code') return back('unsupported_response_type');
  // RFC 9700 section 2.1.1: no code without PKCE, and never "plain".
  const challenge = searchParams.get('code_challenge') ?? '';
  if (searchParams.get('code_challenge_method') !== 'S256' || !CHALLENGE.test(challenge))
    return back('invalid_request');
  const scopes = scopesIn(searchParams.get('scope'));
  if (scopes === undefined) return back('invalid_scope');
  const request = context.tickets.consents.put({ clientId, redirectUri, scopes, state, challenge, issuer });
  return c.redirect(`/consent?request=${request}`, 302);
}

/** Undefined when one is none of ours, or there is none. Without the parameter: mail and sending. */
function scopesIn(text: string | null): GrantScope[] | undefined {
  const words = (text ?? 'mail send').split(' ').filter((word) => word !== '');
  const known = wordsOf(words.join(' '), GRANT_SCOPES);
  return words.length > 0 && known.length === new Set(words).size ? known : undefined;
}

async function showRequest(context: AuthContext, c: C) {
  await sessionOf(context, c);
  const consent = context.tickets.consents.get(c.req.param('id') ?? '');
  const client = consent && (await context.store.read.run('access.client', { id: consent.clientId }));
  if (consent === undefined || client === undefined)
    throw new Refusal('not-found', 'This request is over: begin anew in the program that sent you here.');
  const to = URL.parse(consent.redirectUri);
  // Anybody may register any name: where the answer goes says more.
  return { client: client.name, scopes: consent.scopes, redirect: to?.host || `${to?.protocol ?? ''}` };
}

async function decide(context: AuthContext, c: C) {
  const { request, allow } = await inputOf(
    c,
    z.strictObject({ request: z.string().min(1).max(100), allow: z.boolean() }),
  );
  const who = allow ? await confirmed(context, c) : await sessionOf(context, c);
  const consent = context.tickets.consents.take(request);
  if (consent === undefined)
    throw new Refusal('not-found', 'This request is over: begin anew in the program that sent you here.');
  const { redirectUri, state, issuer: iss, clientId, scopes, challenge } = consent;
  if (!allow) return { redirect: redirectWith(redirectUri, { error: 'access_denied', state, iss }) };
  if (scopes.includes('admin') && !who.scopes.has('admin'))
    return { redirect: redirectWith(redirectUri, { error: 'invalid_scope', state, iss }) };
  const { token: code, digest } = newToken('code');
  const grant = { clientId, scopes, digest, redirectUri, challenge };
  await context.store.write.run('access.grant', { actor: selfOf(who), accountId: who.accountId, ...grant });
  return { redirect: redirectWith(redirectUri, { code, state, iss }) };
}

/** RFC 6749 section 3.2: a form, no parameter twice. Undefined for anything else. */
async function formOf(c: C): Promise<URLSearchParams | undefined> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') return undefined;
  if (Number(c.req.header('content-length') ?? Number.NaN) > FORM_BYTES) return undefined;
  const text = await boundedText(c.req.raw, FORM_BYTES, c.get('patience'));
  const form = new URLSearchParams(text);
  return [...form.keys()].every((key) => form.getAll(key).length === 1) ? form : undefined;
}

function oauthError(c: C, error: string, description: string): Response {
  c.header('Cache-Control', 'no-store');
  return c.json({ error, error_description: description }, 400);
}

async function token(context: AuthContext, c: C): Promise<Response> {
  const { remoteAddress } = securePlace(context, c);
  context.paces.count('token', remoteAddress);
  const form = await formOf(c);
  if (form === undefined) return oauthError(c, 'invalid_request', 'The body must be a form, no field twice.');
  const clientId = form.get('client_id') ?? '';
  const [access, next] = [newToken('access'), newToken('refresh')];
  const digests: TokenDigests = { access: access.digest, refresh: next.digest };
  const type = form.get('grant_type');
  let result: Redeemed;
  if (type === 'authorization_code') result = await redeem(context, form, clientId, digests);
  else if (type === 'refresh_token') result = await renew(context, form, clientId, digests);
  else return oauthError(c, 'unsupported_grant_type', 'Codes and refresh tokens are taken here.');
  if (!result.ok) {
    const attempt = attemptOf(context, securePlace(context, c), '');
    const reason = result.reused
      ? 'a code or refresh token was used twice'
      : 'a code or refresh token is wrong';
    if (result.error === 'invalid_grant') await context.authenticator.failed(attempt, reason);
    return oauthError(c, result.error, 'The code or token is wrong, over, was used before, or not for this.');
  }
  c.header('Cache-Control', 'no-store');
  return c.json({
    access_token: access.token,
    token_type: 'Bearer',
    expires_in: ACCESS_LIMITS.accessTokenMs / 1000,
    refresh_token: next.token,
    scope: result.scopes.join(' '),
  });
}

const INVALID: Redeemed = { ok: false, error: 'invalid_grant' };

async function redeem(
  { store }: AuthContext,
  form: URLSearchParams,
  clientId: string,
  tokens: TokenDigests,
): Promise<Redeemed> {
  const digest = tokenDigest('code', form.get('code') ?? '');
  const verifier = form.get('code_verifier') ?? '';
  if (digest === undefined || !VERIFIER.test(verifier)) return INVALID;
  const redirectUri = form.get('redirect_uri') ?? '';
  const challenge = digestOf(verifier);
  return store.write.run('access.redeemCode', { digest, clientId, redirectUri, challenge, tokens });
}

async function renew(
  { store }: AuthContext,
  form: URLSearchParams,
  clientId: string,
  tokens: TokenDigests,
): Promise<Redeemed> {
  const digest = tokenDigest('refresh', form.get('refresh_token') ?? '');
  if (digest === undefined) return INVALID;
  const wanted = form.get('scope');
  const scopes = wanted === null ? null : scopesIn(wanted);
  if (scopes === undefined) return { ok: false, error: 'invalid_scope' };
  return store.write.run('access.refresh', { digest, clientId, scopes, tokens });
}

/** RFC 7009. Which tokens exist is nobody's business: the answer is the same for all. */
async function revoke(context: AuthContext, c: C): Promise<Response> {
  const { remoteAddress } = securePlace(context, c);
  context.paces.count('token', remoteAddress);
  const form = await formOf(c);
  const text = form?.get('token') ?? '';
  if (text === '') return oauthError(c, 'invalid_request', 'There is no token.');
  const digest = tokenDigest('access', text) ?? tokenDigest('refresh', text);
  const clientId = form?.get('client_id') ?? null;
  if (digest !== undefined) await context.store.write.run('access.revokeToken', { digest, clientId });
  c.header('Cache-Control', 'no-store');
  return c.json({});
}

const REGISTRATION = z.object({
  // It stands in a question that people answer: it may not turn around what is asked.
  client_name: z.string().min(1).max(ACCESS_LIMITS.name).transform(plain),
  redirect_uris: z.array(z.string().max(500)).min(1).max(10),
  token_endpoint_auth_method: z.literal('none').optional(),
  grant_types: z.array(z.enum(['authorization_code', 'refresh_token'])).optional(),
  response_types: z.array(z.literal('code')).optional(),
});

/** RFC 7591: a public client makes itself known. */
async function register(context: AuthContext, c: C): Promise<Response> {
  const { remoteAddress } = securePlace(context, c);
  context.paces.count('register', remoteAddress);
  const given = REGISTRATION.safeParse(await jsonBody(c, FORM_BYTES, c.get('patience')));
  if (!given.success)
    return oauthError(c, 'invalid_client_metadata', 'A public client with a name and redirect URIs, please.');
  const redirectUris = given.data.redirect_uris;
  if (!redirectUris.every(isRedirectUri)) {
    const text =
      'A redirect URI is https, http on this machine, or a private-use scheme like com.example.app.';
    return oauthError(c, 'invalid_redirect_uri', text);
  }
  const client: OauthClient = { id: newToken('code').digest, name: given.data.client_name, redirectUris };
  await context.store.write.run('access.registerClient', client);
  c.header('Cache-Control', 'no-store');
  const body = {
    client_id: client.id,
    client_id_issued_at: Math.floor(context.clock.now() / 1000),
    client_name: client.name,
    redirect_uris: redirectUris,
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  };
  return c.json(body, 201);
}
