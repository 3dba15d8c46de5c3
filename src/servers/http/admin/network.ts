import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import type { Clock } from '../../../base/clock.ts';
import { timeId } from '../../../base/ids.ts';
import type { Actor } from '../../../data/directory/types.ts';
import type { Store } from '../../../data/store.ts';
import { actorOf, challengeFor, type LogInRequest, type Principal } from '../../request-login.ts';
import { adminSettings } from './admin-settings.ts';
import type { AdminEnv, Authenticate } from './app.ts';

/** Administrators who come over the network: they log in, and their role says what is theirs. */

export interface NetworkOptions {
  readonly store: Pick<Store, 'read'>;
  readonly clock: Clock;
  readonly logIn: LogInRequest;
  /** Whether the account has TOTP or a passkey. */
  readonly hasSecondFactor: (accountId: number) => Promise<boolean>;
}

/** Tells the pages that an administrator should set up a second factor. */
export const SECOND_FACTOR_FIELD = 'X-Postern-Second-Factor';

export function principalActor(options: NetworkOptions): Authenticate {
  const { store, clock, logIn, hasSecondFactor } = options;
  return async (c, next) => {
    const request = incomingOf(c);
    const trace = timeId(clock.now());
    const login = await logIn(request, { scope: 'admin', protocol: 'http', trace });
    if (!login.ok) return unwelcome(c, request, login);
    const { principal } = login;
    if (principal.role === 'user' || !principal.scopes.has('admin')) {
      return refuse(c, 403, 'not-permitted', 'You administer nothing here.');
    }
    const missing = !(await hasSecondFactor(principal.accountId));
    if (missing && (await adminSettings(store)).require_second_factor) {
      const sentence = 'Administrators need a second factor here: set one up first (Settings, Security).';
      c.header(SECOND_FACTOR_FIELD, 'missing');
      return refuse(c, 403, 'second-factor-required', sentence);
    }
    c.set('actor', await actorFor(store, principal));
    c.set('revoked', principal.revoked);
    await next();
    if (missing) c.header(SECOND_FACTOR_FIELD, 'missing');
    return undefined;
  };
}

/** With the domains that a domain administrator was given beside its own, as they are now. */
async function actorFor({ read }: Pick<Store, 'read'>, principal: Principal): Promise<Actor> {
  const actor = actorOf(principal);
  if (principal.role !== 'domain-admin') return actor;
  const rows = await read.run('directory.adminDomains', { accountId: principal.accountId });
  return { ...actor, domainIds: rows.map(({ id }) => id) };
}

function incomingOf(c: Context<AdminEnv>): IncomingMessage {
  return (c.env as unknown as { incoming: IncomingMessage }).incoming;
}

function unwelcome(
  c: Context<AdminEnv>,
  request: IncomingMessage,
  { status, sentence }: { readonly status: 401 | 403 | 429; readonly sentence: string },
): Response {
  const challenge = status === 401 ? challengeFor(request) : undefined;
  if (challenge !== undefined) c.header('WWW-Authenticate', challenge);
  const kind = status === 401 ? 'authentication-failed' : status === 429 ? 'limit' : 'not-permitted';
  return refuse(c, status, kind, sentence);
}

function refuse(c: Context<AdminEnv>, status: 401 | 403 | 429, kind: string, message: string): Response {
  return c.json({ error: { kind, message } }, status);
}
