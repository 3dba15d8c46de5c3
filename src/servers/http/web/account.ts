import type { IncomingMessage } from 'node:http';
import { type Context, Hono } from 'hono';
import type { Clock } from '../../../base/clock.ts';
import { Refusal } from '../../../base/errors.ts';
import { timeId } from '../../../base/ids.ts';
import type { Actor } from '../../../data/directory/types.ts';
import type { OpenStore } from '../../../data/open.ts';
import { caseNumberOf } from '../../../data/vault/case-number.ts';
import type { Authenticator } from '../../../mail/sasl/types.ts';
import { challengeFor, createRequestLogin, type LogInRequest, type Principal } from '../../request-login.ts';
import { refusedListPage, refusedMessagePage } from './account-pages.ts';
import { STYLE_HASH } from './home.ts';

/**
 * What a person may do with mail for them that was refused or held back: look, have it delivered, forget it. Pages for
 * a browser, JSON for a program that accepts that; the login is whatever `request-login.ts` takes.
 */

/** Octets of a kept message that are shown. */
const SHOWN_BYTES = 64 * 1024;
/** Entries of a page. */
const ENTRIES = 100;

export interface AccountOptions {
  readonly store: Pick<OpenStore, 'read' | 'write' | 'changes' | 'blobs' | 'bodies'>;
  readonly clock: Clock;
  readonly authenticator: Authenticator;
  /** Whether a peer is a proxy whose X-Forwarded-For holds. */
  readonly isProxy: (address: string) => boolean;
}

type Env = { Bindings: { readonly incoming: IncomingMessage }; Variables: { account: Principal } };

export function createAccountApp(options: AccountOptions): Hono<Env> {
  const { store } = options;
  const logIn = createRequestLogin(options);
  const app = new Hono<Env>();
  app.use(async (c, next) => {
    const answer = await login(logIn, options, c);
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
async function login(
  logIn: LogInRequest,
  { clock }: AccountOptions,
  c: Context<Env>,
): Promise<Response | undefined> {
  const { incoming } = c.env;
  const result = await logIn(incoming, { scope: 'mail', protocol: 'http', trace: timeId(clock.now()) });
  if (result.ok) {
    c.set('account', result.principal);
    return undefined;
  }
  const challenge = result.status === 401 ? challengeFor(incoming) : undefined;
  if (challenge !== undefined) c.header('WWW-Authenticate', challenge);
  return c.text(`${result.sentence}\n`, result.status);
}

async function entryOf(store: AccountOptions['store'], { accountId }: Principal, number: string) {
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
