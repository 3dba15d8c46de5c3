import type { IncomingMessage } from 'node:http';
import { type Context, Hono } from 'hono';
import type { Clock } from '../../../base/clock.ts';
import { Refusal } from '../../../base/errors.ts';
import { timeId } from '../../../base/ids.ts';
import type { Actor } from '../../../data/directory/types.ts';
import type { OpenStore } from '../../../data/open.ts';
import { caseNumberOf } from '../../../data/vault/case-number.ts';
import type { Authenticator, LoginAccount } from '../../../mail/sasl/types.ts';
import { canonicalAddress, isLoopback } from '../../../net/ip.ts';
import { refusedListPage, refusedMessagePage } from './account-pages.ts';
import { STYLE_HASH } from './home.ts';

/**
 * What a person may do with mail for them that was refused or held back: look, have it delivered, forget it. Pages for
 * a browser, JSON for a program that accepts that; the login is the account's own, by HTTP Basic (RFC 7617).
 */

/** Octets of a kept message that are shown. */
const SHOWN_BYTES = 64 * 1024;
/** Entries of a page. */
const ENTRIES = 100;
/** Octets of an Authorization field that are looked at. */
const AUTHORIZATION_BYTES = 2000;

export interface AccountOptions {
  readonly store: Pick<OpenStore, 'read' | 'write' | 'blobs' | 'bodies'>;
  readonly clock: Clock;
  readonly authenticator: Authenticator;
  /** Whether a peer is a proxy whose X-Forwarded-For holds. */
  readonly isProxy: (address: string) => boolean;
}

type Env = { Bindings: { readonly incoming: IncomingMessage }; Variables: { account: LoginAccount } };

export function createAccountApp(options: AccountOptions): Hono<Env> {
  const { store } = options;
  const app = new Hono<Env>();
  app.use(async (c, next) => {
    const answer = await login(options, c);
    if (answer !== undefined) return answer;
    c.header('Content-Security-Policy', policy());
    await next();
    return undefined;
  });
  app.get('/', async (c) => {
    const scope = { accountId: c.var.account.accountId };
    const entries = await store.read.run('vault.list', { scope, limit: ENTRIES });
    if (wantsJson(c)) return c.json({ entries });
    return c.html(refusedListPage(c.var.account.address, entries, c.req.query('done')));
  });
  app.get('/:case', async (c) => {
    const found = await entryOf(store, c.var.account, c.req.param('case'));
    if (found === undefined) return unknown(c);
    const octets = await store.blobs.bytes(found.content.blobId, 0, Math.min(found.size, SHOWN_BYTES));
    const beginning = octets.toString('latin1');
    const { content: _content, verdict, ...entry } = found;
    if (wantsJson(c)) return c.json({ entry, verdict: JSON.parse(verdict) as unknown, beginning });
    return c.html(refusedMessagePage(found, beginning));
  });
  app.post('/:case/release', (c) => change(options, c, 'released'));
  app.post('/:case/delete', (c) => change(options, c, 'deleted'));
  return app;
}

function policy(): string {
  return `default-src 'none'; style-src '${STYLE_HASH}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`;
}

function wantsJson(c: Context): boolean {
  return (c.req.header('accept') ?? '').includes('application/json');
}

/** The answer for those who may not go on; undefined with the account set. */
async function login(options: AccountOptions, c: Context<Env>): Promise<Response | undefined> {
  const { socket, headers } = c.env.incoming;
  const peer = canonicalAddress(socket.remoteAddress ?? '') ?? '';
  const proxied = options.isProxy(peer);
  if (!isLoopback(peer) && !proxied) {
    const remedy = 'put a proxy with TLS in front of this server (docs/guides/behind-a-proxy.md)';
    return c.text(`Passwords are taken over TLS only: ${remedy}.\n`, 403);
  }
  const credentials = basicCredentials(headers.authorization);
  if (credentials === undefined) return challenge(c, 'Log in with your address and its password.');
  const forwarded = headers['x-forwarded-for'];
  const last = (Array.isArray(forwarded) ? forwarded.at(-1) : forwarded)?.split(',').at(-1)?.trim() ?? '';
  const remoteAddress = (proxied ? canonicalAddress(last) : undefined) ?? peer;
  const trace = timeId(options.clock.now());
  try {
    const attempt = { ...credentials, remoteAddress, protocol: 'http', trace };
    c.set('account', await options.authenticator.password(attempt));
    return undefined;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.kind === 'authentication-failed') return challenge(c, 'The address or the password is wrong.');
    const busy = error.kind === 'limit' || error.kind === 'unavailable';
    return c.text(`${error.message}\n`, busy ? 429 : 403);
  }
}

function challenge(c: Context, sentence: string): Response {
  c.header('WWW-Authenticate', 'Basic realm="mail account", charset="UTF-8"');
  return c.text(`${sentence}\n`, 401);
}

function basicCredentials(
  field: string | undefined,
): { readonly login: string; readonly password: string } | undefined {
  if (field === undefined || field.length > AUTHORIZATION_BYTES) return undefined;
  const [, encoded] = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(field) ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 1 ? undefined : { login: text.slice(0, colon), password: text.slice(colon + 1) };
}

async function entryOf(store: AccountOptions['store'], { accountId }: LoginAccount, number: string) {
  const caseNumber = caseNumberOf(number) ?? number.slice(0, 40);
  return store.read.run('vault.get', { caseNumber, scope: { accountId } });
}

async function change(
  { store }: AccountOptions,
  c: Context<Env, '/:case/release'> | Context<Env, '/:case/delete'>,
  to: 'released' | 'deleted',
): Promise<Response> {
  const { account } = c.var;
  const found = await entryOf(store, account, c.req.param('case'));
  if (found === undefined) return unknown(c);
  const { caseNumber } = found;
  const actor: Actor = { name: account.address, role: 'user', domainId: undefined };
  const args = { actor, caseNumber, accountId: account.accountId };
  try {
    if (to === 'released') await store.write.run('vault.release', args);
    else {
      const { files } = await store.write.run('vault.delete', args);
      for (const file of files) await store.bodies.remove(file);
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return wantsJson(c) ? c.json({ error: error.message }, 409) : c.text(`${error.message}\n`, 409);
  }
  return wantsJson(c) ? c.json({ caseNumber, state: to }) : c.redirect(`/account/refused?done=${to}`, 303);
}

function unknown(c: Context): Response {
  const sentence = 'There is no such case among your refused mail; its time may be over.';
  return wantsJson(c) ? c.json({ error: sentence }, 404) : c.text(`${sentence}\n`, 404);
}
